"""One command at a time in a place that several share. The lock ends with the process, even with kill -9."""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ANNOUNCE_AFTER = 1.0
"""Seconds of silent waiting."""


@contextmanager
def locked(path: Path, doing: str) -> Iterator[int]:
    """Hold the lock file `path`, yielding its descriptor; waits as long as it takes.

    A child that inherits the descriptor holds the lock too. Says on stderr after a second that it waits for
    another command that is `doing`. https://man7.org/linux/man-pages/man2/flock.2.html
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_to_owner(descriptor, path.parent)
        _wait(descriptor, doing)
        yield descriptor
    finally:
        os.close(descriptor)


def give_to_owner(descriptor: int, folder: Path) -> None:
    """As root, give a file that we made in a folder of somebody else to that somebody."""
    owner = folder.stat()
    if os.geteuid() == 0 and os.fstat(descriptor).st_uid != owner.st_uid:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _wait(descriptor: int, doing: str) -> None:
    announce_at = time.monotonic() + ANNOUNCE_AFTER
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        if time.monotonic() > announce_at:
            sys.stderr.write(f"waiting for another command that is {doing}\n")
            announce_at = float("inf")
