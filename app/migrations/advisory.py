"""One migration at a time per database: a session-level advisory lock on a connection of its own.

It is polled. A session that waits in pg_advisory_lock() holds a snapshot, which CREATE INDEX CONCURRENTLY waits for,
and the server sees no deadlock there. The lock is one per database, and ends with its session, whatever ends that.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import NamedTuple

from psycopg2.errors import FeatureNotSupported, InvalidParameterValue, UndefinedObject
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.migrations import poolers
from app.migrations.blockers import spoken
from app.migrations.errors import Refused
from app.migrations.failures import Place

KEY = 0x6D696772_616C656D
"""The ASCII codes of "migralem": any fixed number that no other program uses."""
POLL = 0.2
"""Seconds between two looks, on average."""
SAY_AGAIN = 30.0
"""Seconds after which a wait is announced again."""
LOCK, WATCH = "/lock", "/watch"
"""What follows the name of the sessions that run nothing of a migration."""

SERVER_PID = "server_pid"
NAMED = "SET application_name = %(name)s"
DROPPED_SOON = "SET client_connection_check_interval = '2s'; SET idle_session_timeout = 0"
"""PostgreSQL 14. A killed client's statement is ended; a lock that is held for long is not taken for idle."""

TAKE = text("SELECT pg_try_advisory_lock(:key), pg_backend_pid()")
GIVE_BACK = text("SELECT pg_advisory_unlock(:key)")
HELD = f"""locktype = 'advisory' AND granted AND objsubid = 1
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (classid::bigint << 32 | objid::bigint) = {KEY}"""  # noqa: S608 -- a number of ours
"""The row of pg_locks that stands for this database's migration lock, whoever holds it."""
IS_HELD = text(f"SELECT EXISTS (SELECT FROM pg_locks WHERE {HELD})")  # noqa: S608 -- a number of ours
HOLDER = text(f"""
SELECT l.pid, a.usename, a.application_name, coalesce(a.client_hostname, host(a.client_addr)) AS host,
       extract(epoch FROM clock_timestamp() - a.backend_start)::float8 AS age, a.backend_type IS NOT NULL AS visible
FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) WHERE {HELD}
""")  # noqa: S608 -- a number of ours
ORPHANS = text("""
SELECT pid, application_name FROM pg_stat_activity
WHERE datname = current_database() AND starts_with(application_name, :family) AND pid <> pg_backend_pid()
  AND application_name !~ '/(lock|watch)$'
""")


class Caller(NamedTuple):
    """Who migrates what: the database in words, the application_name without a revision, and where lines are said."""

    place: Place
    name: str
    announce: Callable[[str], None]


@contextmanager
def exclusive(engine: Engine, wait: timedelta, caller: Caller) -> Iterator[Connection]:
    """Hold this database's migration lock while the block runs; yields its connection, in autocommit.

    Waits at most `wait` for another migration, which is announced with its holder, and for what a killed one left
    running. Raises Refused when the time is over, and where a pooler shares sessions. `engine` must not pool.
    """
    with open_named(engine, f"{caller.name}{LOCK}").execution_options(isolation_level="AUTOCOMMIT") as connection:
        poolers.refuse_shared_sessions(engine, connection, caller.place)
        _take(connection, wait, caller)
        try:
            yield connection
        finally:
            with suppress(SQLAlchemyError):  # the session is gone, and the lock with it
                connection.execute(GIVE_BACK, {"key": KEY})


def open_named(engine: Engine, name: str) -> Connection:
    """Connect under an application_name; the server ends what the session runs soon after its client is gone.

    The settings pass SQLAlchemy by, so that no transaction of its is begun. `info[SERVER_PID]` is the process.
    """
    connection = engine.connect()
    raw: RawConnection = connection.connection.dbapi_connection  # type: ignore[assignment]
    raw.autocommit = True
    with raw.cursor() as cursor:
        for settings in (f"{NAMED}; {DROPPED_SOON}", NAMED):
            try:
                cursor.execute(f"{settings}; SELECT pg_backend_pid()", {"name": cut(name)})
                connection.info[SERVER_PID] = cursor.fetchone()[0]  # type: ignore[index]
                break
            except (
                FeatureNotSupported,
                InvalidParameterValue,
                UndefinedObject,
            ):  # an older server, or Windows
                continue
    raw.autocommit = False
    return connection


def cut(name: str) -> str:
    """Return as much of an application_name as the server keeps: 63 bytes."""
    return name.encode()[:63].decode(errors="ignore")


def _take(connection: Connection, wait: timedelta, caller: Caller) -> None:
    """Poll for the lock, then for the end of what a killed migration left running."""
    deadline = time.monotonic() + wait.total_seconds()
    pid = connection.info[SERVER_PID]
    said = _Repeated(caller.announce)
    while True:
        taken, now = connection.execute(TAKE, {"key": KEY}).one()
        if now != pid:
            raise poolers.shared_sessions(caller.place)
        if taken:
            break
        _wait(said, deadline, wait, _holder(connection), caller)
    while (orphan := _orphan(connection, caller)) is not None:
        _wait(said, deadline, wait, orphan, caller)


class _Other(NamedTuple):
    """Who is in the way, and the SQL that would end it."""

    described: str
    ending: str


def _holder(connection: Connection) -> _Other | None:
    """Return who holds the lock; None when it was given back in between."""
    row = connection.execute(HOLDER).first()
    if row is None:
        return None
    where = f" on {row.host}" if row.host else ""
    since = f", connected for {spoken(row.age)}" if row.age is not None else ", since when is not visible to this role"
    name = (row.application_name or "without a name").removesuffix(LOCK)
    who = f"{name} (pid {row.pid}, user {row.usename or '?'}{where}{since})"
    return _Other(f"another migration of this database, {who}", f"SELECT pg_terminate_backend({row.pid})")


def _orphan(connection: Connection, caller: Caller) -> _Other | None:
    row = connection.execute(ORPHANS, {"family": caller.name.split("/")[0] + "/"}).first()
    if row is None:
        return None
    described = f"a statement of a migration that was killed, {row.application_name} (pid {row.pid})"
    return _Other(described, f"SELECT pg_terminate_backend({row.pid})")


def _wait(said: "_Repeated", deadline: float, wait: timedelta, other: _Other | None, caller: Caller) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        who, ending = other or _Other("another migration of this database", "")
        raise Refused(
            f"{caller.place.described}: waited {spoken(wait.total_seconds())} for {who}; nothing was changed",
            f"`{caller.place.status}` shows where it stands; wait for its end and repeat the command"
            + (f", or end it: {ending}" if ending else ""),
        )
    if other is not None:
        said(f"waiting for {other.described}; it is given {spoken(left)} more, then nothing is changed")
    time.sleep(min(left, random.uniform(POLL / 2, POLL * 1.5)))  # noqa: S311 -- jitter, no secret


class _Repeated:
    """Says a line at once, and again only after a while."""

    def __init__(self, announce: Callable[[str], None]) -> None:
        self.announce = announce
        self.due = 0.0

    def __call__(self, line: str) -> None:
        if time.monotonic() >= self.due:
            self.announce(line)
            self.due = time.monotonic() + SAY_AGAIN
