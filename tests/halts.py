"""Commands of a clone that stop where a test wants them: at their start, or right after their n-th statement.

The command tells the test over a socket where it stands, and goes on when the test lets it go.
"""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import NamedTuple

from tests.clones import Clone, Done

MODULE = '''"""Stops this process where a test wants it."""

import functools
import json
import os
import socket
import threading

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, connection, cursor

port, left, at = os.environ.get("HALT_PORT"), int(os.environ.get("HALT_AFTER", "0")), os.environ.get("HALT_AT")
each = "HALT_EACH" in os.environ


def halt(statement="", backend=0):
    with socket.create_connection(("127.0.0.1", int(port))) as line:
        line.sendall(json.dumps([os.getpid(), backend, statement]).encode() + b"\\n")
        line.recv(1)


def count(statement, backend):
    global left
    if threading.current_thread() is not threading.main_thread():
        return
    left -= 1
    if each or left == 0 or (at and statement.startswith(at)):
        halt(statement, backend)


class Cursor(cursor):
    def execute(self, statement, values=None):
        super().execute(statement, values)
        count(" ".join(statement.split()), self.connection.info.backend_pid)


class Connection(connection):
    def commit(self):
        idle = self.info.transaction_status == TRANSACTION_STATUS_IDLE
        super().commit()
        if not idle:
            count("COMMIT", self.info.backend_pid)


if port and (each or left or at):
    psycopg2.connect = functools.partial(psycopg2.connect, connection_factory=Connection, cursor_factory=Cursor)
elif port:
    halt()
'''
IMPORT = "import halts  # noqa: F401\n"
WITHIN = 90.0
"""Seconds within which a command has to arrive where it is to stop."""


class Stopped(NamedTuple):
    """A process that waits, the server process of its statement, and that statement; all empty when it has ended."""

    process: int
    backend: int
    statement: str


def prepare(clone: Clone, *files: str) -> Clone:
    """Make what runs `files` of the clone able to stop."""
    (clone.folder / "halts.py").write_text(MODULE)
    for name in files:
        file = clone.folder / name
        head, separator, rest = file.read_text().partition("\n\n")
        file.write_text(f"{head}{separator}{IMPORT}{rest}")
    return clone


class Halts:
    """Where commands report that they have stopped. `variables` are for their environment."""

    def __init__(self, listener: socket.socket, pool: ThreadPoolExecutor) -> None:
        self.listener = listener
        self.pool = pool
        self.lines: list[socket.socket] = []
        self.unheard = 0

    def start(self, clone: Clone, *command: str, after: int = 0, at: str = "", **changes: str) -> "Future[Done]":
        """Start `command` (alembic or inv, and its words); it stops after a number of statements, or at one's words.

        With HALT_EACH among the `changes` it stops after each statement. A COMMIT is one too.
        """
        port = str(self.listener.getsockname()[1])
        runs = getattr(clone, command[0])
        future: Future[Done] = self.pool.submit(
            runs, *command[1:], ok=False, HALT_PORT=port, HALT_AFTER=str(after), HALT_AT=at, **changes
        )
        self.unheard += 1
        future.add_done_callback(lambda _: self._wake())
        return future

    def stopped(self) -> Stopped | None:
        """Wait for the next command that stops; None when one has ended."""
        line, _ = self.listener.accept()
        line.settimeout(WITHIN)
        self.lines.append(line)
        if told := line.makefile().readline():
            return Stopped(*json.loads(told))
        self.unheard -= 1
        return None

    def go(self) -> None:
        """Let all that have stopped go on."""
        while self.lines:
            self.lines.pop().close()

    def abandon(self) -> None:
        """Let every command run to its end: nothing of a test that failed is in the way of the next."""
        while self.unheard:
            self.go()
            self.stopped()
        self.go()

    def _wake(self) -> None:
        with suppress(OSError), socket.create_connection(self.listener.getsockname()):
            pass


@contextmanager
def halts(commands: int = 1) -> Iterator[Halts]:
    """Accept up to `commands` that run at the same time; all have to have ended when the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(commands) as pool:
        listener.settimeout(WITHIN)
        halting = Halts(listener, pool)
        try:
            yield halting
        finally:
            halting.go()
            listener.close()  # what has stopped and was never asked for ends by that
