"""A traced connection behaves as any other, and what it tells of statements, transactions and locks is right."""

import io
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from psycopg2 import extras, sql
from psycopg2.extensions import TRANSACTION_STATUS_INERROR, TRANSACTION_STATUS_INTRANS

from app.migrations import trace_observation as observation
from app.migrations.trace_drafts import Clock
from app.migrations.trace_session import is_heard
from tests.migrations.chains import ask, dsn, until
from tests.migrations.traces import Tracer, locked, tracer

ACCESS_EXCLUSIVE = "AccessExclusiveLock"
TABLES = """
CREATE TABLE t (a integer, s text);
INSERT INTO t SELECT g, g FROM generate_series(1, 20) g;
CREATE TABLE u (a int);
"""


@pytest.fixture
def traced(database: str) -> Iterator[Tracer]:
    ask(database, TABLES)
    with tracer(database) as found:
        yield found


@pytest.fixture
def alone(database: str) -> Iterator[Tracer]:
    ask(database, TABLES)
    with tracer(database, autocommit=True) as found:
        yield found


def test_a_statement_that_fails_fails_as_it_does_without_the_trace(traced: Tracer) -> None:
    traced.execute("INSERT INTO u VALUES (1)")
    with pytest.raises(psycopg2.errors.UndefinedTable) as caught:
        traced.execute("SELECT * FROM nowhere")
    assert caught.value.pgcode == "42P01"
    assert traced.raw.info.transaction_status == TRANSACTION_STATUS_INERROR
    with pytest.raises(psycopg2.errors.InFailedSqlTransaction):
        traced.execute("SELECT 1")
    traced.raw.rollback()
    assert [(one.sql, one.failed) for one in traced.statements] == [
        ("INSERT INTO u VALUES (1)", False),
        ("SELECT * FROM nowhere", True),
        ("SELECT 1", True),
    ]
    assert [one.segment for one in traced.statements] == [1, 1, 1]


