"""Whether a rehearsal predicts: each revision rehearsed on the last backup, beside the same revision in a real upgrade.

`python -m tests.benchmarks.rehearsal`. A table of 3,000,000 rows on a private server that waits for its disk; an index,
a change of type, a backfill. In turn: `db.rehearse`, and `db.upgrade` of a fresh copy of the database.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from app.migrations import programs, server
from tests.clones import OURS, copy_tree
from tests.migrations.chains import ask

ROWS = 3_000_000
LONG = 2.0
"""Seconds from which on a revision has to be predicted."""
LEAST, MOST = 0.7, 1.4
"""What the real upgrade may take, as parts of the rehearsed time."""
HEAD = "e5a72b8c9d0f"
FILL = """
CREATE TABLE readings (id bigint PRIMARY KEY, sensor int NOT NULL, value int NOT NULL, note text);
INSERT INTO readings SELECT g, g % 1000, g, 'reading number ' || g FROM generate_series(1, {rows}) g;
"""
REVISION = '''"""{title}"""

import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = "{parent}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''
MAKE = (
    "make readings",
    f'for each in """{FILL}""".split(";")[:-1]:\n        op.execute(each)',
    'op.drop_table("readings")',
)
PENDING = (
    ("index the notes", 'op.create_index("ix_readings_note", "readings", ["note", "sensor"])',
     'op.drop_index("ix_readings_note")'),
    ("widen the value", 'op.alter_column("readings", "value", type_=sa.BigInteger())',
     'op.alter_column("readings", "value", type_=sa.Integer())'),
    ("mark the notes", """op.execute("UPDATE readings SET note = note || '!'")""",
     """op.execute("UPDATE readings SET note = rtrim(note, '!')")"""),
)  # fmt: skip


class Pair(NamedTuple):
    """Seconds of one revision: rehearsed, and in the upgrade."""

    title: str
    rehearsed: float
    real: float


class Stage:
    """A copy of this repository whose dev database is a copy of `full`, which holds the rows."""

    def __init__(self, tree: Path, rows: int) -> None:
        self.tree = copy_tree(tree)
        self.environment = {name: value for name, value in os.environ.items() if name not in OURS}
        self.admin = server.maintenance_url(server.private_server(tree, programs.find_server_programs()))
        write(tree, 0, MAKE, rows)
        self.point_to("filled")
        self.inv("db.upgrade", "--no-verify")
        self.inv("db.backup")
        for number, step in enumerate(PENDING, 1):
            write(tree, number, step, rows)

    def point_to(self, name: str) -> None:
        (self.tree / ".env").write_text(f"DATABASE_URL=embedded:///{name}\nBACKUP_KEEP=1\n")

    def inv(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=self.tree,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1):
            raise SystemExit(f"{words} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def rehearsed(self) -> list[float]:
        """Rehearse on the backup; exit 1 is the plan's opinion of these revisions, which is not asked here."""
        self.point_to("filled")
        document = json.loads(self.inv("db.rehearse", "--json"))
        return [revision["ms"] / 1000 for revision in document["plan"]["revisions"]]

    def upgraded(self) -> list[float]:
        """Upgrade a fresh copy, and read from its journal how long each revision took."""
        ask(self.admin, "DROP DATABASE IF EXISTS copied WITH (FORCE)")
        ask(self.admin, "CREATE DATABASE copied TEMPLATE filled STRATEGY file_copy")
        self.point_to("copied")
        self.inv("env.claim", "--env=dev", "--recorded=dev")
        self.inv("db.upgrade", "--no-verify")
        document = json.loads(self.inv("db.journal", "--json"))
        rows = [entry for entry in document["entries"] if entry["action"] == "upgrade"][: len(PENDING)]
        return [entry["duration_ms"] / 1000 for entry in reversed(rows)]


def write(tree: Path, number: int, step: tuple[str, str, str], rows: int) -> None:
    """Write one revision on top of the one before."""
    title, up, down = step
    id_, parent = f"bench{number:07d}", f"bench{number - 1:07d}" if number else HEAD
    text = REVISION.format(title=title, id=id_, parent=parent, up=up.replace("{rows}", str(rows)), down=down)
    (tree / f"alembic/versions/{id_}_x.py").write_text(text)


def measure(folder: Path, rows: int, repeat: int) -> Iterator[Pair]:
    """Rehearse and upgrade `repeat` times, in turn, and return the medians."""
    stage = Stage(folder, rows)
    turns = [(stage.rehearsed(), stage.upgraded()) for _ in range(repeat)]
    for number, (title, _, _) in enumerate(PENDING):
        yield Pair(title, *(statistics.median(turn[road][number] for turn in turns) for road in (0, 1)))


def main() -> int:
    """Print the figures; 1 when a long revision was not predicted, or none was long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeat", type=int, default=5, help="how often each is run; the medians are compared")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        try:
            pairs = list(measure(Path(name) / "tree", given.rows, given.repeat))
        finally:
            server.stop_all(Path(name) / "tree")
    lines = [f"{'':24}{'rehearsed':>12}{'upgrade':>12}{'ratio':>10}"]
    lines += [
        f"{one.title:24}{one.rehearsed:>10.2f} s{one.real:>10.2f} s{one.real / one.rehearsed:>8.2f} x" for one in pairs
    ]
    long = [one for one in pairs if one.rehearsed > LONG or one.real > LONG]
    missed = [one.title for one in long if not LEAST <= one.real / one.rehearsed <= MOST]
    lines += [f"missed: {title} takes between {LEAST} and {MOST} of its rehearsed time" for title in missed]
    if not long:
        lines.append(f"missed: no revision took {LONG} s; more --rows")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if missed or not long else 0


if __name__ == "__main__":
    raise SystemExit(main())
