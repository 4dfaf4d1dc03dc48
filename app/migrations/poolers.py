"""Recognises a connection pooler between us and the server, and whether it keeps sessions apart. Changes nothing.

A pooler that hands out its server connections per transaction gives one session lock to two clients, and one
client's settings to another. https://www.pgbouncer.org/features.html
"""

from sqlalchemy import Connection, Engine

from app.migrations.errors import Refused
from app.migrations.failures import Place

ROUNDS = 5
"""How often two connections are asked in turn: under load a shared server connection may not show at once."""


def refuse_shared_sessions(engine: Engine, one: Connection, place: Place) -> None:
    """Raise Refused when `one`, in autocommit, does not keep a server session to itself.

    Without a pooler, where the pid of the protocol is the pid of the server process, this asks once. Behind one it
    opens a second connection and compares: no process may serve both, and neither may change.
    """
    first = server_pid(one)
    if first == protocol_pid(one):
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
        pairs = {(server_pid(one), server_pid(other)) for _ in range(ROUNDS)}
    ((mine, theirs), *more) = pairs
    if more or mine != first or mine == theirs:
        raise shared_sessions(place)


def shared_sessions(place: Place) -> Refused:
    """Return the refusal of a pooler in transaction mode."""
    return Refused(
        f"{place.described} is reached through a connection pooler in transaction mode: it shares sessions among "
        "clients, so two migrations could both get the lock, and settings would reach others; nothing was changed",
        f"name the server itself, or the pooler's session mode: {place.url}",
    )


def server_pid(connection: Connection) -> int:
    """Return the process that serves this connection at this moment."""
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def protocol_pid(connection: Connection) -> int:
    """Return the process that was announced when the connection was made."""
    return int(connection.connection.dbapi_connection.info.backend_pid)  # type: ignore[union-attr]