def test_a_question_that_fails_leaves_the_transaction_as_it_was(
    traced: Tracer, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced.execute("INSERT INTO u VALUES (1)")
    with monkeypatch.context() as patched:
        patched.setattr(observation, "LOCKS", "SELECT 1 / 0, %(pid)s")
        assert traced.execute("ALTER TABLE t ADD z int").locks == ()
    assert traced.raw.info.transaction_status == TRANSACTION_STATUS_INTRANS
    traced.execute("UPDATE t SET z = a")
    assert locked(traced.statements[-1]) == {"t": ACCESS_EXCLUSIVE}
    traced.raw.commit()
    assert traced.execute("SELECT sum(z) FROM t").rows == 1


def test_a_rolled_back_savepoint_gives_its_locks_and_its_tables_back(traced: Tracer) -> None:
    traced.execute("SAVEPOINT s")
    before = traced.execute("CREATE TABLE n (a int)")
    assert (before.created, [lock.new for lock in before.locks]) == (("public.n",), [True])
    traced.execute("ALTER TABLE t ADD z int")
    traced.execute("ROLLBACK TO SAVEPOINT s")
    traced.execute("SELECT pg_sleep(0.05)")
    again = traced.execute("ALTER TABLE t ADD z int")
    assert locked(again) == {"t": ACCESS_EXCLUSIVE}
    assert traced.execute("CREATE TABLE n (a int)").created == ("public.n",)
    traced.raw.commit()
    first = traced.statements[2].locks[0]
    assert first.held_ms is not None
    assert first.held_ms < 50


def test_an_error_that_a_savepoint_catches_ends_nothing(traced: Tracer) -> None:
    traced.execute("ALTER TABLE u ADD z int")
    traced.execute("SAVEPOINT s")
    with pytest.raises(psycopg2.Error):
        traced.execute("LOCK t; SELECT 1 / 0")
    traced.execute("ROLLBACK TO SAVEPOINT s")
    assert locked(traced.execute("ALTER TABLE t ADD z int")) == {"t": ACCESS_EXCLUSIVE}
    traced.raw.commit()
    assert traced.raw.info.transaction_status == 0
    assert traced.execute("SELECT u.z FROM u, t").rows == 0


@pytest.mark.parametrize("level", ["SERIALIZABLE", "REPEATABLE READ"])
def test_the_isolation_level_can_be_set_first_and_twice(traced: Tracer, level: str) -> None:
    traced.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
    traced.execute(f"SET TRANSACTION ISOLATION LEVEL {level}, READ ONLY")
    assert traced.execute("SELECT * FROM t").rows == 20
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        traced.execute("UPDATE t SET a = 1")


def test_a_lock_lasts_from_its_statement_to_the_end_of_its_transaction(traced: Tracer) -> None:
    traced.execute("ALTER TABLE t ADD z int")
    traced.execute("SELECT pg_sleep(0.05)")
    traced.raw.commit()
    traced.execute("SELECT pg_sleep(0.05)")
    traced.raw.commit()
    first, second, third = traced.statements
    held = first.locks[0].held_ms
    assert held is not None
    assert first.ms + second.ms <= held < first.ms + second.ms + third.ms
    assert [one.segment for one in traced.statements] == [1, 1, 2]


def test_a_lock_is_told_when_it_is_first_taken_and_when_it_gets_stronger(traced: Tracer) -> None:
    assert locked(traced.execute("SELECT * FROM t")) == {"t": "AccessShareLock"}
    assert locked(traced.execute("SELECT * FROM t")) == {}
    assert locked(traced.execute("UPDATE t SET a = 1")) == {"t": "RowExclusiveLock"}
    assert locked(traced.execute("SELECT * FROM t FOR UPDATE")) == {}
    assert locked(traced.execute("LOCK t IN SHARE MODE")) == {"t": "ShareLock"}
    assert locked(traced.execute("ANALYZE t")) == {"t": "ShareUpdateExclusiveLock"}
    assert locked(traced.execute("ALTER TABLE t ADD z int")) == {"t": ACCESS_EXCLUSIVE}
    assert locked(traced.execute("LOCK t IN SHARE ROW EXCLUSIVE MODE")) == {}


def test_what_the_revision_makes_is_new_and_what_was_there_keeps_its_first_name(traced: Tracer) -> None:
    made = traced.execute("CREATE TABLE n (a int)")
    assert [(lock.relation, lock.new, lock.origin) for lock in made.locks] == [("public.n", True, "")]
    filled = traced.execute("INSERT INTO n VALUES (1)")
    changed = traced.execute("ALTER TABLE n ALTER a TYPE bigint, ADD CHECK (a > 0)")
    assert (filled.rows, changed.rewritten, changed.validated, changed.scanned) == (1, (), (), ())
    traced.execute('ALTER TABLE t RENAME TO "my t"')
    traced.raw.commit()
    traced.new_revision()
    lock = traced.execute('LOCK "my t"').locks[0]
    assert (lock.relation, lock.origin, lock.new) == ('public."my t"', "public.t", False)
    lock = traced.execute("LOCK n").locks[0]
    assert (lock.relation, lock.origin, lock.new) == ("public.n", "", False)


def test_system_catalogs_count_only_where_others_would_wait(traced: Tracer) -> None:
    assert traced.execute("CREATE TYPE m AS ENUM ('a')").locks == ()
    found = [(lock.relation, lock.mode) for lock in traced.execute("LOCK pg_description IN SHARE MODE").locks]
    assert found == [("pg_catalog.pg_description", "ShareLock")]


def test_results_cursors_and_copies_are_as_without_the_trace(traced: Tracer) -> None:
    with traced.raw.cursor() as cursor:
        cursor.execute("SELECT a FROM t ORDER BY a")
        assert [row[0] for row in cursor.fetchmany(2)] == [1, 2]
        traced.execute("ALTER TABLE u ADD b int")
        assert cursor.fetchone() == (3,)
    with traced.raw.cursor("server_side") as named:
        named.itersize = 3
        named.execute("SELECT a FROM t ORDER BY a")
        seen = [(row[0], traced.execute("UPDATE u SET b = 1").sql) for row in named]
    assert [one for one, _ in seen] == list(range(1, 21))
    with traced.raw.cursor() as cursor:
        out = io.StringIO()
        cursor.copy_expert("COPY t (a) TO STDOUT", out)
        cursor.copy_from(io.StringIO("100\n101\n"), "u", columns=("a",))
        assert (len(out.getvalue().splitlines()), cursor.rowcount) == (20, 2)
    assert [(one.sql, one.rows) for one in traced.statements[-2:]] == [
        ("COPY t (a) TO STDOUT", 20),
        ('COPY "u" FROM STDIN', 2),
    ]
    assert traced.execute("SELECT * FROM u").rows == 2


def test_every_way_to_send_a_statement_is_heard_once(traced: Tracer) -> None:
    raw: Any = traced.raw
    with raw.cursor(cursor_factory=extras.RealDictCursor) as cursor:
        cursor.execute("SELECT 1 AS one")
        assert cursor.fetchone() == {"one": 1}
    with raw.cursor() as cursor:
        cursor.executemany("INSERT INTO u VALUES (%s)", ([one] for one in range(3)))
        extras.execute_values(cursor, "INSERT INTO u VALUES %s", [(1,), (2,)])
        extras.execute_batch(cursor, "DELETE FROM u WHERE a = %s", [(1,), (2,)])
        cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("t")))
        cursor.callproc("abs", [5])
        assert cursor.fetchone() == (5,)
        cursor.execute(b"SELECT 'caf\xc3\xa9'")
    assert [(one.sql, one.times) for one in traced.statements] == [
        ("SELECT 1 AS one", 1),
        ("INSERT INTO u VALUES (0)", 3),
        ("INSERT INTO u VALUES (1),(2)", 1),
        ("DELETE FROM u WHERE a = 1;DELETE FROM u WHERE a = 2", 1),
        ('SELECT * FROM "t"', 1),
        ("SELECT * FROM abs(5)", 1),
        ("SELECT 'café'", 1),
    ]
    assert traced.statements[1].rows == 3


