"""The figures by which a finding is weighed."""

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import weights
from app.migrations.weights import Figures, amount, size

TABLES = """
CREATE TABLE small (id int);
INSERT INTO small SELECT generate_series(1, 12);
CREATE TABLE "Odd name" (id int PRIMARY KEY, body text);
INSERT INTO "Odd name" SELECT g, repeat('x', 100) FROM generate_series(1, 5000) g;
CREATE TABLE parts (id int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id);
CREATE TABLE parts_2_1 PARTITION OF parts_2 FOR VALUES FROM (100) TO (200);
INSERT INTO parts SELECT generate_series(0, 149);
CREATE TABLE nothing (id int);
CREATE VIEW looks AS SELECT * FROM small;
"""


def figures(database: str, *names: str) -> dict[str, Figures]:
    with create_engine(database, poolclass=NullPool).connect() as connection:
        return weights.read(connection, names)


def run(database: str, *statements: str) -> None:
    engine = create_engine(database, poolclass=NullPool).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_tables_are_counted_with_their_partitions_and_indexes(database: str) -> None:
    run(database, TABLES, "ANALYZE")
    found = figures(database, "public.small", 'public."Odd name"', "public.parts", "public.nothing", "public.looks")
    assert {name: one.rows for name, one in found.items()} == {
        "public.small": 12, 'public."Odd name"': 5000, "public.parts": 150, "public.nothing": 0
    }  # fmt: skip
    assert found['public."Odd name"'].bytes > 5000 * 100
    assert found["public.parts"].bytes == 2 * found["public.small"].bytes > 0


def test_a_table_that_nobody_analyzed_is_estimated_by_what_was_written(database: str) -> None:
    run(database, "CREATE TABLE fresh (id int)", "INSERT INTO fresh SELECT generate_series(1, 70)")
    assert figures(database, "public.fresh")["public.fresh"].rows == 70  # the session that wrote has ended


def test_writes_and_scans_are_those_of_a_second(database: str) -> None:
    run(database, "CREATE TABLE busy (id int)", "SELECT pg_stat_reset()")
    run(database, "INSERT INTO busy SELECT generate_series(1, 100000)", "SELECT count(*) FROM busy")
    found = figures(database, "public.busy")["public.busy"]
    assert found.writes > 10 * found.scans > 0


def test_a_table_that_is_not_there_is_left_out(database: str) -> None:
    assert figures(database, "public.gone", "gone.too") == {}
    assert figures(database) == {}


def test_a_table_is_small_or_large_by_rows_bytes_and_traffic() -> None:
    assert Figures(12, 8192, 0, 0).is_small
    assert not Figures(12, 8192, 5000, 5000).is_large
    assert not Figures(20_000, 8192, 0, 0).is_small
    assert not Figures(20_000, 8192, 9, 0).is_large
    assert Figures(20_000, 8192, 9, 2).is_large
    assert Figures(1_000_000, 8192, 0, 0).is_large
    assert Figures(12, 2**30, 0, 0).is_large


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (12, "12"), (999, "999"), (1200, "1.2 k"), (1000, "1 k"), (90e6, "90 M"), (3.25e9, "3.2 G")],
)
def test_an_amount_in_a_few_characters(number: float, said: str) -> None:
    assert amount(number) == said


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 bytes"), (8192, "8 kB"), (44_023_414_784, "41 GB"), (1_610_612_736, "1.5 GB")]
)
def test_a_size_in_a_few_characters(count: int, said: str) -> None:
    assert size(count) == said


def test_figures_in_words() -> None:
    assert str(Figures(90_000_000, 44_023_414_784, 1200, 0)) == "90 M rows, 41 GB, 1.2 k writes/s"
    assert str(Figures(1, 8192, 0, 3)) == "1 row, 8 kB, 3 scans/s"
