"""Reads and hashes the revisions of a run ahead of it, in a thread: while the server works there is time for it."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from app.migrations.journal import Code
from app.migrations.revision import digest

TURN = 0.0001
"""Seconds after which the thread gives way: with Python's own 5 ms each answer of the server would wait that long."""


class CodeReader:
    """The code of the revisions of one run; what the thread does not have yet is read at once."""

    def __init__(self) -> None:
        self._read: dict[str, Code] = {}
        self._over = Event()
        self._thread: Thread | None = None
        self._interval = sys.getswitchinterval()

    def __getitem__(self, path: str) -> Code:
        """Return the code of the revision at `path`. Raises OSError."""
        return self._read.get(path) or read(path)

    def start(self, paths: Sequence[str]) -> None:
        """Begin to read `paths`, in this order; a later try of the same run has nothing to add."""
        if self._thread is None:
            self._thread = Thread(target=self._go_through, args=(paths,), name="code", daemon=True)
            sys.setswitchinterval(TURN)
            self._thread.start()

    def close(self) -> None:
        """End the thread, and wait for it."""
        if self._thread is not None:
            self._over.set()
            self._thread.join()
            sys.setswitchinterval(self._interval)

    def _go_through(self, paths: Sequence[str]) -> None:
        for path in paths:
            if self._over.is_set():
                return
            with suppress(OSError):  # it is read again, and the error said, where it is needed
                self._read[path] = read(path)


def read(path: str) -> Code:
    """Return digest and source of the file as it is now. Raises OSError."""
    source = Path(path).read_bytes()
    return Code(digest(source), source.decode("utf-8", "replace").replace("\0", ""))
