"""A command in a pseudo-terminal of its own, read while it runs."""

import os
import pty
import re
import select
import sys
import time

from tests.clones import Clone

CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """`inv` in a terminal of 100 columns; `shown` is what it has printed, without colours and movements."""

    def __init__(self, clone: Clone, *words: str, **changes: str) -> None:
        self.raw = b""
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.chdir(clone.folder)
            usual = {"COLUMNS": "100", "TERM": "xterm-256color"}
            environment = {**clone.environment, **usual, **changes}
            os.execve(sys.executable, [sys.executable, "-m", "invoke", *words], environment)

    @property
    def shown(self) -> str:
        return CONTROL.sub("", self.raw.decode(errors="replace"))

    def until(self, pattern: str, within: float = 60) -> None:
        """Read until `pattern` was printed."""
        deadline = time.monotonic() + within
        while not re.search(pattern, self.shown):
            assert self._read(), f"ended without {pattern!r}: {self.shown}"
            assert time.monotonic() < deadline, f"no {pattern!r} in {within} s: {self.shown}"

    def end(self, within: float = 60) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + within
        while self._read():
            assert time.monotonic() < deadline, self.shown
        os.close(self.descriptor)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def _read(self) -> bool:
        if not select.select([self.descriptor], [], [], 0.2)[0]:
            return True
        try:
            read = os.read(self.descriptor, 65536)
        except OSError:
            return False
        self.raw += read
        return bool(read)
