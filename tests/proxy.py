"""A TCP proxy in front of a server's socket that cuts the connections a test chooses, at a statement it chooses."""

import re
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import NamedTuple

from sqlalchemy import make_url

NAMED = re.compile(rb"application_name = '([^']*)'")


class Cut(Enum):
    """When a connection is cut: before the server hears the statement, or after it has done it."""

    BEFORE = "the server never hears the statement"
    AFTER = "the server does the statement and nobody hears its answer"


class Heard(NamedTuple):
    """A message on its way to the server: the last application_name of its session, and the text."""

    session: str
    text: str

    @property
    def of_the_lock(self) -> bool:
        return self.session.endswith("/lock")

    @property
    def of_the_migration(self) -> bool:
        return "migrations/" in self.session and not self.session.endswith(("/lock", "/watch"))


class Proxy:
    """One proxy. `rule` says of every message whether its connection is cut; a cut closes `doomed` ones as well."""

    def __init__(self, listener: socket.socket, reach: Callable[[], socket.socket]) -> None:
        self.listener = listener
        self.reach = reach
        self.rule: Callable[[Heard], Cut | None] = lambda _: None
        self.all_at_once = False
        self.cuts: list[Heard] = []
        self.open: list[socket.socket] = []
        self.closed = False

    def serve(self) -> None:
        with suppress(OSError):
            while not self.closed:
                client, _ = self.listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def cut_once(self, rule: Callable[[Heard], bool], cut: Cut, all_at_once: bool = False) -> None:
        """Cut at the first message for which `rule` holds; with `all_at_once`, every connection."""
        self.cuts, self.all_at_once = [], all_at_once
        self.rule = lambda heard: cut if not self.cuts and rule(heard) else None

    def cut_all(self) -> None:
        """Cut every connection that is open now, between two messages."""
        for end in self.open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _carry(self, client: socket.socket) -> None:
        with client, self.reach() as server:
            self.open += [client, server]
            with suppress(OSError):
                self._relay(client, server)
        self.open = [end for end in self.open if end not in {client, server}]

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        session = ""
        while True:
            for end in select.select([client, server], [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                if end is server:
                    client.sendall(data)
                    continue
                names = NAMED.findall(data)
                session = names[-1].decode() if names else session
                heard = Heard(session, data[5:].rstrip(b"\0").decode(errors="replace") if data[:1] == b"Q" else "")
                cut = self.rule(heard)
                if cut is not None:
                    self._cut(heard, cut, data, server)
                    return
                server.sendall(data)

    def _cut(self, heard: Heard, cut: Cut, data: bytes, server: socket.socket) -> None:
        self.cuts.append(heard)
        if cut is Cut.AFTER:
            server.sendall(data)
            answer = b""
            while answer[-6:-1] != b"Z\0\0\0\x05":  # ReadyForQuery, and the state of the transaction
                answer += server.recv(65536)
        if self.all_at_once:
            self.cut_all()


@contextmanager
def proxy(url: str) -> Iterator[tuple[Proxy, str]]:
    """Stand in front of the server of `url`; yields the proxy and the URL through it."""
    meant = make_url(url)

    def reach() -> socket.socket:
        if meant.host:
            return socket.create_connection((meant.host, meant.port or 5432))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{meant.query['host']}/.s.PGSQL.{meant.query.get('port', 5432)}")
        return server

    with socket.create_server(("127.0.0.1", 0)) as listener:
        standing = Proxy(listener, reach)
        threading.Thread(target=standing.serve, daemon=True).start()
        through = meant.set(host="127.0.0.1", port=listener.getsockname()[1], query={})
        yield standing, through.render_as_string(hide_password=False)
        standing.closed = True
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
