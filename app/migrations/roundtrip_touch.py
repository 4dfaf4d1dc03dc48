"""What a revision touched, told by the locks of its transaction, and what it left in its session. Decides nothing.

A transaction keeps its locks to its end. One that we put there ourselves before the revision tells whether it is still
the same transaction: where the revision committed by itself, what it touched is not known.
https://www.postgresql.org/docs/current/explicit-locking.html
"""

from typing import NamedTuple

from alembic.runtime.migration import MigrationContext
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations import prepared, raw
from app.migrations.quoting import quoted

MARK = "RowShareLock"
WRITING = "RowExclusiveLock"
ALTERING = frozenset(
    {"ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}
)
OF_ROLES = frozenset({1260, 1261, 2964})
"""pg_authid, pg_auth_members and pg_db_role_setting, whose numbers PostgreSQL has fixed."""
FIRST_OF_USERS = 16384
LOCKS = "SELECT relation::bigint, mode FROM pg_locks WHERE pid = $1 AND locktype = 'relation' AND granted"
VERSION_TABLE = """
SELECT quote_ident(nspname) || '.' || quote_ident(relname), c.oid::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = to_regclass(%s)
"""
SETTINGS = (
    "search_path", "role", "session_authorization", "session_replication_role", "row_security", "lock_timeout",
    "statement_timeout", "idle_in_transaction_session_timeout", "default_transaction_isolation",
    "default_transaction_read_only", "check_function_bodies", "default_tablespace", "timezone", "datestyle",
)  # fmt: skip
CLEAN = "DISCARD TEMP; CLOSE ALL; DEALLOCATE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(), " + ", ".join(
    f"current_setting('{name}')" for name in SETTINGS
)


class Touched(NamedTuple):
    """The relations that a step altered, those whose rows it may have changed, and whether it was at the roles.

    None stands for all of them. Numbers of relations that are gone are among them.
    """

    altered: frozenset[int] | None
    written: frozenset[int] | None
    roles: bool


UNKNOWN = Touched(None, None, roles=True)
NOTHING = Touched(frozenset(), frozenset(), roles=False)


def both(one: Touched, other: Touched) -> Touched:
    """Return what two steps touched together."""
    return Touched(
        None if one.altered is None or other.altered is None else one.altered | other.altered,
        None if one.written is None or other.written is None else one.written | other.written,
        one.roles or other.roles,
    )


def raw_connection(context: MigrationContext) -> RawConnection | None:
    """Return the connection of psycopg2 that the migrations run on; None for another driver's, and a closed one."""
    connection = context.connection
    if connection is None or connection.closed or connection.invalidated:
        return None
    found = connection.connection.dbapi_connection
    return found if isinstance(found, RawConnection) and not found.closed else None


def version_table(context: MigrationContext) -> str:
    """Return the name of the version table, quoted."""
    schema = f"{quoted(context.version_table_schema)}." if context.version_table_schema else ""
    return schema + quoted(context.version_table)


def locate(watcher: RawConnection, context: MigrationContext) -> tuple[str, int]:
    """Return the version table with its schema, as the migrations' own session finds it, and its number."""
    connection = raw_connection(context) or watcher
    found = raw.rows(connection, VERSION_TABLE, version_table(context))
    if connection is not watcher and not connection.autocommit:
        connection.rollback()
    return (str(found[0][0]), int(str(found[0][1]))) if found else (version_table(context), 0)


def mark(context: MigrationContext) -> int | None:
    """Mark the transaction that has just begun; return the process of its session, None where it cannot be marked.

    The lock is one that nobody else takes on the version table, and that lets everybody read and write it.
    """
    connection = raw_connection(context)
    if connection is None or connection.autocommit:
        return None
    raw.execute(connection, f"LOCK TABLE {version_table(context)} IN ROW SHARE MODE")
    return connection.info.backend_pid


def touched(watcher: RawConnection, pid: int, marked: int) -> Touched:
    """Ask from another session what the transaction of `pid` holds; `marked` is the number of the version table."""
    rows = [(int(relation), str(mode)) for relation, mode in prepared.rows(watcher, LOCKS, "int", pid)]
    if (marked, MARK) not in rows:
        return UNKNOWN
    altered = {relation for relation, mode in rows if mode in ALTERING}
    written = {relation for relation, mode in rows if mode == WRITING} | altered
    return Touched(
        frozenset(relation for relation in altered if relation >= FIRST_OF_USERS),
        frozenset(relation for relation in written if relation >= FIRST_OF_USERS and relation != marked),
        not OF_ROLES.isdisjoint(written),
    )


def clean(context: MigrationContext) -> tuple[str, ...]:
    """Take from the session what would meet the next step in it alone, such as temporary tables; return its settings.

    Needs a connection without a transaction. Raises psycopg2.Error.
    """
    connection = raw_connection(context)
    if connection is None:
        return ()
    before = connection.autocommit
    connection.autocommit = True  # BEGIN and COMMIT would be two more round trips at every step
    try:
        return tuple(str(value) for value in raw.rows(connection, CLEAN)[0][1:])
    finally:
        if not connection.closed:
            connection.autocommit = before


def changed(before: tuple[str, ...], after: tuple[str, ...]) -> list[str]:
    """Return the names of the settings that are not what they were."""
    return [name for name, old, new in zip(SETTINGS, before, after, strict=False) if old != new]
