"""Many `inv` commands in one process: what they print and how they end, without a start-up for each."""

import json
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType

from tests.clones import Clone, Done

DRIVER = """
import io, json, os, sys
from contextlib import redirect_stderr, redirect_stdout
from invoke.program import Program

sys.path.insert(0, os.getcwd())
usual = dict(os.environ)
for line in sys.stdin:
    words, changes = json.loads(line)
    os.environ.clear()
    os.environ.update(usual | changes)
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            Program().run(["inv", *words], exit=False)
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


class Console:
    """A process in the folder of a clone. The terminal is 80 columns wide; nobody sits at it."""

    def __init__(self, clone: Clone) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER],
            cwd=clone.folder,
            env={**clone.environment, "COLUMNS": "80"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Console":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.communicate()

    def inv(self, *words: str, **changes: str) -> Done:
        """Run one command with `changes` to the environment."""
        return self.run(words, changes)

    def run(self, words: tuple[str, ...], changes: Mapping[str, str]) -> Done:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([words, changes]) + "\n")
        self.process.stdin.flush()
        return Done(*json.loads(self.process.stdout.readline()))
