"""Each planted difference on a database whose history has made the rich schema: found, told apart, and mended."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.migrations import drift, expected, inspection, mending, scratch, verification
from app.migrations.build_inputs import Inputs
from app.migrations.catalog import Catalog, Difference
from app.migrations.verification import Facts
from tests.migrations import rich_schema
from tests.migrations.projects import Project
from tests.migrations.test_inspection_differences import Planted, planted

pytestmark = pytest.mark.slow

ONLY_NOTED = {
    "the grants on a schema",
    "the owner of a schema",
    "the owner of a table",
    "a right that the owner took away from himself",
    "the grants on a function",
}
"""Rights where the history sets none."""
NOT_MENDED = {
    "the version of an extension": "there is no such version of it",
    "a column of a view too many": "CREATE OR REPLACE takes no column away",
    "the check of a domain lost": "PostgreSQL adds none in the transaction that dropped one",
    "the access method of a table": "a table still uses it, and is to be copied by hand",
    "a subscription": "cannot be dropped within a transaction",
}
ROUNDS = 3
"""An object can be mended only after another, on which it depends."""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory, scratch_admin: str) -> Iterator[tuple[Facts, Connection]]:
    """What is read of a database at the head, and a connection to plant differences over; they are rolled back."""
    project = Project(tmp_path_factory.mktemp("rich"))
    project.revision("one", rich_schema.SOURCE + "\nSET check_function_bodies = on")
    with scratch.database(scratch_admin, rich_schema.template(scratch_admin)) as url:
        engine = create_engine(url, poolclass=NullPool)
        inputs = Inputs(project.folder)
        found, wanted = expected.gather(project.target(url, scratch_admin), engine, inputs)
        built = expected.find(wanted, ("one",))
        with engine.connect() as connection:
            yield Facts("dev", inputs, ("one",), (), found, (), built, built), connection


def test_a_schema_that_has_everything_is_clean(facts: tuple[Facts, Connection]) -> None:
    assert verification.judge(facts[0]).problems == ()


@pytest.mark.parametrize("case", planted(), ids=lambda case: case.name)
def test_a_planted_difference_is_drift_and_its_statement_mends_it(
    case: Planted, facts: tuple[Facts, Connection], pg: int
) -> None:
    if pg < case.since:
        pytest.skip(f"PostgreSQL {case.since} and later")
    known, connection = facts
    try:
        connection.exec_driver_sql(case.statements.replace("%", "%%"))
        report = judged(known, inspection.read(connection))
        if case.name in ONLY_NOTED:
            assert (report.problems, len(report.notes)) == ((), 2)
            return
        words = [re.sub(r"\bafter\b", "dev", one) for one in case.found]
        assert [one.words for one in report.problems] == [re.sub(r"\bbefore\b", "the history", one) for one in words]
        assert all(one.cure for one in report.problems)
        if case.name not in NOT_MENDED:
            mend(known, connection)
    finally:
        connection.rollback()


def judged(known: Facts, catalog: Catalog) -> verification.Report:
    return verification.judge(known._replace(found=known.found._replace(catalog=catalog)))


def mend(known: Facts, connection: Connection) -> None:
    """Run the statements that are offered; none of what they are for may be left."""
    for _ in range(ROUNDS):
        left = offered(known, inspection.read(connection))
        for statement in left.values():
            try:
                with connection.begin_nested():
                    connection.exec_driver_sql(statement.replace(" CONCURRENTLY", "").replace("%", "%%"))
            except DBAPIError:
                continue
    assert offered(known, inspection.read(connection)) == {}


def offered(known: Facts, catalog: Catalog) -> dict[Difference, str]:
    assert known.at_rows is not None
    found = known.found._replace(catalog=catalog)
    history = drift.as_on_target(known.at_rows.build, found)
    told = drift.compare(known.at_rows.build, found).differences
    return {one: statement for one in told if (statement := mending.sql(one, history, catalog))}
