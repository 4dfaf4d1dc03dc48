"""The two tables that a target keeps about itself: alembic_journal (who applied what) and alembic_identity.

Both stand in the schema of the version table and are always named with it: a migration may change search_path. They
are created on a connection in autocommit, never on the migration's own, where a statement would end Alembic's
transaction handling. `downgrade base` leaves them.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.migrations import driver
from app.migrations.identity import Facts, Identity

JOURNAL, IDENTITY = "alembic_journal", "alembic_identity"
TABLES = frozenset({JOURNAL, IDENTITY})
BEGUN = "begun"
ABANDONED = "abandoned"
NOT_SHOWN = frozenset({"42501", "42883", "0A000"})
"""No right to call pg_control_system(), or a server that has no such function."""

CREATE = (
    """CREATE TABLE IF NOT EXISTS {schema}.alembic_journal (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        revision text NOT NULL,
        action text NOT NULL,
        started_at timestamptz NOT NULL,
        duration_ms bigint,
        os_user text,
        os_host text,
        database_user text NOT NULL DEFAULT session_user,
        git_commit text,
        git_dirty boolean,
        environment text,
        road text NOT NULL,
        digest text,
        source text,
        detail jsonb NOT NULL DEFAULT '{{}}'
    )""",
    """CREATE TABLE IF NOT EXISTS {schema}.alembic_identity (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        environment text NOT NULL,
        protected boolean NOT NULL,
        system_identifier text,
        database_oid bigint NOT NULL,
        host text NOT NULL,
        port integer NOT NULL,
        database text NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now()
    )""",
)


class Actor(NamedTuple):
    """Who makes a change, from where, with which code. `road` is "inv" or "alembic"."""

    os_user: str
    os_host: str
    git_commit: str | None
    git_dirty: bool | None
    environment: str | None
    road: str


class Code(NamedTuple):
    """A revision's file at the moment of the change."""

    digest: str
    source: str


class Row(NamedTuple):
    """What a step adds to the journal; `seconds` is None while it is not over."""

    revision: str
    action: str
    seconds: float | None = None
    code: Code | None = None
    detail: Mapping[str, Any] = MappingProxyType({})


class Entry(NamedTuple):
    """One row of the journal.

    Actions: upgrade, downgrade, stamp, begun, abandoned, failed, claimed, restored, repaired.
    """

    id: int
    revision: str
    action: str
    started_at: datetime
    duration_ms: int | None
    actor: Actor
    database_user: str
    digest: str | None
    source: str | None
    detail: Mapping[str, Any]


def is_schema(name: str | None, kind: str, _parents: object) -> bool:
    """Tell autogenerate (as `include_name`) what to compare: everything but our two tables."""
    return kind != "table" or name not in TABLES


def home(connection: Connection) -> str | None:
    """Return the schema of the version table, quoted: where it is, else where it would be created; None if nowhere."""
    found = connection.scalar(
        text(
            "SELECT coalesce((SELECT relnamespace::regnamespace::text FROM pg_class"
            " WHERE oid = to_regclass('alembic_version')), quote_ident(current_schema()))"
        )
    )
    return None if found is None else str(found)


def exists(connection: Connection, schema: str | None, table: str) -> bool:
    """Return whether one of our tables is there."""
    name = f"{schema}.{table}"
    return schema is not None and connection.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is not None


def create(connection: Connection, schema: str) -> None:
    """Create both tables where they are missing, on a connection in autocommit. Raises DBAPIError without the right."""
    for table, statement in zip((JOURNAL, IDENTITY), CREATE, strict=True):
        if not exists(connection, schema, table):
            _create_once(connection, schema, table, statement.format(schema=schema))


def _create_once(connection: Connection, schema: str, table: str, statement: str) -> None:
    try:
        connection.execute(text(statement))
    except DBAPIError:  # IF NOT EXISTS is no lock: two sessions that create one table can still collide
        if not exists(connection, schema, table):
            raise


def observe(connection: Connection, host: str, port: int) -> Facts:
    """Read what the database is; `host` and `port` are those of the URL. On a connection in autocommit.

    Where the server does not let this role see its system identifier, that is None; any other error is raised.
    """
    oid, name = connection.execute(
        text("SELECT oid::bigint, datname FROM pg_database WHERE datname = current_database()")
    ).one()
    try:
        system = str(connection.scalar(text("SELECT system_identifier FROM pg_control_system()")))
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) not in NOT_SHOWN:
            raise
        system = None
    return Facts(system, int(oid), host, port, str(name))


def identity(connection: Connection, schema: str | None) -> Identity | None:
    """Read whose database this is; None where nothing is recorded. Raises DBAPIError without the right to read."""
    if not exists(connection, schema, IDENTITY):
        return None
    row = connection.execute(
        text(
            "SELECT environment, protected, system_identifier, database_oid, host, port, database,"
            f" to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC' FROM {schema}.{IDENTITY}"
        )
    ).one_or_none()
    if row is None:
        return None
    return Identity(row[0], row[1], Facts(row[2], int(row[3]), row[4], row[5], row[6]), row[7])


