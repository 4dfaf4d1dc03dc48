"""Puts a new database in the place of another: both are renamed in one transaction. Never writes into either.

ALTER DATABASE ... RENAME locks the database first and then waits, up to 5 s, until the sessions in it have ended; new
connections, a superuser's too, wait behind that lock. It is the bar: nothing has to be closed that a killed run could
leave closed, since the lock ends with its transaction. Who waited there is told that the database was renamed, and
finds the new one with the next try.
https://www.postgresql.org/docs/current/sql-alterdatabase.html
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

import psycopg2
from psycopg2.errors import LockNotAvailable, ObjectInUse
from psycopg2.extensions import connection as Connection  # noqa: N812 -- the class has a lower-case name

from app.migrations import beside
from app.migrations.blockers import spoken
from app.migrations.errors import Refused
from app.migrations.maintenance import oid_of
from app.migrations.quoting import quoted
from app.migrations.raw import execute, value

LOOK = 0.02
"""Seconds between two looks at the sessions that are in the way."""

SESSIONS = """
SELECT pid, usename, application_name, extract(epoch FROM clock_timestamp() - backend_start)::float8,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) OR (
           NOT (SELECT rolsuper FROM pg_roles r WHERE r.oid = a.usesysid)
           AND (pg_has_role(a.usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))
FROM pg_stat_activity a
WHERE datid = %s AND usesysid IS NOT NULL AND pid <> pg_backend_pid() AND leader_pid IS NULL
ORDER BY backend_start NULLS LAST, pid
"""
BARRED = """
SELECT count(*) FROM pg_locks WHERE granted AND pid = %s AND locktype = 'object' AND objid = %s
  AND classid = 'pg_database'::regclass AND mode = 'AccessExclusiveLock'
"""


class Session(NamedTuple):
    """A session in a database; `age` in seconds is None where this role may not see it, as it may not end all."""

    pid: int
    user: str
    application: str
    age: float | None
    can_be_ended: bool

    @property
    def described(self) -> str:
        """Return who it is, and since when."""
        since = "since when is not visible to this role" if self.age is None else f"connected for {spoken(self.age)}"
        return f"pid {self.pid} (user {self.user}, application {self.application or 'not named'}), {since}"


class Exchange(NamedTuple):
    """What takes whose place: the database `built` becomes `target`, which becomes `kept`.

    Oids tell databases apart whatever they are called; `oid` is None where there is no `target`.
    """

    target: str
    oid: int | None
    built: str
    built_oid: int
    kept: str


class Hands(NamedTuple):
    """What the caller does meanwhile: `dress` the new database in the transaction, `leave` the old one.

    With `terminate`, the sessions of others are ended.
    """

    dress: Callable[[Connection], None]
    leave: Callable[[], None]
    terminate: bool


class InTheWayError(Exception):
    """Sessions stayed in the database, or came into the new one: nothing was renamed."""


def sessions(admin: Connection, oid: int) -> list[Session]:
    """Return who is connected to a database, the longest first; the server's own workers are left out."""
    with admin.cursor() as cursor:
        cursor.execute(SESSIONS, (oid,))
        return [Session(*row) for row in cursor.fetchall()]


def exchange(mover: Connection, admin: Connection, change: Exchange, hands: Hands) -> None:
    """Rename both databases in one transaction of `mover`; `hands.dress` runs in it, between the renames.

    Once no new connection can come, `hands.leave` is to close the caller's own session in the old database, so that
    it has a lock there up to the last moment, and with `terminate` all others are ended. Raises InTheWayError when
    some stay for 5 s, and what `dress` raises: nothing is renamed then. An interrupt undoes all; one that comes after
    the commit is ignored. The caller has to look (`name_of`) when the connection is lost.
    """
    abandoned = threading.Event()
    renamed: Future[None] = Future()

    def give_up() -> None:
        abandoned.set()
        with suppress(psycopg2.Error):
            mover.cancel()

    try:
        beside.begin(lambda: _rename(mover, change, hands.dress, abandoned), renamed)
        _attend(renamed, mover.info.backend_pid, admin, change, hands)
    except BaseException:
        beside.end(renamed, give_up)
        if renamed.cancelled() or renamed.exception() is not None:
            raise
    try:
        renamed.result()
    except (ObjectInUse, LockNotAvailable) as error:
        raise InTheWayError(str(error).strip().replace("\n", ", ")) from error


def _attend(renamed: "Future[None]", mover: int, admin: Connection, change: Exchange, hands: Hands) -> None:
    """Watch over the rename: when the bar is up, leave, and end who is still there."""
    inside = True
    while not renamed.done():
        if change.oid is not None and value(admin, BARRED, mover, change.oid):
            if inside:
                hands.leave()
                inside = False
            if hands.terminate:
                end(admin, change.oid)
        time.sleep(LOOK)


def end(admin: Connection, oid: int) -> None:
    """End the sessions in a database, as far as this role may."""
    for session in sessions(admin, oid):
        if session.can_be_ended:
            value(admin, "SELECT pg_terminate_backend(%s)", session.pid)


def _rename(
    mover: Connection, change: Exchange, dress: Callable[[Connection], None], abandoned: threading.Event
) -> None:
    target, built, kept = quoted(change.target), quoted(change.built), quoted(change.kept)
    mover.autocommit = False
    try:
        execute(mover, "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5s'")
        if change.oid is not None:
            execute(mover, f"ALTER DATABASE {target} RENAME TO {kept}")
            _expect(mover, change.kept, change.oid)
        dress(mover)
        execute(mover, f"ALTER DATABASE {built} RENAME TO {target}")
        _expect(mover, change.target, change.built_oid)
        if abandoned.is_set():
            raise InterruptedError
        mover.commit()
    finally:
        with suppress(psycopg2.Error):
            mover.rollback()


def _expect(mover: Connection, name: str, oid: int) -> None:
    """Refuse what was renamed, dropped or made anew since it was looked at."""
    found = oid_of(mover, name)
    if found != oid:
        raise Refused(
            f'the database that was to be "{name}" is another one than before (oid {found}, not {oid}): somebody '
            "else renames databases at the same time; nothing was changed",
            "see who does, then the same command",
        )
