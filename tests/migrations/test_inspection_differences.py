"""Every planted difference is found, and nothing else: planted_differences.sql on the database of rich_schema.sql."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from app.migrations import inspection, scratch
from app.migrations.catalog import Catalog, difference, fingerprint, moved_columns
from tests.migrations import rich_schema

PLANTED = Path(__file__).with_name("planted_differences.sql").read_text(encoding="utf-8")
RIGHTS = re.compile(r": (owner|grants to .*) is ")


class Planted(NamedTuple):
    name: str
    since: int
    statements: str
    found: list[str]


def planted() -> list[Planted]:
    cases = []
    for block in PLANTED.split("\n\n")[1:]:
        lines = block.strip().splitlines()
        name, since = re.fullmatch(r"-- (.+?)(?: \((\d+)\))?", lines[0]).groups()  # type: ignore[union-attr]
        found = [line.removeprefix("--> ") for line in lines if line.startswith("--> ")]
        statements = "\n".join(line for line in lines if not line.startswith("--"))
        cases.append(Planted(name, int(since or 0), statements, found))
    return cases


@pytest.fixture(scope="module")
def rich(scratch_admin: str) -> Iterator[Connection]:
    """A connection to a database of the rich schema; what a test does to it is rolled back."""
    with scratch.database(scratch_admin, rich_schema.template(scratch_admin)) as url:
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            yield connection


@pytest.fixture(scope="module")
def before(rich: Connection) -> Catalog:
    return inspection.read(rich)


@pytest.mark.parametrize("case", planted(), ids=lambda case: case.name)
def test_a_planted_difference_is_found(case: Planted, rich: Connection, before: Catalog, pg: int) -> None:
    if pg < case.since:
        pytest.skip(f"PostgreSQL {case.since} and later")
    try:
        rich.exec_driver_sql(case.statements.replace("%", "%%"))
        after = inspection.read(rich)
    finally:
        rich.rollback()
    found = difference(before, after)
    assert [one.words() for one in found] == case.found
    assert len(difference(after, before)) == len(found)
    counted = [words for words in case.found if not RIGHTS.search(words) and not words.startswith("default priv")]
    assert (fingerprint(before) == fingerprint(after)) == (not counted)
    assert len(difference(before, after, grants=False, owners=False)) == len(counted)


def test_no_two_planted_differences_share_a_name() -> None:
    names = [case.name for case in planted()]
    assert len(names) == len(set(names)) > 100


def test_nothing_differs_when_nothing_was_changed(rich: Connection, before: Catalog) -> None:
    assert difference(before, inspection.read(rich)) == []


@pytest.mark.parametrize(
    "statements",
    [
        "ALTER TABLE users ADD COLUMN more integer; ALTER TABLE users DROP COLUMN more",
        "ALTER TABLE users RESET (fillfactor); ALTER TABLE users SET (fillfactor = 90)",
        "REVOKE ALL ON tenants FROM PUBLIC",
        "GRANT ALL ON tenants TO CURRENT_USER",
        "REVOKE UPDATE (name, active) ON users FROM pg_monitor; GRANT UPDATE (active, name) ON users TO pg_monitor",
        "INSERT INTO tenants (slug) VALUES ('a'); SELECT nextval('invoice_number')",
        "REFRESH MATERIALIZED VIEW counted",
        "CREATE TEMPORARY TABLE passing (id serial PRIMARY KEY); CREATE TEMPORARY VIEW v AS SELECT * FROM passing",
        "CREATE TABLE alembic_version (version_num text PRIMARY KEY); COMMENT ON TABLE alembic_version IS 'x'",
        "CREATE TABLE audit.alembic_version (id serial PRIMARY KEY, a integer UNIQUE CHECK (a > 0))",
        "CREATE TABLE alembic_journal (id bigint GENERATED ALWAYS AS IDENTITY); GRANT ALL ON alembic_journal TO PUBLIC",
        "SET LOCAL search_path = audit, public",
        "ANALYZE",
    ],
)
def test_what_is_no_difference_is_not_found(statements: str, rich: Connection, before: Catalog) -> None:
    try:
        rich.exec_driver_sql(statements.replace("%", "%%"))
        after = inspection.read(rich)
    finally:
        rich.rollback()
    assert [one.words() for one in difference(before, after, consequences=True)] == []
    assert moved_columns(before, after) == []
    assert fingerprint(before) == fingerprint(after)


def test_columns_in_another_order_are_no_difference_and_are_told_apart(rich: Connection) -> None:
    try:
        rich.exec_driver_sql("CREATE TABLE t (a integer NOT NULL DEFAULT 1, b text)")
        before = inspection.read(rich)
        rich.exec_driver_sql("ALTER TABLE t DROP a, ADD c integer, ADD a integer NOT NULL DEFAULT 1")
        rich.exec_driver_sql("ALTER TABLE t DROP c")
        after = inspection.read(rich)
    finally:
        rich.rollback()
    assert difference(before, after) == []
    assert fingerprint(before) == fingerprint(after)
    assert moved_columns(before, after) == [("public.t", ("a", "b"), ("b", "a"))]
