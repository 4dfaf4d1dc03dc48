"""Reads who else is at work in a database: migrations, what they wait for, what nobody ends. Never waits itself."""

import time
from collections.abc import Iterable
from typing import Any

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection, text

from app.migrations import blockers
from app.migrations.advisory import HOLDER, LOCK
from app.migrations.blockers import Holder, spoken
from app.migrations.guard import FAMILY
from app.migrations.raw import lock_key
from app.migrations.symptoms import Blocking, Migration

LOOKS, APART = 6, 0.1
"""How often a migration is looked at, and the seconds between: it waits for a lock in short tries."""
FORGOTTEN = 5.0
"""Seconds after which a prepared transaction is taken for forgotten: a coordinator ends it within milliseconds."""
AT_WORK = text("""
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND starts_with(application_name, :family || '/') AND pid <> pg_backend_pid()
  AND application_name !~ '/(lock|watch)$' ORDER BY backend_start
""")
OLDEST = text("""
SELECT DISTINCT l.pid, l.virtualtransaction, a.xact_start
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.granted AND l.locktype = 'relation' AND l.relation >= 16384 AND a.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND NOT starts_with(a.application_name, :family || '/') AND a.xact_start < clock_timestamp() - interval '1 second'
ORDER BY a.xact_start LIMIT 3
""")
PREPARED = text("""
SELECT virtualtransaction FROM pg_prepared_xacts
JOIN pg_locks ON transactionid = transaction AND locktype = 'transactionid' AND pid IS NULL
WHERE pg_prepared_xacts.database = current_database()
  AND prepared < clock_timestamp() - make_interval(secs => :age)
""")
LOCKING = text("""
SELECT coalesce(pid, 0), virtualtransaction FROM pg_locks
WHERE granted AND locktype = 'relation' AND relation = to_regclass(:name) AND mode = 'AccessExclusiveLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")
HALF_BUILT = text("""
SELECT datname FROM pg_database d WHERE datname ~ :pattern
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid AND a.usesysid IS NOT NULL) ORDER BY oid
""")
IS_HELD = text("""
SELECT EXISTS (SELECT FROM pg_locks WHERE granted AND locktype = 'advisory' AND objsubid = 1
               AND (classid::bigint << 32 | objid::bigint) = :key)
""")


def migration(connection: Connection) -> Migration | None:
    """Return the migration that holds this database's lock, on a connection in autocommit; None where none does.

    Where it does not seem to wait, it is looked at for half a second.
    """
    row = connection.execute(HOLDER).first()
    if row is None:
        return None
    holder = Blocking(_who(row), f"SELECT pg_terminate_backend({row.pid})")
    raw = raw_of(connection)
    for _ in range(LOOKS):
        for pid in at_work(connection):
            found = blockers.waiting(raw, pid)
            if found is not None and (described := describe(raw, found.holders)):
                return Migration(holder, found.name, described)
        time.sleep(APART)
    oldest = [Holder(row[0], row[1]) for row in connection.execute(OLDEST, {"family": FAMILY})]
    return Migration(holder, suspects=describe(raw, oldest))


def at_work(connection: Connection) -> list[int]:
    """Return the sessions of migrations in this database, those that hold locks or only watch aside."""
    return [int(row[0]) for row in connection.execute(AT_WORK, {"family": FAMILY})]


def orphans(connection: Connection) -> tuple[Blocking, ...]:
    """Return what is at work although nobody holds the migration lock: its client was killed."""
    raw = raw_of(connection)
    sessions = [Holder(pid, "") for pid in at_work(connection)]
    return describe(raw, sessions)


def prepared(connection: Connection) -> tuple[Blocking, ...]:
    """Return the prepared transactions of this database that have been there for some seconds."""
    rows = connection.execute(PREPARED, {"age": FORGOTTEN})
    return describe(raw_of(connection), [Holder(0, str(row[0])) for row in rows])


def locking(connection: Connection, table: str) -> tuple[Blocking, ...]:
    """Return who has locked a table against readers."""
    rows = connection.execute(LOCKING, {"name": table})
    return describe(raw_of(connection), [Holder(row[0], row[1]) for row in rows])


def half_built(connection: Connection, pattern: str) -> tuple[str, ...]:
    """Return the databases that a restore was building when it was killed: unused, their maker's lock given back."""
    names = [str(row[0]) for row in connection.execute(HALF_BUILT, {"pattern": pattern})]
    return tuple(name for name in names if not connection.scalar(IS_HELD, {"key": lock_key(name)}))


def describe(raw: RawConnection, holders: Iterable[Holder]) -> tuple[Blocking, ...]:
    """Describe the transactions that still live."""
    held = list(holders)
    return tuple(Blocking(one.described, one.ending) for one in blockers.describe(raw, held)) if held else ()


def raw_of(connection: Connection) -> RawConnection:
    """Return the driver's connection."""
    return connection.connection.dbapi_connection  # type: ignore[return-value]


def _who(row: Any) -> str:
    where = f" on {row.host}" if row.host else ""
    since = f", connected for {spoken(row.age)}" if row.age is not None else ", since when is not visible to this role"
    name = (row.application_name or "without a name").removesuffix(LOCK)
    return f"{name} (pid {row.pid}, user {row.usename or '?'}{where}{since})"
