"""Runs a command and reads meanwhile, from /proc, how much memory it and its descendants take. Linux only."""

import statistics
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

PROC = Path("/proc")
PERIOD = 0.25
"""Seconds from one look to the next. Peaks are kept by the kernel, so only what lives shorter is missed.

A look at many processes takes time of a core that they want themselves: looking often would be a part of the result.
"""


class Spent(NamedTuple):
    """Seconds of the whole process; bytes of memory at its peak: its own, and of all that ran at the same time."""

    seconds: float
    own: int
    all: int


def mean(runs: Sequence[Spent]) -> Spent:
    """Return the mean time of some runs, and the highest of their peaks."""
    return Spent(
        statistics.mean(one.seconds for one in runs), max(one.own for one in runs), max(one.all for one in runs)
    )


def run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
) -> Spent:
    """Run the command in `folder`; anything but exit code 0 ends the benchmark with what it said on stderr."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, text=True
    )
    over, peaks = threading.Event(), [0, 0]
    watcher = threading.Thread(target=_watch, args=(process.pid, over, peaks))
    watcher.start()
    try:
        _, said = process.communicate()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        over.set()
        watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}\n{said}")
    return Spent(time.monotonic() - began, *peaks)


def _watch(pid: int, over: threading.Event, peaks: list[int]) -> None:
    program = _program(pid)
    while not over.wait(PERIOD):
        own = _peak(pid)
        # What has not become a program of its own yet is this one, counted already.
        others = sum(_peak(one) for one in _descendants(pid) if _program(one) != program)
        peaks[:] = max(peaks[0], own), max(peaks[1], own + others)


def _program(pid: int) -> str:
    with suppress(OSError):
        return str((PROC / str(pid) / "exe").readlink())
    return ""


def _peak(pid: int) -> int:
    with suppress(OSError):
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _descendants(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for thread in (PROC / str(pid) / "task").iterdir():
            for child in map(int, (thread / "children").read_text().split()):
                yield child
                yield from _descendants(child)
