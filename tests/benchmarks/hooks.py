"""What the hooks cost beside `alembic heads`: whole processes on histories of 10 to 5,000 files, in turn, in one run.

`python -m tests.benchmarks.hooks`. The hooks are started as pre-commit starts them: with the options of their first
line. `alembic heads` has its compiled files, since the first round, which compiles everything, does not count.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.repositories import Repository, variables

ROOT = Path(__file__).resolve().parents[2]
SIZES = (10, 100, 1_000, 5_000)
MIDDLE = 1_000
FASTER = 8.0
"""On a history of MIDDLE files each hook takes at most 1 / FASTER as long as `alembic heads`."""
START = 0.040
"""On the smallest history it takes at most so many seconds more than `python -c pass`."""
LINEAR = 1.5
"""A file of the largest history costs at most so many times what one of the middle costs."""
NOTHING, HEADS = "python -c pass", "alembic heads"
FOLDER, INDEX, ONE = "check-history", "check-history --staged", "check-migrations on one file"
HOOKS = (FOLDER, INDEX, ONE)
REVISION = '''"""add column {number}

Revision ID: {id}
Revises: {parent}
Create Date: 2026-01-01 00:00:00.000000+00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "{id}"
down_revision: str | Sequence[str] | None = {named}
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("users", sa.Column("column_{number}", sa.Text(), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("users", "column_{number}")
'''


def history(folder: Path, size: int) -> Repository:
    """Write a line of revisions, commit it, and name the branch that counts as published."""
    made = Repository(folder)
    made.write("alembic.ini", "[alembic]\nscript_location = alembic\npath_separator = os\n")
    made.write("alembic/env.py", "")
    made.write(".gitignore", "__pycache__/\n")
    for number in range(size):
        id_, parent = _id(number), _id(number - 1) if number else ""
        text = REVISION.format(number=number, id=id_, parent=parent, named=f'"{parent}"' if parent else None)
        made.write(f"alembic/versions/{id_}_add_column_{number}.py", text)
    made.commit("begin")
    made.git("update-ref", "refs/remotes/origin/main", "HEAD")
    made.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    return made


def _id(number: int) -> str:
    return f"{(number + 1) * 2654435761 % 2**48:012x}"


def commands(made: Repository) -> dict[str, Sequence[str]]:
    """Return what is run, by what it is called."""
    last = max(made.folder.glob("alembic/versions/*.py"))
    hook = [sys.executable, "-I", "-S"]
    return {
        NOTHING: [sys.executable, "-c", "pass"],
        FOLDER: [*hook, str(ROOT / "scripts/check_history.py")],
        INDEX: [*hook, str(ROOT / "scripts/check_history.py"), "--staged"],
        ONE: [*hook, str(ROOT / "scripts/check_migrations.py"), "--staged", str(last.relative_to(made.folder))],
        HEADS: [sys.executable, "-m", "alembic", "heads"],
    }


def measure(made: Repository, repeat: int) -> dict[str, float]:
    """Return the median of each command in seconds, after a round that is not counted."""
    taken: dict[str, list[float]] = {}
    for turn in range(repeat + 1):
        for name, command in commands(made).items():
            seconds = _timed(command, made.folder)
            if turn:
                taken.setdefault(name, []).append(seconds)
    return {name: statistics.median(times) for name, times in taken.items()}


def _timed(command: Sequence[str], folder: Path) -> float:
    environment = {name: value for name, value in variables().items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - began


def missed(times: Mapping[int, Mapping[str, float]]) -> list[str]:
    """Return a line for each target that was not met."""
    small, middle, large = times[SIZES[0]], times[MIDDLE], times[SIZES[-1]]
    lines = []
    for name in HOOKS:
        faster, extra = middle[HEADS] / middle[name], small[name] - small[NOTHING]
        if faster < FASTER:
            lines.append(f"{name}: {FASTER:.0f} times faster than alembic heads at {MIDDLE} files: {faster:.1f} times")
        if extra > START:
            wanted = f"{START * 1000:.0f} ms more than python -c pass at {SIZES[0]} files"
            lines.append(f"{name}: at most {wanted}: {extra * 1000:.0f} ms")
    for name in (FOLDER, INDEX):
        first = (middle[name] - small[name]) / (MIDDLE - SIZES[0])
        later = (large[name] - middle[name]) / (SIZES[-1] - MIDDLE)
        if later > LINEAR * first:
            lines.append(f"{name}: linear: a file costs {later * 1e6:.0f} us at the end, {first * 1e6:.0f} us before")
    return [f"missed: {line}" for line in lines]


def main() -> int:
    """Measure, print the figures; 1 when a target is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=11, help="how often each is run")
    given = parser.parse_args()
    times: dict[int, dict[str, float]] = {}
    lines = [f"{'milliseconds, median':32}" + "".join(f"{size:>9,}" for size in SIZES)]
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            times[size] = measure(history(Path(os.path.realpath(folder)) / str(size), size), given.repeat)
    for name in (NOTHING, *HOOKS, HEADS):
        lines.append(f"{name:32}" + "".join(f"{times[size][name] * 1000:9.1f}" for size in SIZES))
    for name in HOOKS:
        ratios = "".join(f"{times[size][HEADS] / times[size][name]:9.1f}" for size in SIZES)
        lines.append(f"{f'times faster: {name}':32}"[:43].ljust(32) + ratios)
    lines += missed(times)
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if missed(times) else 0


if __name__ == "__main__":
    raise SystemExit(main())
