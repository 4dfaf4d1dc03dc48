"""What going down and up again loses, told from what tables hold before and after."""

from collections.abc import Iterator

import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as RawConnection  # noqa: N812
from sqlalchemy import Connection, text

from app.migrations import lost, scratch
from app.migrations.lost import Lost
from tests.migrations.samples import connected, fill

TABLES = """
CREATE TABLE t (id serial PRIMARY KEY, name text, n int NOT NULL DEFAULT 7, d numeric(10,2),
    at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "Other t" (a int, b int);
CREATE TABLE p (a int, b text) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p DEFAULT;
CREATE TABLE bare ();
"""


@pytest.fixture(scope="module")
def filled(scratch_admin: str) -> Iterator[str]:
    """A database whose tables hold rows; every test changes them in a transaction that is undone."""
    with scratch.database(scratch_admin) as url:
        assert fill(url, TABLES) == {}
        yield url


@pytest.fixture
def connection(filled: str) -> Iterator[Connection]:
    with connected(filled) as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def losses(connection: Connection, *changes: str) -> list[Lost]:
    before = lost.read(connection)
    for change in changes:
        connection.exec_driver_sql(change, execution_options={"no_parameters": True})
    return list(lost.compare(before, lost.read(connection)))


@pytest.mark.parametrize(
    "changes",
    [
        (),
        ("ALTER TABLE t RENAME name TO title",),
        ("ALTER TABLE t RENAME TO u", "ALTER TABLE u RENAME d TO e"),
        ("ALTER TABLE t RENAME TO u", "ALTER TABLE u RENAME TO t"),
        ("ALTER TABLE t ADD x int DEFAULT 3", "INSERT INTO t (name) VALUES ('more')"),
        ("ALTER TABLE t ALTER n TYPE bigint", "ALTER TABLE t ALTER n TYPE text", "ALTER TABLE t ALTER n DROP DEFAULT"),
        ("CREATE TABLE c AS SELECT id, name FROM t", "ALTER TABLE t DROP name", "ALTER TABLE t ADD name text",
         "UPDATE t SET name = c.name FROM c WHERE c.id = t.id"),
        ("CREATE TABLE q AS TABLE p", "DROP TABLE p", "ALTER TABLE q RENAME TO p"),
        ("CREATE INDEX i ON t (name)", "CLUSTER t USING i"),
        ("CREATE TABLE fresh (a int)", "CREATE TABLE gone (a int)", "DROP TABLE gone"),
    ],
    ids=["nothing happened", "a column renamed", "a table and a column renamed", "there and back", "more of all",
         "another type", "saved and put back", "no longer partitioned", "moved on disk",
         "a table that came in between"],
)  # fmt: skip
def test_what_keeps_every_value_is_no_loss(connection: Connection, changes: tuple[str, ...]) -> None:
    assert losses(connection, *changes) == []


def test_a_table_that_is_gone_or_emptied_is_lost_with_its_rows(connection: Connection) -> None:
    assert losses(connection, 'DROP TABLE "Other t"', "DELETE FROM p") == [
        Lost('public."Other t"', None, 20, "the table and its 20 rows are gone"),
        Lost("public.p", None, 20, "its 20 rows are gone, the table is empty"),
    ]


def test_rows_that_are_gone_are_counted(connection: Connection) -> None:
    assert losses(connection, "DELETE FROM t WHERE id <= (SELECT min(id) FROM t)") == [
        Lost("public.t", None, 1, "1 row of 20 are gone")
    ]


def test_a_column_that_is_gone_has_lost_its_values_and_its_nulls_do_not_count(connection: Connection) -> None:
    values = connection.scalar(text("SELECT count(name) FROM t"))
    assert 0 < values < 20
    assert losses(connection, "ALTER TABLE t DROP name") == [
        Lost("public.t", "name", values, f"the column and its {values} values are gone")
    ]


@pytest.mark.parametrize(
    ("column", "again", "detail"),
    [
        ("name", "name text", "values are null now"),
        ("n", "n int NOT NULL DEFAULT 7", "are others now"),
        ("at", "at timestamptz NOT NULL DEFAULT now()", "of 20 are others now"),
        ("id", "id serial PRIMARY KEY", "2 values of 20 are others now"),
        ("d", "d numeric(10,2) GENERATED ALWAYS AS (n % 100) STORED", "are others now"),
    ],
    ids=["nullable", "with a default", "with a default of now", "a serial", "generated"],
)
def test_a_column_that_was_dropped_and_added_again_has_lost_its_values(
    connection: Connection, column: str, again: str, detail: str
) -> None:
    (found,) = losses(connection, f"ALTER TABLE t DROP {column}, ADD {again}")
    assert (found.table, found.column) == ("public.t", column)
    assert found.rows >= 2
    assert found.detail.endswith(detail)


def test_values_that_are_rounded_or_cut_off_are_lost(connection: Connection) -> None:
    rounded = ("ALTER TABLE t ALTER d TYPE numeric(12,0)", "ALTER TABLE t ALTER d TYPE numeric(12,2)")
    found = losses(connection, *rounded, "ALTER TABLE t ALTER name TYPE varchar(3) USING left(name, 3)")
    assert [each.column for each in found] == ["d", "name"]


def test_values_that_stand_in_other_rows_are_lost(connection: Connection) -> None:
    (found,) = losses(
        connection,
        """UPDATE t SET name = s.name FROM (SELECT id, name, row_number() OVER (ORDER BY name, id) AS n FROM t) s,
        (SELECT id, row_number() OVER (ORDER BY id) AS n FROM t) k WHERE s.n = k.n AND k.id = t.id""",
    )
    assert (found.table, found.column) == ("public.t", None)
    assert found.detail.startswith("the values of at least ")


def test_a_large_table_is_compared_by_sums(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost, "LARGEST", 19)
    assert losses(connection) == []
    renamed, changed = "ALTER TABLE t RENAME d TO e", "UPDATE t SET name = 'x' WHERE id = (SELECT max(id) FROM t)"
    found = losses(connection, renamed, "ALTER TABLE t DROP n", changed)
    assert [(each.column, each.rows) for each in found] == [("n", 20), ("name", 1)]


def test_reading_leaves_the_transaction_that_it_was_given_and_opens_none(filled: str) -> None:
    with connected(filled) as connection:
        connection.exec_driver_sql("DELETE FROM t")
        assert lost.read(connection)["public.t"].rows == 0
        connection.rollback()
        assert lost.read(connection)["public.t"].rows == 20
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, RawConnection)
        assert raw.info.transaction_status == TRANSACTION_STATUS_IDLE


def test_only_the_tables_that_are_named_are_read(connection: Connection) -> None:
    query = "SELECT oid::bigint FROM pg_class WHERE relname IN ('p1', 'Other t')"
    oids = [row[0] for row in connection.execute(text(query))]
    assert sorted(lost.read(connection, oids)) == ['public."Other t"', "public.p"]
