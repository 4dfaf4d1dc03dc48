"""The application served as in production, by uvicorn on a port of its own, and probes of it."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import uvicorn
from fastapi import FastAPI

from app.api.probe import WITHIN
from app.main import create_app
from app.migrations.environments import Environment


class Answer(NamedTuple):
    """One answer; `body` is what its JSON says, `seconds` how long it took."""

    code: int
    headers: dict[str, str]
    text: str
    seconds: float

    @property
    def body(self) -> Any:
        return json.loads(self.text)


class Served(NamedTuple):
    """A running application."""

    port: int

    def ask(self, path: str = "/health/ready", method: str = "GET") -> Answer:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, headers, text, time.monotonic() - began)

    def at_once(self, count: int, path: str = "/health/ready") -> list[Answer]:
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: self.ask(path), range(count)))

    def until(self, code: int, within: float = 30) -> Answer:
        """Probe until the answer has this code."""
        deadline = time.monotonic() + within
        while (answer := self.ask()).code != code:
            assert time.monotonic() < deadline, answer
        return answer


@contextmanager
def serving(app: FastAPI) -> Iterator[Served]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive(), "the server has ended"
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.01)
        yield Served(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(30)


@contextmanager
def served(url: str, within: float = WITHIN) -> Iterator[Served]:
    app = create_app(Environment("docker", url))
    app.state.probe.within = within
    with serving(app) as one:
        yield one
