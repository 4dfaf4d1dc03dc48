"""What `inv db.verify` costs beside `alembic check`, and what each of them finds.

`python -m tests.benchmarks.verify`. Costs: whole processes on one database of 300 tables at the head, in turn. What is
found: each planted difference of the tests, on a database of the rich schema, with models that are that very schema.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, create_engine
from sqlalchemy.pool import NullPool

from app.migrations import drift, expected, inspection, journal, scratch, server
from app.migrations.build_inputs import Inputs
from app.migrations.drift import Drift
from tests.clones import OURS, build_head, copy_tree
from tests.migrations import rich_schema
from tests.migrations.chains import ROOT
from tests.migrations.projects import Project
from tests.migrations.test_inspection_differences import Planted, planted

TABLES, COLUMNS = 300, 12
SHARE = 1.0
"""A warm db.verify takes at most so many times as long as `alembic check`."""
LEAST = 40
"""Kinds of planted differences."""
REVISION = '''"""generated"""

import sqlalchemy as sa
from alembic import op

revision = "bench0000001"
down_revision = "e5a72b8c9d0f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for number in range({tables}):
        op.create_table(
            f"bench_{{number}}",
            sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
            *(sa.Column(f"column_{{n}}", sa.Text(), server_default="x", nullable=False) for n in range({columns})),
            sa.Column("user_id", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=f"pk_bench_{{number}}"),
            sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_bench_{{number}}_user_id_users"),
        )
        op.create_index(f"ix_bench_{{number}}_user_id", f"bench_{{number}}", ["user_id"])


def downgrade() -> None:
    for number in range({tables}):
        op.drop_table(f"bench_{{number}}")
'''
MODELS = '''"""Generated."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Table, Text

from app.core.database import Base

for number in range({tables}):
    Table(
        f"bench_{{number}}",
        Base.metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        *(Column(f"column_{{n}}", Text, server_default="x", nullable=False) for n in range({columns})),
        Column("user_id", ForeignKey("users.id"), nullable=False),
        Index(None, "user_id"),
    )
'''


class Times(NamedTuple):
    """Medians, in seconds."""

    check: float
    cold: float
    warm: float


class Seen(NamedTuple):
    """Who has found one planted difference; a note of db.verify, on rights that no history sets, counts as found."""

    name: str
    by_check: bool
    by_verify: str


def measure(folder: Path, admin: str, repeat: int) -> Times:
    """Measure on a database that is at the head of a generated history."""
    clone = copy_tree(folder / "clone")
    (clone / "alembic/versions/bench0000001_generated.py").write_text(REVISION.format(tables=TABLES, columns=COLUMNS))
    (clone / "app/models/generated.py").write_text(MODELS.format(tables=TABLES, columns=COLUMNS))
    with scratch.database(admin) as url:
        build_head(clone, url)
        usual = {name: value for name, value in os.environ.items() if name not in OURS}
        environment = {**usual, "DATABASE_URL": url, "SCRATCH_URL": admin, "APP_ENV": "docker"}

        def timed(*words: str) -> float:
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", *words], cwd=clone, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
            return time.perf_counter() - began

        taken = list(_rounds(clone, timed, repeat))
    return Times(*(statistics.median(times) for times in zip(*taken, strict=True)))


def _rounds(clone: Path, timed: Callable[..., float], repeat: int) -> Iterator[tuple[float, float, float]]:
    for turn in range(repeat + 1):
        shutil.rmtree(clone / server.FOLDER / "expected", ignore_errors=True)
        times = timed("alembic", "check"), timed("invoke", "db.verify"), timed("invoke", "db.verify")
        if turn:  # the first compiles the modules
            yield times


def compare(folder: Path, admin: str, major: int) -> Iterator[Seen]:
    """Plant each difference, ask both, and take it back."""
    project = Project(folder / "rich")
    project.revision("one", rich_schema.SOURCE + "\nSET check_function_bodies = on")
    with scratch.database(admin, rich_schema.template(admin)) as url:
        engine = create_engine(url, poolclass=NullPool)
        found, wanted = expected.gather(project.target(url, admin), engine, Inputs(project.folder))
        build = expected.find(wanted, ("one",)).build
        models = MetaData()
        with engine.connect() as connection:
            models.reflect(connection)
        for case in planted():
            if major >= case.since:
                with engine.connect() as connection:
                    before = _checked(connection, models)
                    connection.exec_driver_sql(case.statements.replace("%", "%%"))
                    after = found._replace(catalog=inspection.read(connection))
                    yield _seen(case, _checked(connection, models) != before, drift.compare(build, after))
                    connection.rollback()


def _checked(connection: Connection, models: MetaData) -> str:
    """Ask Alembic as alembic/env.py has it asked."""
    options = {"compare_server_default": True, "include_name": journal.is_schema}
    return str(compare_metadata(MigrationContext.configure(connection, opts=options), models))


def _seen(case: Planted, by_check: bool, told: Drift) -> Seen:
    return Seen(case.name, by_check, "found" if told.differences else "noted" if told.notes else "missed")


def main() -> int:
    """Measure and compare on the private scratch server, print the figures; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="how often each is run")
    parser.add_argument("--pg", type=int, default=18, choices=(16, 18))
    given = parser.parse_args()
    admin = scratch.admin_url(ROOT, scratch.EMBEDDED, major=given.pg)
    warnings.simplefilter("ignore")  # of what SQLAlchemy cannot reflect
    with tempfile.TemporaryDirectory() as folder:
        times = measure(Path(folder), admin, given.repeat)
        seen = list(compare(Path(folder), admin, given.pg))
    lines = [f"{'planted difference':60}{'alembic check':>14}{'db.verify':>11}"]
    lines += [f"{one.name:60}{'found' if one.by_check else '-':>14}{one.by_verify:>11}" for one in seen]
    checked, missed = sum(one.by_check for one in seen), [one.name for one in seen if one.by_verify == "missed"]
    lines.append(f"{f'{len(seen)} planted differences':60}{checked:>14}{len(seen) - len(missed):>11}")
    lines.append(f"{TABLES} tables: alembic check {times.check:.2f} s, db.verify cold {times.cold:.2f} s")
    lines.append(f"{TABLES} tables: db.verify warm {times.warm:.2f} s, {times.warm / times.check:.2f} x alembic check")
    lines += [f"missed: every planted difference is found: not {name}" for name in missed]
    lines += [f"missed: at least {LEAST} kinds are planted"] if len(seen) < LEAST else []
    slow = times.warm > SHARE * times.check
    lines += [f"missed: a warm db.verify takes at most {SHARE} times as long as alembic check"] if slow else []
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if missed or slow or len(seen) < LEAST else 0


if __name__ == "__main__":
    raise SystemExit(main())
