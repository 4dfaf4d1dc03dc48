"""Databases that are made beside the one that they are to replace. Never touches one that a restore did not name.

Whether the maker of a half-built database lives is told by an advisory lock, which it holds in the maintenance
database from before the database exists, and which ends with its session, even with kill -9.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg2
from psycopg2.errors import InsufficientPrivilege, InvalidCatalogName, ObjectInUse
from psycopg2.extensions import connection as Connection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from app.migrations import database_names, failures, raw
from app.migrations.advisory import WATCH, cut
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.failures import Place
from app.migrations.guard import FAMILY
from app.migrations.quoting import quoted

MAINTENANCE = ("postgres", "template1")
ATTENTIVE = "SET client_connection_check_interval = '2s'; SET idle_session_timeout = 0"
"""PostgreSQL 14: what a killed client's session does is ended; one that holds locks for an hour is not idle."""

USED = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usesysid IS NOT NULL"
"""Asked first, since DROP DATABASE waits 5 s for the sessions to end."""


def connect(url: str, name: str, place: Place) -> Connection:
    """Connect, in autocommit, to a database on the server of `url` from which `name` can be renamed.

    It is the same one for all who mean `name`: locks live in a database. Raises Unreachable or ConfigurationError.
    """
    failure: psycopg2.OperationalError | None = None
    for database in (one for one in MAINTENANCE if one != name):
        parts = make_url(url).set(database=database)
        positional, keywords = parts.get_dialect()().create_connect_args(parts)
        try:
            connection: Connection = psycopg2.connect(*positional, **{"connect_timeout": 10, **keywords})
        except psycopg2.OperationalError as error:
            failure = error
            if "database" not in str(error):
                break
        else:
            connection.autocommit = True
            _name_it(connection, place)
            return connection
    if failure is not None and "database" not in str(failure):
        raise failures.unreachable(OperationalError(None, None, failure), place) from failure
    said = str(failure).strip().splitlines()[0]
    raise ConfigurationError(
        f"{place.described}: databases are made and renamed from another one, and neither of "
        f"{' and '.join(MAINTENANCE)} can be used for that: {said}; nothing was changed",
        f"GRANT CONNECT ON DATABASE {MAINTENANCE[0]} TO this user, by a superuser",
    ) from failure


def _name_it(connection: Connection, place: Place) -> None:
    name = cut(f"{FAMILY}/{place.environment or 'url'}/restore{WATCH}")
    with connection.cursor() as cursor:
        cursor.execute("SET application_name = %s", (name,))
        with suppress(psycopg2.Error):
            cursor.execute(ATTENTIVE)


@contextmanager
def explained(place: Place) -> Iterator[None]:
    """Raise Unreachable, or ConfigurationError for a right that is missing, in place of what psycopg2 raises."""
    try:
        with failures.explained(place):
            yield
    except psycopg2.Error as error:
        found = failures.explain(DBAPIError.instance("", None, error, psycopg2.Error), place)
        if found is None:
            raise
        raise found from error


def oid_of(admin: Connection, name: str) -> int | None:
    """Return the oid of the database `name`; None where there is none."""
    found = raw.value(admin, "SELECT oid::bigint FROM pg_database WHERE datname = %s", name)
    return None if found is None else int(str(found))


def name_of(admin: Connection, oid: int) -> str | None:
    """Return what the database `oid` is called now; None where it is gone."""
    found = raw.value(admin, "SELECT datname FROM pg_database WHERE oid = %s", oid)
    return None if found is None else str(found)


def mend(admin: Connection, name: str) -> list[str]:
    """Drop what killed restores of `name` have left half built, and return the names; others' are left alone.

    Only what a restore named, what nobody uses and whose maker's session is gone. Takes an advisory lock for each.
    """
    dropped = []
    for left in _names_like(admin, database_names.built_pattern(name)):
        if not raw.value(admin, USED, left) and raw.try_lock(admin, left):
            with suppress(ObjectInUse, InvalidCatalogName, InsufficientPrivilege):
                raw.execute(admin, f"DROP DATABASE {quoted(left)}")
                dropped.append(left)
            raw.execute(admin, "SELECT pg_advisory_unlock(%s)", raw.lock_key(left))
    return dropped


@contextmanager
def alone(admin: Connection, name: str, place: Place) -> Iterator[None]:
    """Hold the lock of restores of `name` while the block runs. Raises Refused when another restore holds it."""
    subject = f"db.restore {name}"
    if not raw.try_lock(admin, subject):
        raise Refused(
            f'{place.described}: another restore of "{name}" is at work; nothing was changed',
            "wait for its end, then look at what is active: " + place.status,
        )
    try:
        yield
    finally:
        with suppress(psycopg2.Error):
            raw.execute(admin, "SELECT pg_advisory_unlock(%s)", raw.lock_key(subject))


@contextmanager
def building(admin: Connection, name: str, options: str) -> Iterator[tuple[str, int]]:
    """Create a database that is to become `name`, and yield its name and oid; drop it unless it was renamed.

    `options` is what follows TEMPLATE template0. Raises psycopg2.Error where it cannot be created.
    """
    built = database_names.built(name, secrets.token_hex(8))
    if not raw.try_lock(admin, built):
        raise RuntimeError(f"the lock of {built}, a name of 64 random bits, is taken")
    try:
        raw.execute(admin, f"CREATE DATABASE {quoted(built)} TEMPLATE template0 {options}")
        yield built, oid_of(admin, built) or 0
    finally:
        with suppress(psycopg2.OperationalError, psycopg2.InterfaceError):  # the server is gone: else mended later
            raw.execute(admin, f"DROP DATABASE IF EXISTS {quoted(built)} WITH (FORCE)")
        with suppress(psycopg2.Error):
            raw.execute(admin, "SELECT pg_advisory_unlock(%s)", raw.lock_key(built))


def _names_like(admin: Connection, pattern: str) -> list[str]:
    with admin.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname ~ %s ORDER BY oid", (pattern,))
        return [str(row[0]) for row in cursor.fetchall()]
