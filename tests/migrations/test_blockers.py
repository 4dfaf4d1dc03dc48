"""Who is in the way of a waiting session, read from a real server."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
import pytest

from app.migrations import server
from app.migrations.blockers import Holder, Wait, describe, in_the_way, spoken, waiting
from app.migrations.programs import find_server_programs
from app.migrations.startup import Server
from tests.migrations.chains import ask, dsn, session, until


@pytest.fixture
def look(database: str) -> Iterator[Any]:
    ask(database, "CREATE TABLE t (a int)")
    connection = psycopg2.connect(dsn(database))
    connection.autocommit = True
    yield connection
    connection.close()


@contextmanager
def queued(database: str, statement: str) -> Iterator[int]:
    """The pid of a session that waits to run `statement`; it is ended afterwards."""
    with session(database) as cursor:
        pid = cursor.connection.info.backend_pid
        thread = threading.Thread(target=swallow, args=(cursor, statement))
        thread.start()
        query = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"
        try:
            until(lambda: ask(database, query, pid), "the session waits")
            yield pid
        finally:
            ask(database, "SELECT pg_terminate_backend(%s, 5000)", pid)
            thread.join()


def swallow(cursor: Any, statement: str) -> None:
    with suppress(psycopg2.Error):
        cursor.execute(statement)


def holder(cursor: Any) -> Holder:
    cursor.execute(
        "SELECT pid, virtualtransaction FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'virtualxid'"
    )
    return Holder(*cursor.fetchone())


def only(cursor: Any) -> frozenset[Holder]:
    return frozenset({holder(cursor)})


def test_a_session_that_does_not_wait_is_blocked_by_nobody(look: Any, database: str) -> None:
    with session(database) as cursor:
        cursor.execute("LOCK t")
        assert waiting(look, cursor.connection.info.backend_pid) is None


def test_the_very_transaction_in_the_way_is_known(look: Any, database: str) -> None:
    with session(database) as reader, session(database) as other:
        reader.execute("SELECT * FROM t")
        other.execute("SELECT 1")
        with queued(database, "ALTER TABLE t ADD b int") as pid:
            found = waiting(look, pid)
        assert found is not None
        assert (found.name, found.mode, found.holders) == ("t", "AccessExclusiveLock", only(reader))


def test_a_session_is_in_the_way_no_more_once_it_is_in_another_transaction(look: Any, database: str) -> None:
    with session(database) as reader:
        reader.execute("SELECT 't'::regclass::oid::bigint FROM t UNION SELECT 't'::regclass::oid::bigint")
        wait = Wait(reader.fetchone()[0], "t", "AccessExclusiveLock", only(reader))
        assert in_the_way(look, wait) == (wait.holders, frozenset())
        reader.connection.rollback()
        reader.execute("SELECT * FROM t")
        assert in_the_way(look, wait) == (frozenset(), only(reader))
        assert in_the_way(look, wait._replace(mode="ShareLock")) == (frozenset(), frozenset())


def test_a_row_that_is_locked_is_waited_for_too(look: Any, database: str) -> None:
    ask(database, "INSERT INTO t VALUES (1)")
    with session(database) as writer:
        writer.execute("UPDATE t SET a = 2")
        with queued(database, "UPDATE t SET a = 3") as pid:
            found = waiting(look, pid)
        assert found is not None
        assert (found.relation, found.holders) == (0, only(writer))


def test_a_blocker_is_described(look: Any, database: str) -> None:
    with session(database, "report") as reader:
        reader.execute("SELECT *\n  FROM t")
        (found,) = describe(look, [holder(reader)])
        pid = reader.connection.info.backend_pid
    assert found.described.startswith(f"pid {pid} (user postgres, application report), transaction open for ")
    assert found.ending == f"SELECT pg_terminate_backend({pid})"


def test_an_ordinary_role_finds_the_blocker_and_says_what_it_cannot_see(look: Any, database: str) -> None:
    role = f"plain_{secrets.token_hex(4)}"
    ask(database, f"CREATE ROLE {role} LOGIN")
    plain = psycopg2.connect(dsn(database), user=role)
    try:
        with session(database, "report") as reader:
            reader.execute("SELECT * FROM t")
            with queued(database, "ALTER TABLE t ADD b int") as pid:
                found = waiting(plain, pid)
            assert found is not None
            assert in_the_way(plain, found)[0] == only(reader)
            (described,) = describe(plain, found.holders)
            pid = reader.connection.info.backend_pid
        assert described.described == (
            f"pid {pid} (user postgres, application report), the age of its transaction and its query are shown to "
            "members of pg_read_all_stats only"
        )
    finally:
        plain.close()
        ask(database, f"DROP ROLE {role}")


@pytest.fixture(scope="module")
def two_phase(pg: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of a server that allows prepared transactions."""
    own = Server(tmp_path_factory.mktemp("pg") / "data", find_server_programs("", pg), durable=False)
    ask(server.open_database(own, "shop"), "ALTER SYSTEM SET max_prepared_transactions = 5")
    server.stop(own)
    yield server.open_database(own, "shop")
    server.stop(own)


@pytest.mark.slow
def test_a_prepared_transaction_is_named(two_phase: str) -> None:
    ask(two_phase, "CREATE TABLE t (a int)")
    with session(two_phase) as cursor:
        cursor.connection.set_session(autocommit=True)
        cursor.execute("BEGIN; INSERT INTO t VALUES (1)")
        cursor.execute("PREPARE TRANSACTION 'nightly''s'")
    with session(two_phase) as cursor, queued(two_phase, "ALTER TABLE t ADD b int") as pid:
        found = waiting(cursor.connection, pid)
        assert found is not None
        assert [holder.pid for holder in found.holders] == [0]
        assert in_the_way(cursor.connection, found)[0] == found.holders
        (described,) = describe(cursor.connection, found.holders)
        assert described.described.startswith("prepared transaction 'nightly's' (user postgres), prepared ")
        ask(two_phase, described.ending)
        assert in_the_way(cursor.connection, found)[0] == frozenset()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 ms"),
        (0.25, "250 ms"),
        (1, "1 s"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (7325, "2 h 2 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_lengths_of_time_are_spoken_in_two_units(seconds: float, words: str) -> None:
    assert spoken(seconds) == words
