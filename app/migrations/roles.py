"""Roles that a dump names and a server lacks: made without login or password, and taken away again.

A role belongs to no database, so what proofs have made is told by its comment, and whether somebody still uses it by
a shared advisory lock, which ends with its session, even with kill -9. Never touches a role that was there before.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psycopg2
from psycopg2.errors import DependentObjectsStillExist, DuplicateObject, InsufficientPrivilege, UndefinedObject
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations import raw
from app.migrations.errors import ConfigurationError
from app.migrations.quoting import quoted

COMMENT = "massacorp: stands in for a role of another server while a backup is proven"
REGISTRY = "massacorp roles"
"""The name of the lock under which roles are made and dropped."""


def missing(connection: RawConnection, names: Iterable[str]) -> list[str]:
    """Return which of the roles the server does not have."""
    there = {str(row[0]) for row in raw.rows(connection, "SELECT rolname FROM pg_roles")}
    return [name for name in names if name not in there]


def make(connection: RawConnection, names: Iterable[str], comment: str = "") -> list[str]:
    """Make the roles that are missing, NOLOGIN and without password; return which. In autocommit.

    Raises ConfigurationError without the right to; what was made before that stays.
    """
    made = []
    for name in missing(connection, names):
        try:
            raw.execute(connection, f"CREATE ROLE {quoted(name)} NOLOGIN")
            made.append(name)
            if comment:
                raw.execute(connection, f"COMMENT ON ROLE {quoted(name)} IS %s", comment)
        except DuplicateObject:
            continue
        except InsufficientPrivilege as error:
            user = raw.rows(connection, "SELECT quote_ident(current_user)")[0][0]
            raise ConfigurationError(
                f'the backup names the role "{name}", which this server lacks, and {user} may not make it:'
                f" {str(error).splitlines()[0]}",
                f"as its superuser: CREATE ROLE {quoted(name)} NOLOGIN; then the same command again",
            ) from error
    return made


def drop(connection: RawConnection, names: Sequence[str]) -> list[str]:
    """Drop roles that `make` made; return those that stay because something still belongs to them. In autocommit."""
    kept = []
    for name in names:
        try:
            raw.execute(connection, f"DROP ROLE IF EXISTS {quoted(name)}")
        except (DependentObjectsStillExist, InsufficientPrivilege):
            kept.append(name)
    return kept


@contextmanager
def standing_in(connect: Callable[[], RawConnection], names: Sequence[str]) -> Iterator[list[str]]:
    """Have all `names` on the server while the block runs; yields those that were made, by this process or another.

    `connect` gives a session in autocommit in the maintenance database that all share: locks live in a database.
    Roles that killed processes left are dropped first. Raises ConfigurationError as `make` does.
    """
    connection = connect()
    try:
        with _registry(connection):
            _drop_unused(connection)
            made = make(connection, names, COMMENT)
            ours = [name for name in _ours(connection) if name in set(names) | set(made)]
            for name in ours:
                raw.execute(connection, "SELECT pg_advisory_lock_shared(%s)", _key(name))
        yield ours
    finally:
        with suppress(psycopg2.OperationalError, psycopg2.InterfaceError):  # gone with the server; else swept
            raw.execute(connection, "SELECT pg_advisory_unlock_all()")
            with _registry(connection):
                _drop_unused(connection)
        connection.close()


def _drop_unused(connection: RawConnection) -> None:
    """Drop the roles of ours that no session holds. Under the lock of the registry."""
    for name in _ours(connection):
        if raw.value(connection, "SELECT pg_try_advisory_lock(%s)", _key(name)):
            with suppress(UndefinedObject):
                drop(connection, [name])
            raw.execute(connection, "SELECT pg_advisory_unlock(%s)", _key(name))


def _ours(connection: RawConnection) -> list[str]:
    query = "SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = %s AND NOT rolcanlogin ORDER BY 1"
    return [str(row[0]) for row in raw.rows(connection, query, COMMENT)]


@contextmanager
def _registry(connection: RawConnection) -> Iterator[None]:
    """Be alone with the roles; held for as long as a few statements take."""
    raw.execute(connection, "SELECT pg_advisory_lock(%s)", _key(REGISTRY))
    try:
        yield
    finally:
        raw.execute(connection, "SELECT pg_advisory_unlock(%s)", _key(REGISTRY))


def _key(name: str) -> int:
    return raw.lock_key(f"massacorp role\0{name}")
