"""The task that serves the application on this machine: serve."""

import os
import socket
from typing import TYPE_CHECKING

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from fastapi import FastAPI


@command(help={"host": "address to listen on", "port": "port to listen on; 0 takes a free one"})
def serve(c: Context, env: str = "", host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve the application; a private PostgreSQL is started."""
    from app.core.config import variables
    from app.main import create_app
    from app.migrations import environments

    environment = environments.for_tasks(ROOT, env, variables())
    app = create_app(environment)
    with _listener(host, port) as listener:
        where, at = listener.getsockname()[:2]
        shown = f"[{where}]" if ":" in where else where
        print(
            f"{environment.name}: serving on http://{shown}:{at}; ready or not: /health/ready; Ctrl-C ends it",
            flush=True,
        )
        _run(app, listener)


def _listener(host: str, port: int) -> socket.socket:
    """Listen, before anything is promised. Raises ConfigurationError."""
    from app.migrations.errors import ConfigurationError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None) or 0
        why = os.strerror(number) if number > 0 else error
        raise ConfigurationError(
            f"cannot listen on {host}, port {port}: {why}; nothing is served",
            "inv serve --port=0 takes a free port; --host=127.0.0.1 is this machine alone",
        ) from error


def _run(app: "FastAPI", listener: socket.socket) -> None:
    """Say where the database stands, then serve until Ctrl-C or SIGTERM; what is being answered is answered."""
    import asyncio

    from uvicorn import Config, Server

    server = Server(Config(app, log_level="warning", timeout_graceful_shutdown=5))
    probe = app.state.probe

    async def both() -> None:
        found = await probe.ask()  # which logs what is wrong, and the command
        if found.ready:
            print(f"ready: the database is {found.words}", flush=True)
        await server.serve(sockets=[listener])

    try:
        asyncio.run(both())
    except KeyboardInterrupt:  # uvicorn raises the signal again when it has ended
        print("ended")
