"""An upgrade that is killed after each of its statements, in six ways: where it stops, what it says, how it goes on.

What dies is the process, its server process, the whole server or the network between them. One test goes through all
statements of an upgrade of five revisions, on several databases at a time: a server dies once for all of them.
"""

import re
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from typing import NamedTuple

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import runner, server, status
from app.migrations.programs import find_server_programs
from app.migrations.startup import Server
from app.migrations.status import State
from tests import halts
from tests.clones import Clone, Done, copy_tree
from tests.halts import Stopped
from tests.kills import WAYS, Site, Slot, Way, kill_processes
from tests.migrations.chains import ask
from tests.proxy import proxy
from tests.roads import target
from tests.stands import Schema, Stand, stand
from tests.warm import warm

pytestmark = pytest.mark.slow

AT_ONCE = 16
"""Databases on which an upgrade is killed at the same time."""
UPGRADE = ("inv", "db.upgrade")
FIRST, HALF, LAST = "c3bee0e2b93b", "3c0000000004", "3c0000000005"
HISTORY = [FIRST, "3c0000000002", "3c0000000003", HALF, LAST]
BODIES = {
    HISTORY[1]: ('op.execute("CREATE TABLE one (id int)")', 'op.execute("CREATE TABLE two (id int)")'),
    HISTORY[2]: ('op.execute("ALTER TABLE one ADD COLUMN name text")',),
    HALF: (
        'op.execute("ALTER TABLE two ADD COLUMN phone text")',
        "with op.get_context().autocommit_block():",
        '    op.execute("CREATE INDEX CONCURRENTLY ix_two_phone ON two (phone)")',
        "op.execute(\"COMMENT ON COLUMN two.phone IS 'E.164'\")",
    ),
    LAST: ('op.execute("CREATE TABLE three (id int)")',),
}
DONE = [(revision, "upgrade") for revision in HISTORY]
UNDO = {
    "CREATE INDEX CONCURRENTLY ix_two_phone ON two (phone)": "DROP INDEX IF EXISTS ix_two_phone",
    "ALTER TABLE two ADD COLUMN phone text": "ALTER TABLE two DROP COLUMN IF EXISTS phone",
}
"""What a person does by hand about each statement that a message lists."""
IN_DOUBT = "could not be read"
UNLOCK = "pg_advisory_unlock"
"""Nobody has to hear that it failed: a lock whose session is gone is given back already."""


class Point(NamedTuple):
    """One kill: the number of the statement it came after, where it came, and how the command ended."""

    number: int
    slot: Slot
    stopped: Stopped
    done: Done

    @property
    def named(self) -> str:
        return f"after statement {self.number}, {self.stopped.statement[:60]}: {self.done}"


