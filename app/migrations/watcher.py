"""Sees, on a connection of its own, who blocks a migration's statement while it waits. Changes nothing.

It looks only while a statement runs longer than a fraction of a second, and connects when that happens first; with a
LOCK_TIMEOUT below 250 ms it connects at once.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.migrations import blockers
from app.migrations.blockers import Wait

LOOK_EVERY = 0.05
"""Seconds, at most; shorter where LOCK_TIMEOUT is short."""


class Watcher:
    """Watches the statements of one session. `connect` is called in the watcher's own thread."""

    def __init__(self, connect: Callable[[], Connection], lock_timeout: float) -> None:
        self.connect = connect
        self.every = min(LOOK_EVERY, lock_timeout / 5)
        self.seen: Wait | None = None
        self.pid = 0
        self._began: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="blockers", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and its connection, waiting for both."""
        self._over.set()
        self._thread.join()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the statement that runs in the block; who was seen to block it is in `seen` afterwards."""
        self.seen, self._began = None, time.monotonic()
        try:
            yield
        finally:
            self._began = None

    def _look(self) -> None:
        with ExitStack() as opened:
            raw = self._open_early(opened) if self.every < LOOK_EVERY else None
            while not self._over.wait(self.every):
                began = self._began
                if began is None or time.monotonic() - began < self.every:
                    continue
                try:
                    raw = raw or self._open(opened)
                    found = blockers.waiting(raw, self.pid)
                except (psycopg2.Error, DBAPIError):
                    raw = None
                    continue
                if found is not None and found.holders and self._began == began:
                    self.seen = found

    def _open_early(self, opened: ExitStack) -> RawConnection | None:
        """Where LOCK_TIMEOUT is short, a statement's wait would be over before we were connected."""
        with suppress(psycopg2.Error, DBAPIError):
            return self._open(opened)
        return None

    def _open(self, opened: ExitStack) -> RawConnection:
        connection = opened.enter_context(self.connect())
        raw: RawConnection = connection.connection.dbapi_connection  # type: ignore[assignment]
        raw.autocommit = True
        return raw
