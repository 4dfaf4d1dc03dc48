"""Hashes and syncs the big files of a backup while they are still written, so that little is left when they are whole.

Data files are only appended to. Should one ever be written to in its middle, its hash is that of no file: the first
check says so, and the backup is refused rather than trusted.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from app.migrations.checksums import Begun
from app.migrations.growing import Growing

DATA = re.compile(r"\d+\.dat\.\w+")
STEP = 16 << 20
"""Bytes that a file has to have grown by: small ones are hashed in no time afterwards."""


class Following(Growing):
    """Follows the packed data files of the folder `dump`; `begun` is what is hashed and synced of each, by name."""

    def __init__(self, dump: Path) -> None:
        super().__init__(dump)
        self.begun: dict[str, Begun] = {}

    def hashed(self) -> dict[str, Begun]:
        """Return `begun`, named as in the backup.

        Raises the OSError of a sync: the system tells of what the disk did not take only once.
        """
        self.raise_fault()
        return {f"{self.dump.name}/{name}": begun for name, begun in self.begun.items()}

    def has_grown(self, entry: "os.DirEntry[str]") -> bool:
        """Return whether it is a data file with another `STEP` of bytes."""
        if not DATA.fullmatch(entry.name):
            return False
        known = self.begun.get(entry.name)
        return entry.stat(follow_symlinks=False).st_size - (known.size if known else 0) >= STEP

    def take(self, names: Sequence[str]) -> None:
        """Hash and sync what they hold by now."""
        for name in names:
            if self.over.is_set():
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
