"""A large schema is read with as few statements as a small one, and one history is equal on two major versions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from app.migrations import inspection, scratch
from app.migrations.catalog import difference, fingerprint, from_document, moved_columns, to_document
from tests.migrations import rich_schema

pytestmark = pytest.mark.slow
TABLES = 1000
TABLE = """CREATE TABLE t{n} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent bigint REFERENCES t{parent},
    a integer NOT NULL, b text DEFAULT 'x', c timestamptz DEFAULT now(), d numeric(10, 2), e boolean, f jsonb, g uuid,
    h varchar(40)); CREATE INDEX ON t{n} (a); CREATE INDEX ON t{n} (b, c);"""


class Counted(Cursor):
    """Counts what it executes."""

    executed = 0

    def execute(self, *arguments: Any) -> None:
        type(self).executed += 1
        super().execute(*arguments)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with create_engine(database, poolclass=NullPool).connect() as connection:
        yield connection


def test_a_thousand_tables_take_as_many_statements_as_one(connection: Connection) -> None:
    inspection.read(connection)
    connection.connection.dbapi_connection.cursor_factory = Counted  # type: ignore[union-attr]
    for n in range(TABLES):
        connection.exec_driver_sql(TABLE.format(n=n, parent=max(n - 1, 0)))
    Counted.executed = 0
    catalog = inspection.read(connection)
    assert Counted.executed == 3
    kinds = {kind: sum(key.kind == kind for key in catalog.objects) for kind in {key.kind for key in catalog.objects}}
    assert kinds == {
        "schema": 1, "extension": 1, "table": TABLES, "column": 10 * TABLES, "index": 2 * TABLES,
        "constraint": 2 * TABLES, "sequence": TABLES,
    }  # fmt: skip
    assert len(catalog.positions) == TABLES
    assert from_document(to_document(catalog)) == catalog


def test_the_rich_schema_is_equal_on_16_and_18(root: Path) -> None:
    catalogs = []
    for major in (16, 18):
        admin = scratch.admin_url(root, scratch.EMBEDDED, major=major)
        with (
            scratch.database(admin, rich_schema.template(admin)) as url,
            create_engine(url, poolclass=NullPool).connect() as connection,
        ):
            catalogs.append(inspection.read(connection))
    old, new = catalogs
    assert difference(old, new, consequences=True) == []
    assert moved_columns(old, new) == []
    assert fingerprint(old) == fingerprint(new)
    assert (old.server_version, new.server_version) == (16, 18)
