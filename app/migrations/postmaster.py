"""The postmaster of a data folder, as its pid file and the process table show it. Never starts one.

A pid file alone proves nothing: after kill -9 it stays, and in a container its number is soon that of something else.
A postmaster and its children are told by their working folder, which is the data folder.
https://www.postgresql.org/docs/current/storage-file-layout.html
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from app.migrations.sockets import NAME

PROC = Path("/proc")
PID_FILE = "postmaster.pid"
STATUS_LINE = 7
ESCALATION = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""Fast shutdown, immediate shutdown, the end: each signal and the seconds that it is given."""


class Postmaster(NamedTuple):
    """A live postmaster: its pid and what its pid file says: starting, ready, stopping, standby or nothing."""

    pid: int
    status: str


def find(data: Path) -> Postmaster | None:
    """Return the live postmaster of `data`, or None, whatever is left of a dead one."""
    try:
        lines = (data / PID_FILE).read_text(errors="replace").splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None
    status = lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else ""
    return Postmaster(pid, status) if runs_in(pid, data) else None


def runs_in(pid: int, data: Path) -> bool:
    """Tell whether the process `pid` lives (a zombie does not) and is a server process of `data`."""
    if not PROC.is_dir():
        return _named_postgres(pid)
    try:
        return os.path.samestat(os.stat(PROC / str(pid) / "cwd"), os.stat(data))  # noqa: PTH116
    except PermissionError:  # root without CAP_SYS_PTRACE, looking at another uid
        with suppress(OSError):
            return b"postgres" in (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        pass
    return False


def _named_postgres(pid: int) -> bool:
    """Tell it by the command line, where there is no /proc."""
    answer = subprocess.run(["ps", "-p", str(pid), "-o", "stat=,command="], capture_output=True, text=True, check=False)
    return "postgres" in answer.stdout and not answer.stdout.startswith("Z")


def clear_remains(data: Path) -> None:
    """After a postmaster that was killed: end its orphaned backends, remove pid files that mislead.

    Only to be called under the lock and when `find` returns None. Pid files of dead processes stay: PostgreSQL
    itself checks by them that nobody uses the shared memory any more.
    """
    for pid in processes(data):
        _signal(pid, signal.SIGQUIT)
    if not wait_until(lambda: not any(processes(data)), 5.0):
        for pid in processes(data):
            _signal(pid, signal.SIGKILL)
        wait_until(lambda: not any(processes(data)), 5.0)
    for name in (PID_FILE, NAME + ".lock"):
        if _misleads(data / name):
            (data / name).unlink()


def _misleads(file: Path) -> bool:
    """Tell whether PostgreSQL would refuse to start because of this pid file, although its process is gone."""
    try:
        return _exists(int(file.read_text(errors="replace").split()[0]))
    except FileNotFoundError:
        return False
    except (ValueError, IndexError, OverflowError):
        return True


def processes(data: Path) -> Iterator[int]:
    """Yield the server processes that work in `data`; none where there is no /proc."""
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "exe").readlink().name.startswith("postgres") and runs_in(int(entry.name), data):
                yield int(entry.name)


def _exists(pid: int) -> bool:
    """Tell whether PostgreSQL would take `pid` for a live process: a zombie is one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end(data: Path, pid: int) -> bool:
    """Stop the postmaster `pid` of `data`, its sessions with it: in order first, by force when it does not go."""
    for number, patience in ESCALATION:
        if runs_in(pid, data):
            _signal(pid, number)
        if wait_until(lambda: not runs_in(pid, data), patience):
            return True
    return False


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until `condition` holds, asking every 10 ms; return whether it did before `seconds` were over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
