"""What `inv db.upgrade` costs over plain `alembic upgrade head` when nothing is in the way.

Whole processes on empty databases of one server, in turn: `python -m tests.benchmarks.overhead`. Lock, journal,
identity and version check are included; BACKUP=never; compiled modules are cached, as in any second run. The closing
verification is left out of the comparison and timed apart, with the schema of the history remembered.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from app.migrations import scratch, server
from tests.clones import OURS, copy_tree
from tests.migrations.chains import PLAIN_ENV, ROOT

UNCACHED = "PYTHONDONTWRITEBYTECODE"
FEW, MANY = 50, 500
"""Pending revisions; the slope between the two is what one revision costs."""
ADDED_SECONDS, SLOPE = 0.3, 1.25
REVISION = '''"""{doc}"""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {parent!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''
CREATE = (
    'op.create_table("{table}", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("name", sa.Text))',
    'op.drop_table("{table}")',
)
ADD = ('op.add_column("{table}", sa.Column("{column}", sa.Integer))', 'op.drop_column("{table}", "{column}")')
TABLE_EVERY = 5
"""One revision in so many creates a table, those after it add a column each."""


class Road(NamedTuple):
    """One way to upgrade: a folder, a command in it, and what tells it the database."""

    name: str
    folder: Path
    command: tuple[str, ...]
    point: Callable[[Path, str], dict[str, str]]


class Slope(NamedTuple):
    """Seconds for FEW revisions, for MANY, and for each one between the two."""

    name: str
    few: float
    many: float

    @property
    def each(self) -> float:
        return (self.many - self.few) / (MANY - FEW)


def write_history(folder: Path, count: int) -> None:
    """Write `count` plain revisions into `folder`, one after the other."""
    parent = None
    for number in range(count):
        table, place = divmod(number, TABLE_EVERY)
        names = {"table": f"items_{table}", "column": f"added_{place}"}
        up, down = (part.format(**names) for part in (ADD if place else CREATE))
        revision = f"{number:012x}"
        text = REVISION.format(doc=f"step {number}", revision=revision, parent=parent, up=up, down=down)
        (folder / f"{revision}_step.py").write_text(text)
        parent = revision


def plain(folder: Path, count: int) -> Road:
    """Alembic with an env.py that connects and runs, one transaction for each revision as ours."""
    (folder / "chain/versions").mkdir(parents=True)
    (folder / "chain/env.py").write_text(PLAIN_ENV)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = chain\npath_separator = os\n")
    write_history(folder / "chain/versions", count)
    return Road("plain alembic", folder, ("alembic", "upgrade", "head"), lambda _, url: {"TEST_URL": url})


def ours(folder: Path, count: int) -> Road:
    """A copy of this repository, with the same history and a commit, so that git has something to say."""
    copy_tree(folder)
    for path in (folder / "alembic/versions").glob("*.py"):
        path.unlink()
    write_history(folder / "alembic/versions", count)
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
    for words in (("init", "--quiet"), ("add", "--all"), (*who, "commit", "--quiet", "--message=history")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return Road("inv db.upgrade", folder, ("invoke", "db.upgrade", "--no-verify"), _name_in_dotenv)


def _name_in_dotenv(folder: Path, url: str) -> dict[str, str]:
    (folder / ".env").write_text(f"DATABASE_URL={url}\n")
    return {}


def seconds(road: Road, admin: str) -> float:
    """Run the road once, on an empty database."""
    with scratch.database(admin) as url:
        environment = {name: value for name, value in os.environ.items() if name not in (*OURS, UNCACHED)}
        environment |= road.point(road.folder, url)
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", *road.command],
            cwd=road.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.monotonic() - began
    if done.returncode:
        raise SystemExit(f"{road.name} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return took


def measure(folder: Path, admin: str, repeat: int) -> Iterator[Slope]:
    """Run each road with each history `repeat` times, in turn, after a first time that does not count."""
    roads = [make(folder / f"{make.__name__}{count}", count) for make in (plain, ours) for count in (FEW, MANY)]
    taken: list[list[float]] = [[] for _ in roads]
    for turn in range(repeat + 1):
        for times, road in zip(taken, roads, strict=True):
            took = seconds(road, admin)
            if turn:
                times.append(took)
    medians = [statistics.median(times) for times in taken]
    for at in (0, 2):
        yield Slope(roads[at].name, medians[at], medians[at + 1])


def verification(folder: Path, admin: str, repeat: int) -> float:
    """Return the seconds that the closing verification adds to FEW revisions, warm; its cold run does not count."""
    bare = ours(folder / "verified", FEW)
    whole = bare._replace(command=bare.command[:-1])
    seconds(whole, admin)
    added = [seconds(whole, admin) - seconds(bare, admin) for _ in range(repeat)]
    server.stop_all(bare.folder)
    return statistics.median(added)


def judge(base: Slope, found: Slope) -> list[str]:
    """Compare with what is promised; returns what was missed."""
    promises = (
        (f"{FEW} revisions take at most {ADDED_SECONDS} s longer", found.few - base.few <= ADDED_SECONDS),
        (f"each revision takes at most {SLOPE} times as long", found.each <= SLOPE * base.each),
    )
    return [promise for promise, kept in promises if not kept]


def main() -> int:
    """Measure on the private scratch server, print the figures; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=7, help="how often each is run")
    parser.add_argument("--pg", type=int, default=18, choices=(16, 18))
    given = parser.parse_args()
    admin = scratch.admin_url(ROOT, scratch.EMBEDDED, major=given.pg)
    with tempfile.TemporaryDirectory() as folder:
        base, found = measure(Path(folder), admin, given.repeat)
        verified = verification(Path(folder), admin, given.repeat)
    lines = [f"{'':22}{f'{FEW} pending':>14}{f'{MANY} pending':>14}{'each':>12}"]
    lines += [f"{one.name:22}{one.few:>12.2f} s{one.many:>12.2f} s{one.each * 1000:>9.2f} ms" for one in (base, found)]
    lines.append(f"{'':22}{found.few - base.few:>+12.2f} s{'':14}{found.each / base.each:>10.2f} x")
    lines.append(f"the closing verification, warm: {verified:+.2f} s")
    missed = judge(base, found)
    lines += [f"missed: {promise}" for promise in missed]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
