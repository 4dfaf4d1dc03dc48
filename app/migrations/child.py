"""Runs a program as a child that never outlives us, even after kill -9. Keeps nothing of its output but its errors.

A shell stands between: a background part of it reads a pipe whose other end only we hold, and kills the whole process
group - the program, its workers, the shell - when that pipe ends. PR_SET_PDEATHSIG would reach no worker of pg_dump's.
"""

import os
import re
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO

GUARD = """
exec 3<&0 </dev/null
trap : INT TERM
"$@" 3<&- &
child=$!
{ read -r _ <&3; kill -KILL 0; } >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$child"; code=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
kill "$watch" 2>/dev/null
exit "$code"
"""
"""`kill 0` means the own process group: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/kill.html"""
LONGEST_LINE = 64_000
"""Bytes; what is longer is read in pieces."""
ERRORS_KEPT, LAST_KEPT, LONGEST_KEPT = 12, 3, 1000
"""Lines, lines where none is an error, and characters of each."""
ENDS_WITHIN = 5.0
"""Seconds that pg_dump has to cancel what the server runs for it."""

_TOLD = re.compile(r"\b(?:error|fatal|detail|hint): |^(?:DETAIL|HINT|CONTEXT): |: from TOC entry ", re.I)
"""Anywhere in a line: several workers write to one stderr, in pieces."""


class ChildFailed(Exception):
    """The program ended with another code than 0; `said` are its first errors, else its last lines, not redacted."""

    def __init__(self, program: str, code: int, said: Iterable[str]) -> None:
        self.program = program
        self.code = code
        self.said = tuple(said)
        super().__init__(program, code)

    @property
    def told(self) -> str:
        """Return what it said, on one line, without its own name before each sentence."""
        words = [re.sub(r"^\w+: (?:error|fatal): |^pg_\w+: ", "", line).strip() for line in self.said]
        if self.code > 128:
            words.append(f"it was ended by signal {self.code - 128}")
        return "; ".join(words) or f"it ended with code {self.code} and said nothing"


def run(command: Sequence[str], environment: Mapping[str, str], heard: Callable[[str], None] | None = None) -> None:
    """Run `command` to its end; `heard` gets each line of its stderr, its stdout is thrown away.

    `environment` is added to ours, with messages in English. On any exception here - an interrupt - the group is
    asked to end, then killed, before the exception goes on. Raises ChildFailed, and OSError where it cannot start.
    """
    said: list[str] = []
    last: deque[str] = deque(maxlen=LAST_KEPT)
    child = subprocess.Popen(
        ["sh", "-c", GUARD, "sh", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C", "LANGUAGE": "C", **environment},
        start_new_session=True,
        restore_signals=False,  # SIGXFSZ stays ignored, so that a limit is an error with words, not a dead worker
    )
    try:
        _listen(child.stderr, said, last, heard)
        code = child.wait()
    except BaseException:
        _end(child)
        raise
    finally:
        for pipe in (child.stdin, child.stderr):
            if pipe is not None:
                pipe.close()
    if code:
        raise ChildFailed(os.path.basename(command[0]), code, said or last)  # noqa: PTH119


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End the process group: SIGTERM, which makes pg_dump cancel its queries, and SIGKILL for what is left of it."""
    try:
        deadline = time.monotonic() + ENDS_WITHIN
        _signal(child.pid, signal.SIGTERM)
        while _signal(child.pid, 0) and time.monotonic() < deadline:
            child.poll()  # what has ended and was not waited for still counts as there
            time.sleep(0.02)
    finally:
        _signal(child.pid, signal.SIGKILL)
        child.wait()


def _signal(group: int, number: int) -> bool:
    """Send a signal to the group; return whether there still is one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _listen(stream: IO[bytes] | None, said: list[str], last: deque[str], heard: Callable[[str], None] | None) -> None:
    while stream is not None and (raw := stream.readline(LONGEST_LINE)):
        line = raw.decode(errors="replace").rstrip()
        last.append(line[:LONGEST_KEPT])
        if _TOLD.search(line) and len(said) < ERRORS_KEPT:
            said.append(line[:LONGEST_KEPT])
        if heard is not None:
            heard(line)
