"""File systems of a test's own: small ones, read-only ones, ones that can do less. Skips where none may be mounted."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(place: Path, *commands: list[str]) -> Iterator[Path]:
    """Make the folder `place` and run `mount WORDS place` for each of `commands`; it is unmounted after the block."""
    place.mkdir()
    for words in commands:
        command = ["mount", *words, str(place)]
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip(f"this machine does not let us mount: {' '.join(words)}")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def full_soon(megabytes: int) -> list[str]:
    """The words of mount for a file system of this size, in memory."""
    return ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs"]


def read_only(folder: Path) -> list[list[str]]:
    """The words of mount for `folder` as one in which nothing can be written, in two steps."""
    return [["--bind", str(folder)], ["-o", "remount,bind,ro"]]
