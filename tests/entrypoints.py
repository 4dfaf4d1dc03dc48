"""scripts/docker-entrypoint.sh of a clone, run in a plain shell as a container runs it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.clones import Clone, Done

SCRIPT = "scripts/docker-entrypoint.sh"
SERVE = ("python", "-c", "print('served')")
FIRST_PROCESS = ("unshare", "--pid", "--fork", "--kill-child", "--")
"""Makes what follows the first process of a container: one without default handlers."""
WITHIN = 60.0


def environment(clone: Clone, url: str, **changes: str) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    told = {"PATH": path, "APP_ENV": "docker", "DATABASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nowhere"}
    kept = {name: value for name, value in clone.environment.items() if name not in {"SCRATCH_URL", *told}}
    return {**kept, **told, **changes}


@contextmanager
def started(
    clone: Clone, url: str, shell: Sequence[str] = ("sh",), serve: Sequence[str] = SERVE, **changes: str
) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [*shell, SCRIPT, *serve],
        cwd=clone.folder,
        env=environment(clone, url, **changes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def ended(process: "subprocess.Popen[str]", within: float = WITHIN) -> Done:
    out, err = process.communicate(timeout=within)
    return Done(process.returncode, out, err)


def run(clone: Clone, url: str, shell: Sequence[str] = ("sh",), serve: Sequence[str] = SERVE, **changes: str) -> Done:
    with started(clone, url, shell, serve, **changes) as process:
        return ended(process)


def child_of(process: "subprocess.Popen[str]") -> int:
    """The one child of a process, once it is there."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until(lambda: bool(children.read_text().split()))
    return int(children.read_text().split()[0])


def until(condition: Callable[[], bool], within: float = WITHIN) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)
