"""Tasks on this repository: test, lint, bench."""

import signal
import subprocess
import sys

from invoke.context import Context

from app.migrations.reporting import INTERRUPTED
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
    raise SystemExit(_run("pytest", *arguments))


@command()
def lint(c: Context) -> None:
    """Check style, format and types."""
    codes = [_run("ruff", "check"), _run("ruff", "format", "--check"), _run("mypy")]
    raise SystemExit(max(codes))


@command(help={"only": "one benchmark; all by default"})
def bench(c: Context, only: str = "") -> None:
    """Run the benchmarks on a private PostgreSQL."""
    from app.migrations.errors import ConfigurationError

    names = sorted(path.stem for path in (ROOT / "tests/benchmarks").glob("*.py"))
    if only and only not in names:
        raise ConfigurationError(
            f'there is no benchmark "{only}"; there are: {", ".join(names)}', f"inv bench --only={names[0]}"
        )
    codes = []
    for name in [only] if only else names:
        print(f"{name}:", flush=True)
        codes.append(_run(f"tests.benchmarks.{name}"))
    raise SystemExit(max(codes))


def _run(module: str, *arguments: str) -> int:
    """Run a tool of this virtual environment at the root; return 0, 1 when it found something, 130 when interrupted."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, check=False)
    interrupted = done.returncode in {-signal.SIGINT, INTERRUPTED} or (module == "pytest" and done.returncode == 2)
    return INTERRUPTED if interrupted else min(done.returncode, 1)
