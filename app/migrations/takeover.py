"""Gives the name of a database to the one that was built beside it, under the migration lock of the old one."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection, Engine, text

from app.migrations import contents, guard, journal, maintenance, ownership, provenance, raw, restore_survey, swap
from app.migrations.advisory import SERVER_PID
from app.migrations.blockers import spoken
from app.migrations.errors import MigrationError, MigrationFailed, Refused
from app.migrations.journal import Row
from app.migrations.locking import Caller, exclusive
from app.migrations.manifest import DatabaseSettings
from app.migrations.restore_build import Database, dressing
from app.migrations.restore_plan import Situation
from app.migrations.swap import Exchange, Hands, InTheWayError
from app.migrations.targets import Target

RESTORED = "restored"
"""The action of the journal's row."""
SAY_AGAIN = 30.0
"""Seconds after which it is said again who is in the way."""
NOTHING = "nothing was changed, and the new database was dropped"


class Hold:
    """The migration lock of the target, whose session is the last to leave the old database."""

    def __init__(self, engine: Engine, target: Target, announce: Callable[[str], None]) -> None:
        self.engine = engine
        self.target = target
        self.announce = announce
        self.stack = ExitStack()
        self.connection: Connection | None = None
        self.pid = 0
        self.settings: DatabaseSettings | None = None

    def take(self) -> None:
        """Wait for other migrations, at most UPGRADE_WAIT; nothing where the lock is held already."""
        if self.connection is None:
            environment = self.target.environment
            name = f"{guard.FAMILY}/{environment.name or 'url'}/restore"
            caller = Caller(self.target.place, name, self.announce)
            self.connection = self.stack.enter_context(exclusive(self.engine, environment.upgrade_wait, caller))
            self.pid = int(self.connection.info[SERVER_PID])

    def leave(self) -> None:
        """Read for the last time what the old database has and a dump does not hold; give the lock back."""
        if self.connection is not None:
            try:
                self.settings = contents.settings(self.connection)
            finally:
                self.connection, self.pid = None, 0
                self.stack.close()


def become_original(root: Path, situation: Situation, built: Database, kept: str) -> None:
    """Record in the new database that it is the environment's, and add the row `restored` to its journal.

    It counts from the moment on when the database has its name: until then the name says that it is not in use.
    """
    environment, archive = situation.target.environment, situation.archive
    with built.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as side:
        _find_like_the_old(side, situation)
        seen = ownership.examine(side)
        if seen.schema is None:
            raise ownership.no_schema(situation.target)
        journal.create(side, seen.schema)
        side.exec_driver_sql("BEGIN")
        if environment.name:
            facts = seen.facts._replace(database=situation.name)
            journal.record_identity(side, seen.schema, environment.name, environment.protected, facts)
        detail = {"backup": archive.name, "kept": kept or None}
        row = Row(", ".join(archive.readable().revisions) or "base", RESTORED, detail=detail)
        journal.add(side, seen.schema, provenance.actor(root, environment.name or None, guard.ASKED), row)
        side.exec_driver_sql("COMMIT")


def _find_like_the_old(side: Connection, situation: Situation) -> None:
    """Set the search_path that the database will have: the tables of ours stand where it leads."""
    settings = situation.found.settings if situation.found else situation.archive.readable().settings
    paths = {one.role: one.value for one in settings.settings if one.name == "search_path"}
    path = paths.get(situation.server.user, paths.get(None))
    if path is not None:
        side.execute(text("SELECT set_config('search_path', :path, false)"), {"path": path})


def take_over(situation: Situation, hold: Hold, admin: RawConnection, change: Exchange) -> None:
    """Rename both, as soon as nobody is in the old one: waits LOCK_RETRY_FOR at most, and says for whom.

    Raises Refused when the time is over or the server says no, with nothing renamed.
    """
    place, patience = situation.target.place, situation.target.environment.lock_retry_for.total_seconds()
    deadline = time.monotonic() + patience
    hands = Hands(lambda mover: _dress(mover, situation, change, hold), hold.leave, situation.request.terminate)
    while True:
        if change.oid is not None:
            hold.take()
            if not situation.request.terminate:
                _await_quiet(situation, hold, admin, change.oid, deadline)
        try:
            _exchange(situation, admin, change, hands)
            return
        except InTheWayError as error:
            if time.monotonic() > deadline:
                raise Refused(
                    f"{place.described}: sessions stayed in the way for {spoken(patience)}: {error}; {NOTHING}",
                    "stop what uses the database, then the same command",
                ) from error
        except psycopg2.Error as error:
            said = str(error).strip().splitlines()[0]
            raise Refused(f"{place.described}: {said}; {NOTHING}", f"correct that, or {situation.again}") from error


def _dress(mover: RawConnection, situation: Situation, change: Exchange, hold: Hold) -> None:
    for statement in dressing(situation, change.built, hold.settings):
        raw.execute(mover, statement)


def _await_quiet(situation: Situation, hold: Hold, admin: RawConnection, oid: int, deadline: float) -> None:
    """Wait until nobody but us is in the old database. New sessions are let in meanwhile."""
    place, due = situation.target.place, 0.0
    while others := restore_survey.staying(admin, oid, hold.pid):
        who = "; ".join(one.described for one in others[:3]) + (f" and {len(others) - 3} more" if others[3:] else "")
        left = deadline - time.monotonic()
        if left <= 0:
            raise Refused(
                f"{place.described} was still in use when the new database was ready: {who}; {NOTHING}",
                "stop what uses it and repeat the command, or the same command with --terminate",
            )
        if time.monotonic() >= due:
            hold.announce(f"the new database is ready and waits for: {who}; given {spoken(left)} more, then dropped")
            due = time.monotonic() + SAY_AGAIN


def _exchange(situation: Situation, admin: RawConnection, change: Exchange, hands: Hands) -> None:
    """Rename; where the connection is lost meanwhile, ask over another one how it ended."""
    target = situation.target
    with closing(maintenance.connect(target.url, situation.name, target.place)) as mover:
        try:
            swap.exchange(mover, admin, change, hands)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            if not mover.closed:
                raise
            if not _ended_well(situation, mover.info.backend_pid, change):
                raise


def _ended_well(situation: Situation, process: int, change: Exchange) -> bool:
    target = situation.target
    try:
        with closing(maintenance.connect(target.url, situation.name, target.place)) as fresh:
            while raw.value(fresh, "SELECT count(*) FROM pg_stat_activity WHERE pid = %s", process):
                time.sleep(swap.LOOK)
            return maintenance.name_of(fresh, change.built_oid) == change.target
    except (MigrationError, psycopg2.Error) as error:
        raise MigrationFailed(
            f"{target.place.described}: the connection was lost during the renames, and nobody says how they ended: "
            f'either nothing was changed, or the restored database is active and the old one is "{change.kept}"',
            f"`{target.place.status}` when the server answers, then look at pg_database",
        ) from error
