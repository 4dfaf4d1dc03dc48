"""Statements of ours that run once for each revision, handed to the driver directly. Knows no statement itself.

SQLAlchemy's own way costs as much again as the server's work. Errors are SQLAlchemy's, so that nobody has to tell
the two ways apart.
"""

from collections.abc import Mapping
from typing import Any

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def run(connection: Connection, statement: str, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
    """Run `statement` in the transaction of `connection`, if it has one, and return its rows, if it has any.

    Begins no transaction in SQLAlchemy's eyes: on a connection that is not in autocommit one has to be open.
    Raises DBAPIError, without the values.
    """
    raw: RawConnection = connection.connection.dbapi_connection  # type: ignore[assignment]
    try:
        with raw.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    except psycopg2.Error as error:
        raise translated(connection, statement, error) from error


def translated(connection: Connection, statement: str, error: psycopg2.Error) -> Exception:
    """Return SQLAlchemy's error for one of the driver; a connection that is lost is given up, as SQLAlchemy does."""
    dialect: Any = connection.dialect
    raw = connection.connection.dbapi_connection
    lost = dialect.is_disconnect(error, raw, None)  # raw.closed says it too late where the server has crashed
    if lost:
        connection.invalidate(error)
    return DBAPIError.instance(statement, None, error, psycopg2.Error, connection_invalidated=lost)
