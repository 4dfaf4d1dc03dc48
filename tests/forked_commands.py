"""`inv` and `alembic` for a shell script, as programs that cost no more than their work: each is forked, see `forks`.

The program is a few lines of sh. It leaves its arguments and environment in a folder, names that in a pipe which this
process reads, and passes on what the fork prints, both streams in one, in the order in which they are written.
"""

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests import forks

PROGRAM = """#!/bin/sh
set -eu
{which}
asked=$(mktemp -d "{folder}/asked.XXXXXX")
mkfifo "$asked/out"
ln -s out "$asked/err"
printf '%s\\0' "$module" "$@" > "$asked/arguments"
env -0 > "$asked/environment"
pwd > "$asked/folder"
echo "$asked" > "{folder}/requests"
cat "$asked/out"
exit "$(cat "$asked/code")"
"""
PYTHON = """case "$1 $2" in
    "-P -m") module=$3; shift 3 ;;
    *) exec {python} "$@" ;;
esac"""


class Forked:
    """The process that forks, within a `with`; `write_*` put the programs that ask it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests = folder / "requests"
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        os.mkfifo(self.requests)
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.requests.write_text("\n")
        self.thread.join(timeout=30)

    def write_module(self, path: Path, module: str) -> None:
        """Make `path` a program that is `python -m module`."""
        self._write(path, f"module={module}")

    def write_python(self, path: Path, python: str) -> None:
        """Make `path` a Python whose `-P -m MODULE` is forked; the rest is left to the real one."""
        self._write(path, PYTHON.format(python=python))

    def _write(self, path: Path, which: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PROGRAM.format(which=which, folder=self.folder), encoding="utf-8")
        path.chmod(0o755)

    def _serve(self) -> None:
        with os.fdopen(os.open(self.requests, os.O_RDWR), "rb") as requests:
            while line := requests.readline().strip():
                _answer(Path(line.decode()))


def _answer(asked: Path) -> None:
    """Run it to its end; the pipe is open here until the exit code is written, so that who reads it finds one."""
    module, *arguments = (asked / "arguments").read_text().split("\0")[:-1]
    pairs = (one.partition("=") for one in (asked / "environment").read_text().split("\0") if one)
    environment = {name: value for name, _, value in pairs}
    held = os.open(asked / "out", os.O_RDWR)
    try:
        code = forks.run(module, arguments, Path((asked / "folder").read_text().rstrip("\n")), environment, asked)
        (asked / "code").write_text(f"{code % 256}\n")
    finally:
        os.close(held)
