"""Hashes and syncs the big files of a backup while pg_dump still writes them, so that little is left when it has ended.

Data files are only appended to. Should one ever be written to in its middle, its hash is that of no file: the first
check says so, and the backup is refused rather than trusted.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from app.migrations.checksums import Begun

DATA = re.compile(r"\d+\.dat(\.\w+)?")
STEP = 16 << 20
"""Bytes that a file has to have grown by: small ones are hashed in no time afterwards."""
PERIOD = 0.25
"""Seconds from one look to the next, at least."""
SHARE = 20
"""How many times as long as it took to find what has grown it waits: many files must not cost more than they save."""


class Following:
    """Follows the data files of the folder `dump`; `begun` is what is hashed and synced of each, by name."""

    def __init__(self, dump: Path) -> None:
        self.dump = dump
        self.begun: dict[str, Begun] = {}
        self.fault: OSError | None = None
        self._over = Event()
        self._thread = Thread(target=self._follow, name="follow", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def end(self) -> None:
        """End, within the time that a piece of a file takes."""
        self._over.set()
        self._thread.join()

    def hashed(self) -> dict[str, Begun]:
        """Return `begun`, named as in the backup.

        Raises the OSError of a sync: the system tells of what the disk did not take only once.
        """
        if self.fault is not None:
            raise self.fault
        return {f"{self.dump.name}/{name}": begun for name, begun in self.begun.items()}

    def _follow(self) -> None:
        pause = PERIOD
        while not self._over.wait(pause):
            with suppress(OSError):  # not there yet, or taken away after a failure
                began = time.monotonic()
                grown = [entry.name for entry in os.scandir(self.dump) if self._has_grown(entry)]
                pause = max(PERIOD, SHARE * (time.monotonic() - began))
                for name in grown:
                    self._go_on(name)

    def _has_grown(self, entry: "os.DirEntry[str]") -> bool:
        if not DATA.fullmatch(entry.name):
            return False
        known = self.begun.get(entry.name)
        return entry.stat(follow_symlinks=False).st_size - (known.size if known else 0) >= STEP

    def _go_on(self, name: str) -> None:
        if self._over.is_set():
            return
        descriptor = os.open(self.dump / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self.begun.setdefault(name, Begun()).go_on(descriptor)
            self._sync(descriptor)
        finally:
            os.close(descriptor)

    def _sync(self, descriptor: int) -> None:
        try:
            os.fsync(descriptor)
        except OSError as error:
            self.fault = self.fault or error


@contextmanager
def following(dump: Path) -> Iterator[Following]:
    """Follow what is written below `dump` while the block runs."""
    found = Following(dump)
    found.start()
    try:
        yield found
    finally:
        found.end()
