"""Runs migrations on a database that is in use: alone, with short waits for table locks, again at the right moment.

The moment is the end of the very transactions that were in the way. Waiting in the lock queue would stop every
reader behind us, and blind retries do so once per try.
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError, SQLAlchemyError

from app.migrations import course as courses
from app.migrations import driver, journal
from app.migrations.advisory import SERVER_PID, WATCH, Caller, exclusive, open_named
from app.migrations.course import VERSION_TABLE, Course
from app.migrations.errors import MigrationError, MigrationFailed, Unreachable
from app.migrations.failures import CONNECTION_LOST, Place
from app.migrations.patience import Limits, Patience
from app.migrations.statements import shortened
from app.migrations.timeouts import RETRIED, Company, Timeouts, limited
from app.migrations.watcher import Watcher

__all__ = ["Caller", "Limits", "exclusive", "guarded", "retried", "verify_version"]

Attempt = Callable[[Connection, Connection], None]
"""Runs Alembic on the first connection; the second holds the lock, in autocommit, for the journal."""

INVALID_INDEXES = text(
    "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
    " WHERE NOT indisvalid AND c.relkind = 'i' ORDER BY 1"
)

UNDEFINED_TABLE = "42P01"
SETTING = "a setting of the session"
EARLIER = "an earlier run"
SESSION_ENDS_WITHIN = 5.0
"""Seconds to wait for the end of a session whose client is gone; it looks every 2 s (advisory.DROPPED_SOON)."""
ALIVE = text("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = :pid AND datname = current_database())")


class NotKept(MigrationFailed):
    """A step has reported success, and its version row is not there."""


def guarded(engine: Engine, limits: Limits, caller: Caller, attempt: Attempt) -> None:
    """Run `attempt` under the database's migration lock, as often as locks of others make it necessary.

    Raises Refused when another migration does not end in time, MigrationFailed when a revision fails or gets no
    lock in time, and lets pass what is no database error. `engine` must not pool its connections.
    """
    with exclusive(engine, limits.upgrade_wait, caller) as lock:
        retried(engine, lock, limits, caller, lambda connection: attempt(connection, lock))


def retried(
    engine: Engine, lock: Connection, limits: Limits, caller: Caller, attempt: Callable[[Connection], None]
) -> None:
    """Run `attempt` on a new connection, and again after a lock timeout or deadlock of a revision that left nothing.

    Each try begins at the revision that the database is at. Raises as `guarded` does.
    """
    run = _Run(engine, lock, limits, caller)
    with run.watching():
        while True:
            try:
                run.once(attempt)
                return
            except DBAPIError as error:
                if lost(error):
                    raise run.interrupted(error) from error
                run.course.ended(error)
                if getattr(error.orig, "pgcode", None) not in RETRIED or not run.course.atomic:
                    if run.course.spot is None:
                        raise
                    raise run.failure(error) from error
            except Exception as error:
                if lost(error):
                    raise run.interrupted(error) from error
                run.course.ended(error)
                if isinstance(error, NotKept) and run.course.committed:
                    raise MigrationFailed(f"{error.message}; {run.state()}", error.hint) from error
                if run.course.spot is not None and not isinstance(error, MigrationFailed):
                    error.add_note(run.state())
                raise
            run.wait_out()


def verify_version(lock: Connection, expected: Collection[str], place: Place) -> None:
    """Check, on a connection that is not the migration's, that the version table holds what was just written.

    Call it after each step's commit and at the end. A migration that commits the bind, or a statement before
    Alembic was configured, makes it report success and keep nothing. Raises MigrationFailed, also for a lost lock.
    """
    try:
        found = standing(lock)
    except SQLAlchemyError as error:
        raise _lock_lost(place, f"after {_listed(expected)} was run; nothing after it was begun") from error
    if set(found) != set(expected):
        raise NotKept(
            f"{place.described}: {_listed(expected)} ran without an error, but its row in {VERSION_TABLE} was not "
            f"kept: other connections read {_listed(found)}; does the migration commit or roll back by itself?",
            "take commit and rollback out of it (op.get_context().autocommit_block() is made for this), then "
            f"`{place.status}`",
        )


def standing(connection: Connection) -> tuple[str, ...]:
    """Read the rows of the version table, in autocommit; none where there is no such table."""
    try:
        rows = driver.run(connection, f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != UNDEFINED_TABLE:
            raise
        return ()
    return tuple(sorted(str(row[0]) for row in rows))


def lost(error: BaseException) -> bool:
    """Tell whether `error` comes of a connection that was lost; what it led to may hide that."""
    if isinstance(error, MigrationError):
        return False
    first = _first_lost(error)
    return first is not None or isinstance(error, PendingRollbackError)


def _first_lost(error: BaseException) -> DBAPIError | None:
    found: DBAPIError | None = None
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, DBAPIError) and (
            chain.connection_invalidated or getattr(chain.orig, "pgcode", None) in CONNECTION_LOST
        ):
            found = chain
        elif _lost_by_driver(chain) and (found is None or found.orig is not chain):
            found = DBAPIError(SETTING, None, chain, connection_invalidated=True)
        chain = chain.__cause__ or chain.__context__
    return found


def _lost_by_driver(error: BaseException) -> bool:
    """Tell a lost connection that SQLAlchemy lets pass as it is: what it asks the driver itself is no statement."""
    if not isinstance(error, psycopg2.OperationalError) and type(error) is not psycopg2.DatabaseError:
        return False
    return error.pgcode is None or error.pgcode in CONNECTION_LOST


class _Run:
    """The tries of one command: what they share, and what the last one has done."""

    def __init__(self, engine: Engine, lock: Connection, limits: Limits, caller: Caller) -> None:
        self.engine = engine
        self.lock = lock
        self.limits = limits
        self.caller = caller
        self.course = Course()
        self.watcher = Watcher(self._watch, limits.lock_timeout.total_seconds())
        look: RawConnection = lock.connection.dbapi_connection  # type: ignore[assignment]
        self.patience = Patience(look, limits, caller, self.state)

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.watcher.start()
        try:
            yield
        finally:
            self.watcher.stop()

    def once(self, attempt: Callable[[Connection], None]) -> None:
        self.course = Course()
        timeouts = Timeouts(self.limits.lock_timeout, self.limits.statement_timeout)
        company = Company(self.caller.name, self.watcher.watched, self.wait_out)
        with open_named(self.engine, self.caller.name) as connection:
            self.watcher.pid = connection.info[SERVER_PID]
            with limited(connection, timeouts, self.course, company):
                attempt(connection)

    def wait_out(self) -> None:
        revision = self.course.spot.revision if self.course.spot else ""
        try:
            self.patience.wait_out(revision, self.watcher.seen)
        except psycopg2.Error as error:
            raise _lock_lost(self.caller.place, f"while {revision or 'it'} waited; {self.state()}") from error

    def state(self) -> str:
        """Say what the last try left, as another connection sees it."""
        try:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as fresh:
                invalid = () if self.course.atomic else tuple(fresh.scalars(INVALID_INDEXES))
                said = courses.remains(self.course, standing(fresh), invalid)
                return said + self._left_by_others(fresh)
        except SQLAlchemyError:
            return courses.remains(self.course, None)

    def _left_by_others(self, fresh: Connection) -> str:
        """Say what the journal knows of an earlier run that this one has not come past."""
        revision = self.course.spot.revision if self.course.spot else ""
        with suppress(SQLAlchemyError):  # no right to read it
            if self.course.atomic and revision in journal.half_applied(fresh, journal.home(fresh)):
                return f"; {EARLIER} has committed a part of {revision}"
        return ""

    def failure(self, error: DBAPIError) -> MigrationFailed:
        spot, course = self.course.spot, self.course
        where = f"revision {spot.revision} failed at {spot.path}:{spot.line}" if spot else "the migration failed"
        said = " ".join(str(error.orig).split("\n")[0].split()) or type(error.orig).__name__
        code = getattr(error.orig, "pgcode", None)
        next_, state = f"correct {spot.path if spot else 'it'}, then go on with the same command", self.state()
        if EARLIER in state:
            next_ = "see what that has done, finish or undo it by hand, then the same command"
        elif not course.atomic:
            next_ = "finish or undo by hand what is committed, as the message lists it, then the same command"
        return MigrationFailed(
            f"{self.caller.place.described}: {where}: {said}{f' [{code}]' if code else ''}, in: {course.statement}; "
            f"{state}",
            f"`{self.caller.place.status}` shows where the database stands; {next_}",
        )

    def interrupted(self, error: BaseException) -> MigrationError:
        """Say what a lost connection has left. Waits a little for the end of what it ran."""
        first = _first_lost(error)
        if first is not None and first.statement is not None:  # a COMMIT has none: it was answered, or never sent
            self.course.committed += self.course.in_doubt if first.statement == SETTING else []
            self.course.in_doubt = []
        self.course.ended(first or error, lost=True)
        said = str(first.orig).strip().split("\n")[0] if first else "it was closed"
        place, revision = self.caller.place, self.course.spot.revision if self.course.spot else "a revision"
        if not self.course.begun:
            return Unreachable(
                f"{place.described}: the connection was lost before a revision was begun: {said}; nothing was changed",
                f"wait for the server, then repeat the command; `{place.status}` shows whether it answers",
            )
        self._await_end()
        state = self.state()
        spot, where = self.course.spot, f"the connection was lost during {revision}"
        if spot and not self.course.unanswered:
            where = f"revision {revision} failed at {spot.path}:{spot.line}"
            said = f"{said}, {_relation(first, self.course)}: {self.course.statement}"
        cure = "" if " is half applied" not in state else "finish or undo by hand what the message lists, then "
        return MigrationFailed(
            f"{place.described}: {where}: {said}; {state}",
            f"`{place.status}` shows where the database stands; {cure}repeat the command",
        )

    def _await_end(self) -> None:
        """Wait until the lost session has ended: until then it may still commit what it was told to."""
        deadline = time.monotonic() + SESSION_ENDS_WITHIN
        with suppress(SQLAlchemyError), self.engine.connect() as opened:
            fresh = opened.execution_options(isolation_level="AUTOCOMMIT")
            while fresh.scalar(ALIVE, {"pid": self.watcher.pid}) and time.monotonic() < deadline:
                time.sleep(0.05)

    def _watch(self) -> Connection:
        return open_named(self.engine, f"{self.caller.name}{WATCH}")


def _relation(lost: DBAPIError | None, course: Course) -> str:
    """How the last statement of the revision stands to what was being done when the connection was lost."""
    if lost is not None and lost.statement is None:
        return "in the COMMIT after"
    return "in" if lost is not None and shortened(str(lost.statement)) == course.statement else "after"


def _lock_lost(place: Place, when: str) -> MigrationFailed:
    return MigrationFailed(
        f"{place.described}: the connection that holds the migration lock was lost {when}",
        f"`{place.status}` shows where the database stands, then repeat the command",
    )


def _listed(revisions: Collection[str]) -> str:
    return ", ".join(sorted(revisions)) or "base"
