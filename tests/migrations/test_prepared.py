from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations import prepared, raw

QUERY = "SELECT oid::bigint, datname !~ '%' FROM pg_database WHERE datname = $1 AND oid <> ALL ($2)"


@pytest.fixture
def connection(database: str) -> Iterator[RawConnection]:
    with closing(psycopg2.connect(database.replace("+psycopg2", ""))) as made:
        yield made


def ask(connection: RawConnection) -> list[tuple[object, ...]]:
    name = connection.info.dbname
    return prepared.rows(connection, QUERY, "text, oid[]", name, [])


def test_a_statement_is_prepared_once_and_gives_the_same_rows(connection: RawConnection) -> None:
    first = ask(connection)
    assert len(first) == 1
    assert ask(connection) == first
    assert raw.value(connection, "SELECT count(*) FROM pg_prepared_statements") == 1


def test_a_statement_without_values(connection: RawConnection) -> None:
    assert prepared.rows(connection, "SELECT 1, '50%'") == [(1, "50%")]


def test_a_session_whose_statements_are_gone_goes_on_once_that_is_known(connection: RawConnection) -> None:
    first = ask(connection)
    raw.execute(connection, "DEALLOCATE ALL")
    prepared.forget(connection)
    assert ask(connection) == first


def test_what_is_prepared_still_may_stay(connection: RawConnection) -> None:
    first = ask(connection)
    prepared.forget(connection)
    assert ask(connection) == first
