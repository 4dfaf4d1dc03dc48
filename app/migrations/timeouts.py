"""How long each statement of a migration may wait: lock_timeout per transaction, and per statement outside of one.

Everything is done at the moment a statement runs. A statement on the connection before Alembic is configured would
make Alembic keep nothing. https://www.postgresql.org/docs/current/runtime-config-client.html
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg2
from psycopg2.extensions import STATUS_BEGIN, TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection, event

from app.migrations.advisory import cut
from app.migrations.course import Course
from app.migrations.statements import Kind, kind

LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED = "55P03", "40P01"
RETRIED = frozenset({LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED})


class Timeouts(NamedTuple):
    """The longest wait for a lock, and the longest a transactional statement may run; 0 is none."""

    lock: timedelta
    statement: timedelta = timedelta(0)


class Company(NamedTuple):
    """Who goes along with the statements: `watched` is entered around each, `wait_out` called before one is retried.

    `wait_out` returns when another try makes sense, or raises.
    """

    name: str
    watched: Callable[[], AbstractContextManager[object]]
    wait_out: Callable[[], None]


@contextmanager
def limited(connection: Connection, timeouts: Timeouts, course: Course, company: Company) -> Iterator[None]:
    """Run every statement of `connection` under `timeouts` while the block lasts, and note it in `course`.

    In a transaction the settings are SET LOCAL before its first statement. Outside of one (also after a COMMIT that
    the migration itself executes), a statement that would block others while it waits runs under a lock_timeout that
    is reset after it, and is tried again by itself when it met that; those made to wait (CONCURRENTLY, VALIDATE) run
    without any limit, even one of the role or the database. A timeout that the migration itself has SET stays.
    """
    runner = _Runner(connection, timeouts, course, company)
    events: tuple[tuple[str, Callable[..., bool | None]], ...] = (
        ("do_execute", runner.execute),
        ("do_execute_no_params", runner.execute_bare),
        ("do_executemany", runner.execute_many),
    )
    for name, listener in events:
        event.listen(connection.engine, name, listener)
    event.listen(connection, "commit", course.committing)
    event.listen(connection, "rollback", course.rolled_back)
    try:
        yield
    finally:
        for name, listener in events:
            event.remove(connection.engine, name, listener)


class _Runner:
    def __init__(self, connection: Connection, timeouts: Timeouts, course: Course, company: Company) -> None:
        self.raw: RawConnection = connection.connection.dbapi_connection  # type: ignore[assignment]
        self.timeouts = timeouts
        self.course = course
        self.company = company

    def execute(self, cursor: Any, statement: str, parameters: Any, context: Any) -> bool | None:
        return self._run(cursor, statement, lambda: context.dialect.do_execute(cursor, statement, parameters, context))

    def execute_bare(self, cursor: Any, statement: str, context: Any) -> bool | None:
        return self._run(cursor, statement, lambda: context.dialect.do_execute_no_params(cursor, statement, context))

    def execute_many(self, cursor: Any, statement: str, parameters: Any, context: Any) -> bool | None:
        dialect = context.dialect
        return self._run(cursor, statement, lambda: dialect.do_executemany(cursor, statement, parameters, context))

    def _run(self, cursor: Any, statement: str, proceed: Callable[[], None]) -> bool | None:
        """Do what SQLAlchemy would have done, and say so; None leaves another connection's statement to it."""
        if cursor.connection is not self.raw:
            return None
        begins = self.raw.get_transaction_status() == TRANSACTION_STATUS_IDLE
        alone = self.raw.autocommit or (begins and self.raw.status == STATUS_BEGIN)  # a COMMIT went past psycopg2
        other = self.course.begin(statement, begins or alone)
        if alone:
            self._run_alone(statement, proceed, other)
        else:
            self._prepare(begins, other)
            with self.company.watched():
                proceed()
        self.course.done(statement, alone)
        return True

    def _prepare(self, begins: bool, other: bool) -> None:
        settings = []
        if begins:
            settings.append(f"SET LOCAL lock_timeout = {_milliseconds(self.timeouts.lock)}")
            if self.timeouts.statement:
                settings.append(f"SET LOCAL statement_timeout = {_milliseconds(self.timeouts.statement)}")
        if (begins or other) and self.course.spot:
            settings.append("SET LOCAL application_name = %(name)s")
        self._set("; ".join(settings))

    def _run_alone(self, statement: str, proceed: Callable[[], None], other: bool) -> None:
        if other:
            self._set("SET application_name = %(name)s")
        rule = kind(statement)
        if rule is Kind.SETTING:
            proceed()
            return
        if rule in (Kind.UNLIMITED, Kind.LIMITED_IN_PARTS):
            self.course.uncertain = self.course.statement
        while True:
            try:
                with self._alone(rule), self.company.watched():
                    proceed()
                return
            except psycopg2.Error as error:
                if rule is not Kind.LIMITED or error.pgcode not in RETRIED:
                    raise
            self.company.wait_out()

    @contextmanager
    def _alone(self, rule: Kind) -> Iterator[None]:
        """Set the timeouts of one statement outside a transaction, save those that the migration has SET itself."""
        wanted = {"lock_timeout": _milliseconds(self.timeouts.lock)}
        if rule is Kind.UNLIMITED:
            wanted = {"lock_timeout": 0, "statement_timeout": 0}
        theirs = self._set_by_the_migration()
        ours = [name for name in wanted if name not in theirs]
        self._set("".join(f"SET {name} = {wanted[name]};" for name in ours))
        try:
            yield
        finally:
            with suppress(psycopg2.OperationalError, psycopg2.InterfaceError):  # lost: the statement's error says so
                self._set("".join(f"RESET {name};" for name in ours))

    def _set_by_the_migration(self) -> set[str]:
        with self.raw.cursor() as cursor:
            cursor.execute(
                "SELECT name FROM pg_settings WHERE name IN ('lock_timeout', 'statement_timeout')"
                " AND source = 'session'"
            )
            return {str(row[0]) for row in cursor.fetchall()}

    def _set(self, settings: str) -> None:
        if not settings:
            return
        spot = self.course.spot
        name = f"{self.company.name}/{spot.revision}" if spot else self.company.name
        with self.raw.cursor() as cursor:
            cursor.execute(settings, {"name": cut(name)})


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
