"""Who runs a command, on which machine, with which commit of the code. Asks the system and git; changes nothing."""

import getpass
import socket
import subprocess
from pathlib import Path

from app.migrations.journal import Actor


def actor(root: Path, environment: str | None, road: str) -> Actor:
    """Return who is at work; what cannot be found out is None. Costs one run of git (5 ms on a small tree)."""
    commit, dirty = commit_of(root)
    return Actor(_user(), socket.gethostname(), commit, dirty, environment, road)


def commit_of(root: Path) -> tuple[str | None, bool | None]:
    """Return the commit that is checked out at `root`, and whether the tree differs from it."""
    asked = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        done = subprocess.run(asked, cwd=root, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None, None
    name = done.stdout.strip()
    return name.removesuffix("-dirty"), name.endswith("-dirty")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's uid need not have a name
        return "unknown"
