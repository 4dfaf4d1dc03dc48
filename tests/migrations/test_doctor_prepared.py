"""A prepared transaction that nobody ends is found after some seconds, and ended by what is printed."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import server, session_symptoms
from app.migrations.programs import find_server_programs
from app.migrations.startup import Server
from app.migrations.symptoms import Blocking
from tests.migrations.chains import ask, session, until

pytestmark = pytest.mark.slow


@pytest.fixture
def two_phase(pg: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of a server that allows prepared transactions."""
    own = Server(tmp_path_factory.mktemp("pg") / "data", find_server_programs("", pg), durable=False)
    ask(server.open_database(own, "shop"), "ALTER SYSTEM SET max_prepared_transactions = 5")
    server.stop(own)
    yield server.open_database(own, "shop")
    server.stop(own)


def prepared(url: str) -> tuple[Blocking, ...]:
    with create_engine(url, poolclass=NullPool).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return session_symptoms.prepared(connection)


def test_it_is_found_once_it_is_forgotten(two_phase: str) -> None:
    ask(two_phase, "CREATE TABLE t (a int)")
    with session(two_phase) as cursor:
        cursor.connection.set_session(autocommit=True)
        cursor.execute("BEGIN; INSERT INTO t VALUES (1)")
        cursor.execute("PREPARE TRANSACTION 'nightly''s'")
    assert prepared(two_phase) == (), "a coordinator may be about to end it"
    until(lambda: prepared(two_phase), "it counts as forgotten")
    (found,) = prepared(two_phase)
    assert found.described.startswith("prepared transaction 'nightly's' (user postgres), prepared 5 s ago")
    ask(two_phase, found.ending)
    assert prepared(two_phase) == ()
