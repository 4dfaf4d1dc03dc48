"""What a dump will hold, read in one transaction whose snapshot pg_dump shares. Changes nothing, stops no writer.

Every table is locked in ACCESS SHARE before the snapshot is taken, so that none can be altered, emptied or dropped
between the two: TRUNCATE and ALTER TABLE are not seen by a snapshot as rows are.
https://www.postgresql.org/docs/current/mvcc-caveats.html
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DataError, DBAPIError, NotSupportedError

from app.migrations import contents, inspection
from app.migrations.advisory import cut
from app.migrations.catalog import Catalog
from app.migrations.contents import Contents, Table
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.failures import Place

NAME = "massacorp-backup"
"""How application_name begins; not as that of a migration, which the next one would take for a killed one's."""
LOCK_WAIT = 60
"""Seconds to wait for tables that others hold in ACCESS EXCLUSIVE. Only such a one can be queued behind a dump."""
TRIES = 5
"""Times that the tables may have changed while they were locked."""
AT_ONCE = 200
"""Tables that are locked by one statement."""
MOST = 5
"""Tables that an error names."""
SETTINGS = (
    "statement_timeout = 0",
    "idle_in_transaction_session_timeout = 0",
    "row_security = off",
)
"""For the transaction alone. With row_security off a query fails rather than see a part of the rows."""
TRANSACTION_TIMEOUT, TRANSACTION_TIMEOUT_SINCE = "transaction_timeout = 0", 17
DROPPED_SOON, DROPPED_SOON_SINCE = "client_connection_check_interval = '2s'", 14
"""Not on every system; it ends a query soon after its client was killed."""
TRANSACTION = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
GONE, LOCKED, FORBIDDEN, FULL = "42P01", "55P03", "42501", "53200"


class Snapshot:
    """An exported snapshot. It lasts as long as the block of `taken`; one thread at a time may ask it.

    `identifier` is what pg_dump takes; `tables` are what it dumps, the biggest first.
    """

    def __init__(self, connection: Connection, identifier: str, tables: list[Table], held: Contents) -> None:
        self.identifier = identifier
        self.tables = tables
        self.contents = held
        self._connection = connection
        self._raw: RawConnection = connection.connection.dbapi_connection  # type: ignore[assignment]

    def rows(self) -> dict[str, int]:
        """Count the rows of every table: a scan of all data."""
        return contents.count(self._connection, self.tables)

    def catalog(self) -> Catalog:
        """Read the schema."""
        return inspection.read(self._connection)

    def cancel(self) -> None:
        """End the query at work, from another thread; it raises there."""
        with suppress(psycopg2.Error):
            self._raw.cancel()


@contextmanager
def taken(engine: Engine, place: Place) -> Iterator[Snapshot]:
    """Lock all tables in ACCESS SHARE, take and export a snapshot, and hold both while the block runs.

    Reads and writes go on. A statement that needs ACCESS EXCLUSIVE - most DDL, TRUNCATE - waits for the end of the
    block, and so does everybody who comes after it. No timeout of the role or the database ends the session.
    Raises Refused where a table stays locked for `LOCK_WAIT` seconds, ConfigurationError where one may not be read.
    """
    with engine.connect().execution_options(**TRANSACTION) as connection, _explained(place):
        listed = _locked(connection, place)
        # After the snapshot: whatever value of a sequence stands in a row that it shows was given before.
        held = contents.read(connection)
        identifier = str(connection.scalar(text("SELECT pg_export_snapshot()")))
        yield Snapshot(connection, identifier, listed, held)


def _locked(connection: Connection, place: Place) -> list[Table]:
    """Lock what is to be dumped, and return it as the snapshot shows it. Locking itself takes no snapshot."""
    name = cut(f"{NAME}/{place.environment or 'url'}")
    accepted = _accepted(connection)
    for _ in range(TRIES):
        _begin(connection, name, accepted)
        wanted = contents.tables(connection)
        _refuse_unreadable(wanted, place)
        connection.rollback()
        _begin(connection, name, accepted)
        try:
            _lock(connection, wanted)
        except DBAPIError as error:
            if _code(error) != GONE:
                raise
        else:
            listed = contents.tables(connection)
            if {table.sql for table in listed} <= {table.sql for table in wanted}:
                return listed
        connection.rollback()
    raise Refused(
        f"{place.described}: tables come and go faster than they can be locked ({TRIES} tries); nothing was written",
        "wait for the end of what creates and drops them, then the same command again",
    )


def _accepted(connection: Connection) -> list[str]:
    """Return the settings that this server has; what an older one does not know is not even asked for."""
    major = connection.connection.dbapi_connection.server_version // 10000  # type: ignore[union-attr]
    found = [TRANSACTION_TIMEOUT] if major >= TRANSACTION_TIMEOUT_SINCE else []
    if major >= DROPPED_SOON_SINCE:
        with suppress(DataError, NotSupportedError):
            connection.execute(text(f"SET LOCAL {DROPPED_SOON}"))
            found.append(DROPPED_SOON)
        connection.rollback()
    return found


def _begin(connection: Connection, name: str, accepted: list[str]) -> None:
    for setting in (*SETTINGS, *accepted, f"lock_timeout = '{LOCK_WAIT}s'"):
        connection.execute(text(f"SET LOCAL {setting}"))
    connection.execute(text("SET LOCAL application_name = :name"), {"name": name})


def _lock(connection: Connection, listed: list[Table]) -> None:
    iterator = iter(listed)
    while batch := [table.sql for table in islice(iterator, AT_ONCE)]:
        only = ", ".join(f"ONLY {sql}" for sql in batch)
        plain = {"no_parameters": True}  # a % in a name is a %
        connection.exec_driver_sql(f"LOCK TABLE {only} IN ACCESS SHARE MODE", execution_options=plain)


def _refuse_unreadable(listed: list[Table], place: Place) -> None:
    forbidden = [table.name for table in listed if not table.readable]
    if forbidden:
        more = f" and {len(forbidden) - MOST} more" if len(forbidden) > MOST else ""
        raise ConfigurationError(
            f"{place.described}: this role may not read {', '.join(forbidden[:MOST])}{more}, and a backup without"
            " them would not be whole; nothing was written",
            "GRANT pg_read_all_data TO the role that makes backups (PostgreSQL 14), or use the owner of the tables",
        )


@contextmanager
def _explained(place: Place) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        explanation = _explanation(error, place)
        if explanation is None:
            raise
        raise explanation from error


def _explanation(error: DBAPIError, place: Place) -> Refused | ConfigurationError | None:
    said = str(error.orig).strip().split("\n")[0]
    if _code(error) == LOCKED:
        return Refused(
            f"{place.described}: for {LOCK_WAIT} s another session has held a table in ACCESS EXCLUSIVE, or waited to:"
            f" {said}; nothing was written",
            "SELECT pid, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE mode ="
            " 'AccessExclusiveLock') shows who; when that is over, the same command again",
        )
    if _code(error) == FORBIDDEN:
        return ConfigurationError(
            f"{place.described}: {said}, so this role sees less than all, and the backup would not be whole; nothing"
            " was written",
            "use the owner of the tables, or ALTER ROLE ... BYPASSRLS where row security hides rows from it",
        )
    if _code(error) == FULL:
        return ConfigurationError(
            f"{place.described}: {said}: a backup locks every table at once; nothing was written",
            "raise max_locks_per_transaction in its postgresql.conf above the number of tables, and restart it",
        )
    return None


def _code(error: DBAPIError) -> str | None:
    return getattr(error.orig, "pgcode", None)