def record_identity(connection: Connection, schema: str, environment: str, protected: bool, facts: Facts) -> None:
    """Write the one row, over the one that is there. In the transaction of `connection`, if it has one."""
    connection.execute(
        text(
            f"INSERT INTO {schema}.{IDENTITY} AS i"
            " (environment, protected, system_identifier, database_oid, host, port, database)"
            " VALUES (:environment, :protected, :system, :oid, :host, :port, :database)"
            " ON CONFLICT (only_row) DO UPDATE SET (environment, protected, system_identifier, database_oid,"
            " host, port, database, recorded_at) = (:environment, :protected, :system, :oid, :host, :port,"
            " :database, now())"
        ),
        {"environment": environment, "protected": protected, **facts._asdict()},
    )


def add(connection: Connection, schema: str, actor: Actor, row: Row, closes: bool = False) -> None:
    """Add a row. In the transaction of `connection`, if it has one.

    With `closes` the open rows of earlier tries of the revision are closed by the same statement.
    `started_at` is the server's clock less `row.seconds`.
    """
    driver.run(connection, _insertion(schema, closes), _values(actor, row))


def open_row(connection: Connection, schema: str, actor: Actor, row: Row) -> int:
    """Add a row that is to be finished later, and return its id. In the transaction of `connection`, if it has one."""
    ((number,),) = driver.run(connection, f"{_insertion(schema, closes=False)} RETURNING id", _values(actor, row))
    return int(number)


def _values(actor: Actor, row: Row) -> dict[str, object]:
    return {
        "revision": row.revision,
        "action": row.action,
        "took": timedelta(seconds=row.seconds or 0.0),
        "duration": None if row.seconds is None else round(row.seconds * 1000),
        "digest": row.code.digest if row.code else None,
        "source": row.code.source if row.code else None,
        "detail": json.dumps(dict(row.detail)) if row.detail else "{}",
        **actor._asdict(),
    }


@cache
def _insertion(schema: str, closes: bool) -> str:
    """The statement as the driver wants it, without a function or a cast that the server would have to look up.

    It runs once for each revision, where a statement to compile would count, and half of the server's work too.
    """
    schema = schema.replace("%", "%%")
    table = f"{schema}.{JOURNAL}"
    closed = f"UPDATE {table} SET action = '{ABANDONED}' WHERE revision = %(revision)s AND action = '{BEGUN}'"
    return (
        (f"WITH closed AS ({closed}) " if closes else "")
        + f"INSERT INTO {table} (revision, action, started_at, duration_ms, os_user, os_host,"
        " git_commit, git_dirty, environment, road, digest, source, detail)"
        " VALUES (%(revision)s, %(action)s, clock_timestamp() - %(took)s, %(duration)s, %(os_user)s, %(os_host)s,"
        " %(git_commit)s, %(git_dirty)s, %(environment)s, %(road)s, %(digest)s, %(source)s, %(detail)s)"
    )


def finish(connection: Connection, schema: str, row: int, action: str, seconds: float) -> None:
    """Turn a `begun` row into the row of the finished step, in the transaction that changes the version."""
    connection.execute(
        text(f"UPDATE {schema}.{JOURNAL} SET action = :action, duration_ms = :duration WHERE id = :row"),
        {"action": action, "duration": round(seconds * 1000), "row": row},
    )


def abandon(connection: Connection, schema: str, revision: str) -> None:
    """Close the open rows of earlier tries of `revision`, in the transaction in which a later try succeeds."""
    connection.execute(
        text(f"UPDATE {schema}.{JOURNAL} SET action = :closed WHERE revision = :revision AND action = :begun"),
        {"closed": ABANDONED, "revision": revision, "begun": BEGUN},
    )


def read(connection: Connection, schema: str | None, limit: int) -> Sequence[Entry]:
    """Read the newest `limit` rows, newest first; none where there is no journal."""
    if not exists(connection, schema, JOURNAL):
        return []
    rows = connection.execute(
        text(
            "SELECT id, revision, action, started_at, duration_ms, os_user, os_host, git_commit, git_dirty,"
            f" environment, road, database_user, digest, source, detail FROM {schema}.{JOURNAL}"
            " ORDER BY id DESC LIMIT :limit"
        ),
        {"limit": limit},
    )
    return [_entry(row) for row in rows]


def _entry(row: Sequence[Any]) -> Entry:
    actor, others = Actor(*row[5:11]), row[11:]
    return Entry(row[0], row[1], row[2], row[3], row[4], actor, *others)


def half_applied(connection: Connection, schema: str | None) -> Sequence[str]:
    """Return the revisions that began to commit their work and never ended, each once, the oldest first."""
    if not exists(connection, schema, JOURNAL):
        return []
    statement = text(
        f"SELECT revision FROM {schema}.{JOURNAL} WHERE action = :begun GROUP BY revision ORDER BY min(id)"
    )
    return [str(row[0]) for row in connection.execute(statement, {"begun": BEGUN})]
