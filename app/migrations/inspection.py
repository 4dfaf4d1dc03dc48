"""Reads the catalog of a schema from a connection, in one statement. Changes nothing, decides nothing.

The statement, and how it names things, are in `inspection_queries`.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg2
from psycopg2.errors import DuplicatePreparedStatement, InvalidSqlStatementName
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from sqlalchemy import Connection

from app.migrations import driver, journal
from app.migrations.catalog import Catalog
from app.migrations.inspection_queries import ALWAYS, PROBE, PROBED, statement
from app.migrations.inspection_rows import assemble

OURS = frozenset({"alembic_version"}) | journal.TABLES
QUALIFIED = "SET LOCAL search_path = pg_catalog, pg_temp"
"""Names come out with their schema, and no function of a user's can stand in for one of the server's."""

_prepared: WeakKeyDictionary[RawConnection, dict[str, str | None] | None] = WeakKeyDictionary()
"""The statements that a session has run, with their names once they are prepared; None for a session to leave alone."""


def read(connection: Connection, left_out: Collection[str] = OURS) -> Catalog:
    """Read the schema: in the transaction of the connection, if it has one; else in one of its own, that is undone.

    Tables named in `left_out` are left out in every schema, with what belongs to them. Search path and transaction of
    the connection are afterwards what they were; a session that reads twice keeps prepared statements. Locks, ACCESS
    SHARE, are taken on pg_catalog and, by pg_get_viewdef(), on views and what they read; so the read waits, for
    lock_timeout at most, for whoever alters those. All are released at its end. Reads nothing that an ordinary role
    may not: no passwords and no connection strings (of user mappings and subscriptions). Raises DBAPIError.
    """
    try:
        return read_raw(cast(RawConnection, connection.connection.dbapi_connection), left_out)
    except psycopg2.Error as error:
        raise driver.translated(connection, "reading the catalog", error) from error


def read_raw(connection: RawConnection, left_out: Collection[str] = OURS) -> Catalog:
    """Do what `read` does on a connection of psycopg2: three round trips in a transaction. Raises psycopg2.Error."""
    try:
        return _read(connection, left_out)
    except (InvalidSqlStatementName, DuplicatePreparedStatement):  # DISCARD ALL, or a pooler gave another session
        _prepared[connection] = None
        return _read(connection, left_out)


def _read(connection: RawConnection, left_out: Collection[str]) -> Catalog:
    version = connection.server_version // 10000
    with connection.cursor() as cursor, _undone(connection, cursor) as begin:
        present = _one_row(cursor, PROBE, f"{begin}; {QUALIFIED}; ")
        parts = (*ALWAYS, *(part for part, exists in zip(PROBED, present, strict=True) if exists))
        text = cursor.mogrify(statement(version, parts), {"left_out": sorted(left_out)}).decode()
        arrays = _one_row(cursor, text)
    return assemble({part.section: json.loads(array) for part, array in zip(parts, arrays, strict=True)}, version)


def _one_row(cursor: Cursor, text: str, before: str = "") -> tuple[Any, ...]:
    """Run a statement, from its second time in a session on as a prepared one: planning takes as long as running it."""
    known = _prepared.setdefault(cursor.connection, {})
    if known is None:
        cursor.execute(before + text)
    elif text not in known:
        cursor.execute(before + text)
        known[text] = None
    elif (name := known[text]) is None:
        known[text] = name = f"inspection_{sha256(text.encode()).hexdigest()[:16]}"
        cursor.execute(f"{before}PREPARE {name} AS {text}; EXECUTE {name}")
    else:
        cursor.execute(f"{before}EXECUTE {name}")
    return cursor.fetchall()[0]


@contextmanager
def _undone(connection: RawConnection, cursor: Cursor) -> Iterator[str]:
    """Yield the statement to begin with; what it began is rolled back, which also restores every setting."""
    status = connection.info.transaction_status
    if status != TRANSACTION_STATUS_IDLE:
        begin, end = "SAVEPOINT inspection", "ROLLBACK TO SAVEPOINT inspection; RELEASE SAVEPOINT inspection"
    elif connection.autocommit:
        begin, end = "BEGIN READ ONLY", "ROLLBACK"
    else:
        begin, end = "SET TRANSACTION READ ONLY", "ROLLBACK"
    try:
        yield begin
    except BaseException:
        with suppress(psycopg2.Error):  # a lost connection has nothing left to undo
            _end(connection, cursor, end)
        raise
    _end(connection, cursor, end)


def _end(connection: RawConnection, cursor: Cursor, statement: str) -> None:
    if statement == "ROLLBACK" and not connection.autocommit:
        connection.rollback()
    else:
        cursor.execute(statement)