def test_values_are_shown_and_long_ones_are_cut(traced: Tracer) -> None:
    values = ("x" * 100, b"y" * 100, extras.Json({"z": "z" * 100}), None, 5, "it's")
    sent = traced.execute("SELECT %s, %s, %s, %s, %s, %s", values).sql
    assert sent.startswith(f"SELECT '{'x' * 57}...', ")
    assert sent.endswith(", NULL, 5, 'it''s'")
    assert len(sent) < 300
    with traced.raw.cursor() as cursor:
        cursor.execute("SELECT length(%s)", ("x" * 100,))
        assert cursor.fetchone() == (100,)
    with pytest.raises(IndexError):
        traced.execute("SELECT %s, %s", (1,))
    assert traced.statements[-1].sql == "SELECT %s, %s"


def test_a_commit_sent_as_a_statement_ends_the_transaction(traced: Tracer) -> None:
    traced.execute("ALTER TABLE t ADD z int")
    traced.execute("COMMIT")
    traced.execute("ALTER TABLE u ADD z int")
    traced.raw.commit()
    traced.execute("SELECT * FROM t")
    first, _, second, third = traced.statements
    assert [(one.segment, one.transactional) for one in (first, second, third)] == [(1, True), (2, False), (3, True)]
    assert locked(second) == {"u": ACCESS_EXCLUSIVE}
    assert locked(third) == {"t": "AccessShareLock"}


def test_a_transaction_begun_by_hand_in_autocommit_is_one(alone: Tracer) -> None:
    alone.execute("BEGIN")
    alone.execute("ALTER TABLE t ADD z int")
    alone.execute("CREATE INDEX ix ON t (z)")
    alone.execute("COMMIT")
    alone.execute("ALTER TABLE u ADD z int")
    begin, first, second, _, last = alone.statements
    assert [one.transactional for one in (begin, first, second, last)] == [False, True, True, False]
    assert first.segment == second.segment != last.segment
    assert first.locks[0].source == "measured"
    assert second.indexes_built == ("public.ix",)


