"""Restores a backup: into a new database, compared with its manifest, then in the place of the target. Drops no target.

Until the two renames, which are one transaction, the target is not touched: whatever fails, or is killed, before that
leaves it as it was, and after that it is there under another name.
"""

from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Engine

from app.migrations import (
    archives,
    database_names,
    maintenance,
    restore_build,
    restore_plan,
    restore_survey,
    takeover,
)
from app.migrations.archives import Archive
from app.migrations.backup import UNNAMED, workers
from app.migrations.dump_progress import Advance
from app.migrations.restore_build import Content, Database
from app.migrations.restore_plan import Request, Situation
from app.migrations.restoring import NotRestored
from app.migrations.swap import Exchange
from app.migrations.takeover import Hold
from app.migrations.targets import Target


class Road(NamedTuple):
    """What a restore works with: `announce` hears one line, `advance` of pg_restore's progress."""

    root: Path
    target: Target
    engine: Engine
    announce: Callable[[str], None]
    advance: Advance | None = None


class Outcome(NamedTuple):
    """What was reached: `kept` is "" where nothing was replaced, `kept_size` in bytes; `left_out` of a part."""

    name: str
    oid: int
    rows: int
    tables: int
    kept: str = ""
    kept_size: int | None = None
    left_out: tuple[str, ...] = ()


def gather(road: Road, request: Request) -> Situation:
    """Check the backup's hashes, then read the server and the target; what killed restores left is dropped first.

    Raises ConfigurationError, Refused (a damaged backup, before anything is connected to) or Unreachable.
    """
    environment = road.target.environment
    folder = archives.resolve_dir(road.root, environment.backup_dir)
    archive = archives.find(folder, environment.name or UNNAMED, request.backup)
    restore_plan.refuse_damaged(archive, [archive.fault] if archive.manifest is None else archives.check(archive))
    active = restore_survey.name_of(road.target, road.engine)
    place = road.target.place
    with maintenance.explained(place), closing(maintenance.connect(road.target.url, active, place)) as admin:
        for name in maintenance.mend(admin, request.into or active):
            road.announce(f'dropped "{name}", which a killed restore had left half built')
        return _situation(road, request, archive, admin, active)


def run(road: Road, situation: Situation) -> Outcome:
    """Do what was decided; looks and decides once more under the locks. Takes the target's migration lock.

    Nothing deletes the backup meanwhile.

    Raises Refused, with the target as it was and the new database dropped, for whatever goes wrong before the
    renames; MigrationFailed where the connection was lost during them and nobody can be asked how they ended.
    """
    target, request = road.target, situation.request
    hold = Hold(road.engine, target, road.announce)
    with ExitStack() as stack, maintenance.explained(target.place):
        stack.enter_context(archives.reading(situation.archive.folder))
        active = restore_survey.name_of(target, road.engine)
        admin = stack.enter_context(closing(maintenance.connect(target.url, active, target.place)))
        stack.enter_context(maintenance.alone(admin, situation.name, target.place))
        if situation.found is not None:
            stack.callback(hold.leave)
            hold.take()
        now = _situation(road, request, situation.archive, admin, active, hold.pid)
        restore_plan.decide(now)
        built, content = _filled(road, now, admin, stack)
        old = now.found.oid if now.found else None
        change = Exchange(now.name, old, built.name, built.oid, _free_name(now) if old else "")
        if not request.into:
            takeover.become_original(road.root, now, built, change.kept)
        takeover.take_over(now, hold, admin, change)
        size = restore_survey.size(admin, old) if old else None
        rows, tables = sum(content.rows.values()), len(content.rows)
        return Outcome(now.name, built.oid, rows, tables, change.kept, size, content.left_out)


def _filled(road: Road, situation: Situation, admin: RawConnection, stack: ExitStack) -> tuple[Database, Content]:
    """Restore into a new database; where workers of pg_restore met in a deadlock, once more with one."""
    jobs = workers(situation.target.environment)
    attempt = stack.enter_context(ExitStack())
    built = attempt.enter_context(restore_build.database(situation, admin))
    try:
        return built, restore_build.fill(situation, built, jobs, road.advance)
    except NotRestored:
        attempt.close()
    built = stack.enter_context(restore_build.database(situation, admin))
    return built, restore_build.fill(situation, built, 1, road.advance)


def _situation(  # noqa: PLR0913, PLR0917 -- what it gathers comes from all of them
    road: Road, request: Request, archive: Archive, admin: RawConnection, active: str, ours: int = 0
) -> Situation:
    found = None
    if not request.into:
        found = restore_survey.found(admin, road.engine, road.target, active, road.root)
    if found is not None and ours:
        found = found._replace(sessions=tuple(one for one in found.sessions if one.pid != ours))
    name, taken = request.into or active, restore_survey.databases(admin)
    return Situation(road.target, request, archive, name, taken, restore_survey.server(admin), found)


def _free_name(situation: Situation) -> str:
    """Return the name under which the old database is kept: that of this second, or of the next that is not taken."""
    at = datetime.now(UTC)
    while (name := database_names.kept(situation.name, at)) in situation.taken:
        at += timedelta(seconds=1)
    return name
