"""Tasks on this repository: test, lint."""

import subprocess
import sys

from invoke.context import Context

from scripts.tasks.command import ROOT, command


@command(
    help={
        "pg": "major version of PostgreSQL: 18 or 16",
        "slow": "also the slow tests",
        "only": "a path, or path::test",
    }
)
def test(c: Context, pg: int = 18, slow: bool = False, only: str = "") -> None:
    """Run the tests on a private PostgreSQL."""
    arguments = ["-n", "auto", "--dist=worksteal", f"--pg={pg}", *(["--slow"] if slow else []), *only.split()]
    _run("pytest", *arguments)


@command()
def lint(c: Context) -> None:
    """Check style, format and types."""
    _run("ruff", "check")
    _run("ruff", "format", "--check")
    _run("mypy")


def _run(module: str, *arguments: str) -> None:
    """Run a tool of this virtual environment at the root; its failure is this task's answer of 'no'."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(130 if done.returncode in (2, -2, 130) and module == "pytest" else 1)