def test_a_lock_that_lasts_is_seen_from_outside_and_a_quick_one_is_taken_from_the_manual(alone: Tracer) -> None:
    slow = alone.execute("DO $$ BEGIN LOCK t IN SHARE MODE; PERFORM pg_sleep(0.2); END $$")
    assert [(lock.mode, lock.source, lock.page) for lock in slow.locks] == [("ShareLock", "measured", "")]
    assert slow.locks[0].held_ms == slow.ms
    quick = alone.execute("ALTER TABLE t ALTER a SET DEFAULT 5")
    assert [lock.mode for lock in quick.locks] == [ACCESS_EXCLUSIVE]
    assert [one.segment for one in alone.statements] == [1, 1]


def test_a_concurrent_build_that_fails_leaves_what_it_left(alone: Tracer) -> None:
    alone.execute("UPDATE t SET a = 1")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        alone.execute("CREATE UNIQUE INDEX CONCURRENTLY ux ON t (a)")
    failed = alone.statements[-1]
    assert (failed.failed, failed.created, locked(failed)) == (True, ("public.ux",), {"t": "ShareUpdateExclusiveLock"})
    assert alone.execute("DROP INDEX CONCURRENTLY ux").dropped == ("public.ux",)


def test_a_concurrent_build_does_not_wait_for_us(alone: Tracer) -> None:
    statement = alone.execute("CREATE INDEX CONCURRENTLY ix ON t (a)")
    assert statement.ms < 5000
    assert statement.indexes_built == ("public.ix",)


def test_another_connection_of_the_revision_is_heard_too(traced: Tracer, database: str) -> None:
    other = Tracer(database)
    try:
        assert is_heard(other.raw)
        other.step = other.draft.step = traced.step
        other.draft.clock = traced.draft.clock
        traced.execute("UPDATE t SET a = 1 WHERE a = 1")
        other.execute("UPDATE u SET a = 1")
        assert [one.segment for one in traced.statements] == [1, 2]
    finally:
        other.close()


def test_a_lost_connection_is_told_as_without_the_trace(traced: Tracer, database: str) -> None:
    traced.execute("ALTER TABLE t ADD z int")
    pid = traced.raw.info.backend_pid
    ask(database, "SELECT pg_terminate_backend(%s)", pid)
    until(lambda: not ask(database, "SELECT FROM pg_stat_activity WHERE pid = %s", pid), "the session has ended")
    with pytest.raises(psycopg2.OperationalError):
        traced.execute("SELECT 1")
    assert traced.statements[-1].failed


def test_connections_outside_of_the_block_are_not_heard(database: str) -> None:
    connection = psycopg2.connect(dsn(database))
    assert not is_heard(connection)
    connection.close()


def test_the_clock_stands_still_aside_and_runs_for_what_is_counted() -> None:
    clock = Clock()
    with clock.aside():
        first = clock.now()
        until(lambda: True, "nothing")
        assert clock.now() == first
        with clock.counted():
            began = clock.now()
            until(lambda: clock.now() > began + 1, "the clock runs")
        assert clock.now() == pytest.approx(began + 1, abs=50)
    resumed = clock.now()
    until(lambda: clock.now() > resumed, "the clock runs again")


def test_a_cursor_that_makes_several_calls_of_one_is_heard_once(traced: Tracer) -> None:
    class OneByOne(psycopg2.extensions.cursor):
        def executemany(self, query: Any, vars_list: Any) -> None:
            for values in vars_list:
                self.execute(query, values)

    raw: Any = traced.raw
    with raw.cursor(cursor_factory=OneByOne) as cursor:
        cursor.executemany("INSERT INTO u VALUES (%s)", [[1], [2]])
    assert [(one.sql, one.times) for one in traced.statements] == [("INSERT INTO u VALUES (1)", 2)]
    assert traced.execute("SELECT * FROM u").rows == 2