@pytest.fixture(scope="module")
def own(pg: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of these tests alone. It does not wait for the disk, but writes each commit before it answers."""
    place = tmp_path_factory.mktemp("own")
    private = server.private_server(place, find_server_programs(major=pg))
    url = server.maintenance_url(private._replace(durable=False))
    ask(url, "ALTER SYSTEM SET fsync = off")
    server.stop(private)
    yield private
    server.stop_all(place)


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory, scratch_admin: str) -> Clone:
    """A clone with five short revisions, the fourth of which is not atomic and cannot be repeated."""
    clone = Clone(copy_tree(tmp_path_factory.mktemp("five") / "clone"))
    clone.environment |= {"APP_ENV": "docker", "SCRATCH_URL": scratch_admin}
    for file in clone.versions.glob("*.py"):
        if not file.name.startswith(FIRST):
            file.unlink()
    for parent, revision in pairwise(HISTORY):
        body = "\n    ".join(BODIES[revision])
        clone.write_revision(revision, parent, f"def upgrade():\n    {body}\n\n\ndef downgrade():\n    pass")
    return halts.prepare(clone)


@pytest.fixture(scope="module")
def shared(own: Server, five: Clone) -> Iterator[Site]:
    with ExitStack() as opened:
        slots = []
        for number in range(AT_ONCE):
            url = server.open_database(own, f"db_{number}")
            standing, remote = opened.enter_context(proxy(url))
            slots.append(Slot(url, remote, standing, opened.enter_context(halts.halts())))
        clone = opened.enter_context(warm(five, slots[0].url))
        emptied(slots[0])
        schemas = dict(grown(clone, slots[0]))
        emptied(slots[0])
        yield Site(own, clone, slots, runner.history(clone.folder), course(clone, slots[0]), schemas)


@pytest.fixture
def site(shared: Site) -> Iterator[Site]:
    """The site as each test finds it: served, and without commands that another has left where they had stopped."""
    yield shared
    server.maintenance_url(shared.server)
    for slot in shared.slots:
        slot.halting.abandon()


def emptied(slot: Slot) -> None:
    ask(slot.url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def grown(clone: Clone, slot: Slot) -> Iterator[tuple[str, Schema]]:
    """What each revision makes."""
    yield "", []
    for revision in HISTORY:
        clone.inv("db.upgrade", f"--to={revision}", DATABASE_URL=slot.url)
        yield revision, stand(slot.url).schema


def course(clone: Clone, slot: Slot) -> list[Stopped]:
    """The statements of an undisturbed upgrade, each with its session."""
    running = slot.halting.start(clone, *UPGRADE, DATABASE_URL=slot.url, HALT_EACH="1")
    stops = []
    while (stopped := slot.halting.stopped()) is not None:
        stops.append(stopped)
        slot.halting.go()
    assert running.result().code == 0, running.result()
    emptied(slot)
    return stops


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_after_each_statement_an_upgrade_survives(way: Way, site: Site) -> None:
    numbers = range(1, len(site.course) + 1)
    for first in range(0, len(numbers), AT_ONCE):
        points = killed(site, way, numbers[first : first + AT_ONCE])
        stands = [stand(point.slot.url) for point in points]
        check_status(site, points, stands)
        for point, reached in zip(points, stands, strict=True):
            rest = [one for one in site.course[point.number :] if UNLOCK not in one.statement]
            check_end(point, reached, way, way.breaks(site.course[: point.number], rest))
            check_stand(site, point, reached)
            check_said(site, point, reached)
            cure(site, point, reached)
        check_next_run(site, *worth_a_run(way, points, stands))


def killed(site: Site, way: Way, numbers: Sequence[int]) -> list[Point]:
    """Upgrade one database for each of `numbers`, kill when each has run so many statements, wait for their ends."""
    slots = site.slots[: len(numbers)]
    for slot in slots:
        emptied(slot)
    running = [
        slot.halting.start(site.clone, *UPGRADE, after=number, DATABASE_URL=slot.remote if way.by_network else slot.url)
        for slot, number in zip(slots, numbers, strict=True)
    ]
    stops = [(slot, stopped) for slot in slots if (stopped := slot.halting.stopped()) is not None]
    assert len(stops) == len(numbers), [future.result() for future in running if future.done()]
    way.kill(site, stops)
    for slot in slots:
        slot.halting.go()
    assert [slot.halting.stopped() for slot in slots] == [None] * len(slots)
    if not way.leaves_a_server:
        server.maintenance_url(site.server)
    ends = [future.result() for future in running]
    return [Point(number, slot, stop, end) for number, (slot, stop), end in zip(numbers, stops, ends, strict=True)]


def check_end(point: Point, reached: Stand, way: Way, breaks: bool) -> None:
    """A command that was disturbed says so; one that says nothing has done everything."""
    if way.kill is kill_processes:
        assert point.done.code == -signal.SIGKILL, point.named
        return
    assert point.done.code in ((4, 5) if breaks else (0,)), point.named
    assert "Traceback" not in point.done.err, point.named
    assert point.done.code or (reached.revision, reached.begun) == (LAST, []), point.named


def check_status(site: Site, points: Sequence[Point], stands: Sequence[Stand]) -> None:
    """db.status names where each database stands; those that stand alike are read once."""
    unlike = {str(reached): (point, reached) for point, reached in zip(points, stands, strict=True)}
    for point, reached in unlike.values():
        engine = create_engine(point.slot.url, poolclass=NullPool)
        said = status.read(engine, site.script, target(point.slot.url), site.clone.folder).standing
        ends = {"": State.EMPTY, LAST: State.AT_HEAD}
        expected = State.HALF_APPLIED if reached.begun else ends.get(reached.revision, State.BEHIND)
        assert (said.state, list(said.half_applied)) == (expected, reached.begun), point.named


def check_stand(site: Site, point: Point, reached: Stand) -> None:
    """The database is at the end of a revision, or inside the one that is not atomic."""
    if not reached.begun:
        assert reached.schema == site.schemas[reached.revision], point.named
        return
    before, after = ({row[:3] for row in site.schemas[revision]} for revision in (HISTORY[2], HALF))
    assert (reached.revision, reached.begun) == (HISTORY[2], [HALF]), point.named
    assert before <= {row[:3] for row in reached.schema} <= after, point.named


def check_said(site: Site, point: Point, reached: Stand) -> None:
    """What the message says of the database is so."""
    code, said = point.done.code, point.done.err
    if code == 4 and "error: every step was applied and verified" in said:
        assert reached.revision == LAST, point.named
    elif code == 4:
        assert re.search("nothing was changed|cannot be reached|the connection was lost", said), point.named
        assert (reached.revision, reached.schema) == ("", []), point.named
    if code not in {4, 5}:
        return
    assert said.count("error: ") == 1, point.named
    assert "  next: " in said, point.named
    for at in re.findall(r"(?:the database is|it is) at (\w+)", said):
        assert at == (reached.revision or "base"), point.named
    if "is half applied" in said:
        assert reached.begun == [HALF], point.named
    if kept := re.search(r"nothing of (\w+) was kept", said):
        assert reached.schema == site.schemas[reached.revision], point.named
        assert kept[1] not in HISTORY[: HISTORY.index(reached.revision) + 1 if reached.revision else 0], point.named


def cure(site: Site, point: Point, reached: Stand) -> None:
    """Do by hand what the message says; a command that was killed could say nothing, so all of it."""
    if not reached.begun:
        return
    said = point.done.err
    silent = point.done.code < 0 or IN_DOUBT in said
    for statement, undone in UNDO.items():
        if silent or f": {statement}" in said:
            ask(point.slot.url, undone)
    assert stand(point.slot.url).schema == site.schemas[HISTORY[2]], point.named


def worth_a_run(way: Way, points: Sequence[Point], stands: Sequence[Stand]) -> tuple[list[Point], list[Stand]]:
    """Leave out all but one of those that stand alike, where no session is left that could make a difference.

    Where sessions may be left, that is done only for databases in which nothing is at all, or everything.
    """
    chosen = {}
    for point, reached in zip(points, stands, strict=True):
        is_plain = not reached.objects or reached.journal == DONE
        chosen[str(reached) if way.ends_all_sessions or is_plain else str(point.number)] = point, reached
    return [point for point, _ in chosen.values()], [reached for _, reached in chosen.values()]


def check_next_run(site: Site, points: Sequence[Point], stands: Sequence[Stand]) -> None:
    """The same command again goes on from there; every revision was applied once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(lambda point: site.clone.inv("db.upgrade", ok=False, DATABASE_URL=point.slot.url), points))
    for point, end, before in zip(points, ends, stands, strict=True):
        named = f"{point.named}\nthen {end}"
        assert end.code == 0, named
        now = stand(point.slot.url)
        assert (now.revision, now.schema, now.begun) == (LAST, site.schemas[LAST], []), named
        assert [revision for revision, action in now.journal if action == "upgrade"] == HISTORY, named
        others = {(revision, action) for revision, action in now.journal if action != "upgrade"}
        at_work = HISTORY[HISTORY.index(before.revision) + 1 if before.revision else 0 :][:1]
        assert others <= {(revision, action) for revision in at_work for action in ("failed", "abandoned")}, named
