"""Keeps a backup from being deleted while a command reads it. Decides nothing, reads no byte of it.

Who reads shares a lock on the dump's table of contents, a file that is never replaced; who deletes needs it alone. A
place that may only be read will do, and so does NFS, where a lock that excludes others needs a file open for writing.
The lock ends with the process, even with kill -9. https://man7.org/linux/man-pages/man2/flock.2.html
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.migrations.errors import Refused

CONTENTS = Path("dump/toc.dat")
FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class InUseError(Exception):
    """Another command reads the backup, so it cannot be deleted now."""


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Keep `db.prune` from deleting the backup while the block runs. Several may read it at the same time.

    Where there is no lock to be had - the file is missing, or the file system knows no locks - the block runs all the
    same: what is wrong with a backup is for its hashes to say. Raises Refused for one that is being deleted.
    """
    descriptor = _open(folder, os.O_RDONLY)
    try:
        if descriptor is not None and not _lock(descriptor, fcntl.LOCK_SH):
            raise Refused(
                f"the backup {folder.name} is being deleted by another command; nothing was changed",
                f"inv db.backups --env={folder.parent.name}",
            )
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def deleting(folder: Path) -> Iterator[None]:
    """Keep others from beginning to read the backup while the block runs. Raises InUseError where one reads it."""
    descriptor = _open(folder, os.O_RDWR)
    try:
        if descriptor is not None and not _lock(descriptor, fcntl.LOCK_EX):
            raise InUseError(folder.name)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _open(folder: Path, mode: int) -> int | None:
    try:
        return os.open(folder / CONTENTS, mode | FLAGS)
    except OSError:
        return None


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
