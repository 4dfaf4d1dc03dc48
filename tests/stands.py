"""Where a database stands, read so that it can be compared: its revision, its schema, its journal."""

from contextlib import closing
from typing import Any, NamedTuple

import psycopg2

from tests.migrations.chains import dsn

SCHEMA = """
SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       col_description(c.oid, a.attnum)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT starts_with(c.relname, 'alembic_')
  AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'index', c.relname, pg_get_indexdef(i.indexrelid), '', i.indisvalid, NULL
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = 'public'::regnamespace AND NOT starts_with(c.relname, 'alembic_')
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated, NULL
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND NOT starts_with(conrelid::regclass::text, 'alembic_')
ORDER BY 1, 2, 3
"""
Schema = list[tuple[Any, ...]]


class Stand(NamedTuple):
    """Where a database stands: its revision (base: empty), its tables, its journal, its relations."""

    revision: str
    schema: Schema
    journal: list[tuple[str, str]]
    objects: tuple[str, ...]

    @property
    def begun(self) -> list[str]:
        """What the journal says was begun and never ended, each once."""
        return list(dict.fromkeys(revision for revision, action in self.journal if action == "begun"))


def stand(url: str) -> Stand:
    """Read it over one connection of its own."""
    with closing(psycopg2.connect(dsn(url))) as connection, connection.cursor() as cursor:

        def rows(query: str) -> list[tuple[Any, ...]]:
            cursor.execute(query)
            return cursor.fetchall()

        tables = {row[0] for row in rows("SELECT relname FROM pg_class WHERE relname LIKE 'alembic%'")}
        version = rows("SELECT version_num FROM alembic_version") if "alembic_version" in tables else []
        journal = "SELECT revision, action FROM alembic_journal ORDER BY id"
        kept = rows(journal) if "alembic_journal" in tables else []
        objects = rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")
        revision = ", ".join(row[0] for row in version)
        return Stand(revision, rows(SCHEMA), [(row[0], row[1]) for row in kept], tuple(row[0] for row in objects))
