"""Follows the files of a folder that grow, in a thread of its own. What is done with them its children say."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Self

PERIOD = 0.25
"""Seconds from one look to the next, at least."""
SHARE = 20
"""How many times as long as it took to find what has grown it waits: many files must not cost more than they save."""


class Growing:
    """Follows the files of the folder `dump` while a block runs: what `has_grown` is given to `take`, again and again.

    The folder need not be there yet, and may go: an OSError ends a look, not the following. One that must not be lost
    `take` keeps in `fault`.
    """

    def __init__(self, dump: Path) -> None:
        self.dump = dump
        self.over = Event()
        self.fault: OSError | None = None
        self._thread = Thread(target=self._follow, name=type(self).__name__.lower(), daemon=True)

    def has_grown(self, entry: "os.DirEntry[str]") -> bool:
        """Return whether there is something to do about a file. Raises OSError."""
        raise NotImplementedError

    def take(self, names: Sequence[str]) -> None:
        """Do it, and return soon after `over` is set. Raises OSError."""
        raise NotImplementedError

    def raise_fault(self) -> None:
        """Raise the OSError that was kept, if there is one."""
        if self.fault is not None:
            raise self.fault

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._thread.join()

    def _follow(self) -> None:
        pause = PERIOD
        while not self.over.wait(pause):
            with suppress(OSError):
                began = time.monotonic()
                with os.scandir(self.dump) as entries:
                    grown = [entry.name for entry in entries if self.has_grown(entry)]
                pause = max(PERIOD, SHARE * (time.monotonic() - began))
                self.take(grown)
