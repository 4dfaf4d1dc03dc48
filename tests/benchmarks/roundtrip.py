"""What `inv db.roundtrip` costs beside pytest-alembic, for generated histories of the usual operations.

`python -m tests.benchmarks.roundtrip`. Whole processes on the private scratch server, one after the other: ours through
its task, pytest-alembic as its documentation says, with its four default tests and downgrade_leaves_no_trace. Then the
project's own history in a copy of the tree, its scratch server stopped before and started by the task.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from app.migrations import scratch, server
from tests.clones import OURS, copy_tree
from tests.migrations import usual_history
from tests.migrations.chains import ROOT

FASTER, AT = 5.0, 100
"""At least so many times as fast as pytest-alembic, with a history of so many revisions."""
EXPONENT, FEW, MANY = 1.15, 100, 500
"""The time grows at most with this power of the number of revisions, between the two."""
OWN = 3.0
"""Seconds for the project's own history, including the start of the server."""
TESTS = """
from pytest_alembic.tests import (
    test_model_definitions_match_ddl, test_single_head_revision, test_up_down_consistency, test_upgrade
)
from pytest_alembic.tests.experimental import test_downgrade_leaves_no_trace
"""
CONFTEST = """
import os

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

@pytest.fixture
def alembic_config():
    return {"file": "alembic.ini", "script_location": "migrations"}


@pytest.fixture
def alembic_engine():
    # a database for each test: none of them expects the tables of another
    from app.migrations import scratch
    with scratch.database(os.environ["SCRATCH_URL"]) as url:
        engine = create_engine(url, poolclass=NullPool)
        yield engine
        engine.dispose()
"""


class Took(NamedTuple):
    """Medians in seconds for one length of history; None for what was given up."""

    revisions: int
    ours: float
    theirs: float | None


def roundtrip(folder: Path, environment: dict[str, str]) -> float:
    """Run our task on the project in `folder`; return the seconds. Anything but a green report ends the benchmark."""
    at = {**environment, "ALEMBIC_CONFIG": str(folder / "alembic.ini")}
    took, done = timed([sys.executable, "-m", "invoke", "db.roundtrip", "--json"], ROOT, at)
    if done.returncode:
        raise SystemExit(f"inv db.roundtrip ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}")
    results = [one["result"] for one in json.loads(done.stdout)["revisions"]]
    if set(results) != {"ok"}:
        raise SystemExit(f"inv db.roundtrip judged {results}, and all are right")
    return took


def pytest_alembic(folder: Path, environment: dict[str, str], limit: float) -> float | None:
    """Run pytest-alembic's five tests on the project in `folder`; None when that takes longer than `limit` seconds."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_migrations.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", "-p", "no:cacheprovider"]
    try:
        took, done = timed(command, folder, {**environment, "PYTHONPATH": str(ROOT)}, limit)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode or "5 passed" not in done.stdout:
        raise SystemExit(f"pytest-alembic ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}")
    return took


def timed(
    command: Sequence[str], folder: Path, environment: dict[str, str], limit: float | None = None
) -> tuple[float, "subprocess.CompletedProcess[str]"]:
    """Run a command; return how many seconds it took, and how it ended."""
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=limit
    )
    return time.perf_counter() - began, done


def measure(folder: Path, admin: str, sizes: Sequence[int], repeat: int, limit: float) -> Iterator[Took]:
    """Run both on a history of each length, in turn."""
    usual = {name: value for name, value in os.environ.items() if name not in (*OURS, "ALEMBIC_CONFIG")}
    environment = {**usual, "SCRATCH_URL": admin}
    for size in sizes:
        project = usual_history.write(folder / str(size), size)
        ours, theirs = [], []
        for _ in range(repeat):
            ours.append(roundtrip(project, environment))
            theirs.append(pytest_alembic(project, environment, limit))
        given_up = None in theirs
        yield Took(size, statistics.median(ours), None if given_up else statistics.median(filter(None, theirs)))


def own(folder: Path, repeat: int) -> float:
    """Return the seconds for the project's own history in a copy of the tree, whose server is stopped before."""
    clone = copy_tree(folder / "clone")
    environment = {name: value for name, value in os.environ.items() if name not in (*OURS, "ALEMBIC_CONFIG")}
    taken = []
    for turn in range(repeat + 1):
        server.stop_all(clone)
        took, done = timed([sys.executable, "-m", "invoke", "db.roundtrip"], clone, environment)
        if done.returncode:
            raise SystemExit(f"inv db.roundtrip ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        taken += [took] if turn else []  # the first one makes the server
    server.stop_all(clone)
    return statistics.median(taken)


def exponent(few: Took, many: Took) -> float:
    """Return the power of the number of revisions with which the time grows."""
    return math.log(many.ours / few.ours) / math.log(many.revisions / few.revisions)


def judge(found: dict[int, Took], own_seconds: float) -> Iterator[tuple[str, float, bool]]:
    """Yield each target, what was measured, and whether that is enough."""
    if AT in found and (theirs := found[AT].theirs) is not None:
        times = theirs / found[AT].ours
        yield f"{AT} revisions: at least {FASTER} times as fast as pytest-alembic", times, times >= FASTER
    if FEW in found and MANY in found:
        power = exponent(found[FEW], found[MANY])
        yield f"{FEW} to {MANY} revisions: grows with an exponent of at most {EXPONENT}", power, power <= EXPONENT
    yield f"the own history takes at most {OWN} s, the server's start included", own_seconds, own_seconds <= OWN


def table(found: Sequence[Took]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"{'revisions':>9}{'db.roundtrip':>14}{'each':>11}{'pytest-alembic':>16}{'each':>11}{'ratio':>9}"
    for one in found:
        ours = f"{one.revisions:>9}{one.ours:>12.2f} s{one.ours / one.revisions * 1000:>8.1f} ms"
        if one.theirs is None:
            yield f"{ours}{'given up':>16}"
        else:
            each = one.theirs / one.revisions * 1000
            yield f"{ours}{one.theirs:>14.2f} s{each:>8.1f} ms{one.theirs / one.ours:>7.1f} x"


def main() -> int:
    """Measure on the private scratch server, print the figures; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, FEW, MANY], help="lengths of the histories")
    parser.add_argument("--repeat", type=int, default=1, help="how often each is run")
    parser.add_argument("--limit", type=float, default=900, help="seconds after which pytest-alembic is given up")
    parser.add_argument("--pg", type=int, default=18, choices=(16, 18))
    given = parser.parse_args()
    admin = scratch.admin_url(ROOT, scratch.EMBEDDED, major=given.pg)
    with tempfile.TemporaryDirectory() as folder:
        found = list(measure(Path(folder), admin, given.sizes, given.repeat, given.limit))
        own_seconds = own(Path(folder), max(given.repeat, 3))
    lines = [
        *table(found),
        "db.roundtrip: every revision up, down and up again on tables with rows, whole catalogs compared each time",
        "pytest-alembic: empty tables; up and down; what autogenerate sees compared (downgrade_leaves_no_trace)",
    ]
    verdicts = list(judge({one.revisions: one for one in found}, own_seconds))
    lines += [f"{'met' if met else 'missed'}: {target}: {value:.2f}" for target, value, met in verdicts]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if all(met for *_, met in verdicts) else 1


if __name__ == "__main__":
    raise SystemExit(main())
