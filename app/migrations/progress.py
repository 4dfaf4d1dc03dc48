"""How far the server says a long statement of a migration is, read on a connection of its own. Changes nothing.

PostgreSQL reports index builds, CLUSTER and VACUUM FULL, and COPY; a table that ALTER TABLE rewrites is not reported.
https://www.postgresql.org/docs/current/progress-reporting.html
"""

from contextlib import suppress
from typing import NamedTuple

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection, Engine

from app.migrations.advisory import WATCH, open_named
from app.migrations.guard import FAMILY

PATIENCE = "SET statement_timeout = '1s'; SET lock_timeout = '1s'"
MIGRATION = """(SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND starts_with(application_name, %(family)s) AND application_name !~ '/(lock|watch)$')"""
REPORTS = f"""
SELECT 'index on', relid::regclass::text, replace(phase, 'building index: ', ''),
       CASE WHEN phase LIKE '%%tuples%%' THEN tuples_done ELSE blocks_done END,
       CASE WHEN phase LIKE '%%tuples%%' THEN tuples_total ELSE blocks_total END
FROM pg_stat_progress_create_index WHERE pid IN {MIGRATION}
UNION ALL
SELECT lower(command), relid::regclass::text, phase, heap_blks_scanned, heap_blks_total
FROM pg_stat_progress_cluster WHERE pid IN {MIGRATION}
UNION ALL
SELECT 'copy', relid::regclass::text, lower(command), bytes_processed, bytes_total
FROM pg_stat_progress_copy WHERE pid IN {MIGRATION}
"""  # noqa: S608 -- constants


class Report(NamedTuple):
    """What is built or rewritten, in which phase; `done` and `total` are of one unit, `total` is 0 where unknown."""

    work: str
    relation: str
    phase: str
    done: int
    total: int

    @property
    def described(self) -> str:
        """Return it in a few words; a table that is not committed yet has no name for other sessions."""
        return f"{self.work} {'a new table' if self.relation.isdigit() else self.relation}: {self.phase}"


class Reporter:
    """Asks the server about the migration of one environment. Connects with the first question, and never raises."""

    def __init__(self, engine: Engine, environment: str) -> None:
        self.engine = engine
        self.name = f"{FAMILY}/{environment or 'url'}"
        self.connection: Connection | None = None
        self.broken = False

    def ask(self) -> Report | None:
        """Return the report of the statement at work; None without one, and for good once a question has failed."""
        if self.broken:
            return None
        try:
            row = self._first()
        except Exception:  # noqa: BLE001 -- whatever it is, the migration goes on without a bar
            self.broken = True
            return None
        return Report(*row) if row else None

    def close(self) -> None:
        """End the connection, if there is one."""
        if self.connection is not None:
            with suppress(Exception):
                self.connection.close()

    def _first(self) -> tuple[str, str, str, int, int] | None:
        if self.connection is None:
            self.connection = open_named(self.engine, f"{self.name}{WATCH}")
            with self._raw.cursor() as cursor:
                self._raw.autocommit = True
                cursor.execute(PATIENCE)
        with self._raw.cursor() as cursor:
            cursor.execute(REPORTS, {"family": f"{self.name}/"})
            row: tuple[str, str, str, int, int] | None = cursor.fetchone()
        return row

    @property
    def _raw(self) -> RawConnection:
        return self.connection.connection.dbapi_connection  # type: ignore[union-attr, return-value]
