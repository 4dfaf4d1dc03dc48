"""Statements on a connection of psycopg2, and advisory locks that are held for a name. Knows no table."""

from hashlib import sha256

from psycopg2.extensions import connection as Connection  # noqa: N812 -- the class has a lower-case name


def value(connection: Connection, query: str, *values: object) -> object:
    """Return the first value of the first row; None where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        row = cursor.fetchone()
        return row[0] if row else None


def rows(connection: Connection, query: str, *values: object) -> list[tuple[object, ...]]:
    """Return all rows."""
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return cursor.fetchall()


def execute(connection: Connection, statement: str, *values: object) -> None:
    """Run one statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def try_lock(connection: Connection, name: str) -> bool:
    """Take the session's advisory lock for `name`, unless another session has it; return whether it is held."""
    return bool(value(connection, "SELECT pg_try_advisory_lock(%s)", lock_key(name)))


def lock_key(name: str) -> int:
    """Return the number of the advisory lock that is held for `name`."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
