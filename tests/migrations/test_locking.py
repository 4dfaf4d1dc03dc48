"""`alembic upgrade head` on a database that is in use: real processes, real blockers."""

import secrets
import signal

import pytest
from sqlalchemy import create_engine

from app.migrations.errors import MigrationFailed
from app.migrations.failures import Place
from app.migrations.locking import verify_version
from tests.migrations.chains import Chain, Done, ask, finished, preset, session, until

pytestmark = pytest.mark.slow

ADD = 'op.add_column("t", sa.Column("b", sa.Integer))'
ASLEEP = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
AUTOCOMMIT = "with op.get_context().autocommit_block():"


def version(database: str) -> list[str]:
    return [row[0] for row in ask(database, "SELECT version_num FROM alembic_version")]


def columns(database: str) -> list[str]:
    return [
        row[0]
        for row in ask(database, "SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0")
    ]


def line(process: "object") -> str:
    return str(process.stderr.readline())  # type: ignore[attr-defined]


def test_what_stood_in_the_way_is_waited_for_and_the_rest_is_done(chain: Chain, database: str) -> None:
    chain.revision("r1").revision("r2", ADD).revision("r3", 'op.execute("CREATE TABLE u (a int)")')
    with session(database, "report") as reader:
        reader.execute("SELECT * FROM t")
        process = chain.start()
        said = line(process)
        assert version(database) == ["r1"]
    assert said.startswith("r2 needs t: waiting, without blocking anybody, for pid ")
    assert "(user postgres, application report), transaction open for " in said
    assert "idle in transaction, last query: SELECT * FROM t; gives up in " in said
    assert finished(process) == (0, "", "")
    assert (version(database), columns(database)) == (["r3"], ["a", "b"])


def test_nobody_queues_behind_a_migration_that_waits(chain: Chain, database: str) -> None:
    chain.revision("r1", ADD)
    with session(database, "report") as reader, session(database) as other:
        reader.execute("SELECT * FROM t")
        process = chain.start()
        line(process)
        for _ in range(20):
            other.execute("SET LOCAL lock_timeout = '50ms'; SELECT * FROM t")
            other.connection.rollback()
    assert finished(process).code == 0


def test_a_blocker_that_never_ends_is_named_and_nothing_is_changed(chain: Chain, database: str) -> None:
    chain.revision("r1").revision("r2", 'op.execute("CREATE TABLE u (a int)")', ADD)
    with session(database, "report") as reader:
        reader.execute("SELECT * FROM t")
        pid = reader.connection.info.backend_pid
        done = chain.upgrade(LOCK_RETRY_FOR="1")
    error, hint = done.err.splitlines()[-2:]
    assert done.code == 5
    assert error.startswith(
        "error: the test database: r2 did not get the lock on t in 1 s (1 try): "
        f"pid {pid} (user postgres, application report), transaction open for "
    )
    assert error.endswith("last query: SELECT * FROM t; nothing of r2 was kept; the database is at r1")
    assert hint == f"  next: wait for its end, or end it: SELECT pg_terminate_backend({pid}); then repeat the command"
    assert (version(database), columns(database)) == (["r1"], ["a"])
    assert ask(database, "SELECT to_regclass('u')") == [(None,)]


def test_an_ordinary_role_waits_just_as_well(chain: Chain, database: str) -> None:
    role = f"plain_{secrets.token_hex(4)}"
    ask(
        database,
        f"CREATE ROLE {role} LOGIN; ALTER TABLE t OWNER TO {role}; GRANT ALL ON SCHEMA public TO {role}",
    )
    try:
        chain.url = database.replace("//postgres@", f"//{role}@")
        chain.revision("r1", ADD)
        with session(database, "report") as reader:
            reader.execute("SELECT * FROM t")
            process = chain.start()
            assert "application report), the age of its transaction and its query are shown to" in line(process)
        assert finished(process).code == 0
    finally:
        ask(database, f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.slow
def test_a_deadlock_is_tried_again(chain: Chain, database: str) -> None:
    ask(database, "CREATE TABLE u (a int)")
    preset(database, "deadlock_timeout", "'2s'")
    chain.revision("r1", 'op.execute("LOCK u")', 'op.execute("LOCK t")')
    with session(database) as other:
        other.execute("SET LOCAL deadlock_timeout = '1min'; LOCK t")
        process = chain.start(LOCK_TIMEOUT="30")
        until(lambda: ask(database, "SELECT 1 FROM pg_locks WHERE NOT granted"), "the migration waits")
        other.execute("LOCK u")
        other.connection.rollback()
    assert finished(process).code == 0
    assert version(database) == ["r1"]


def test_a_revision_that_fails_in_its_middle_says_what_is_committed(chain: Chain, database: str) -> None:
    ask(database, "INSERT INTO t VALUES (1), (1)")
    build = '    op.create_index("ix", "t", ["a"], unique=True, postgresql_concurrently=True)'
    chain.revision("r1", 'op.execute("CREATE TABLE u (a int)")', AUTOCOMMIT, build)
    done = chain.upgrade()
    error, hint = done.err.splitlines()[-2:]
    assert done.code == 5
    assert error.startswith(
        "error: the test database: revision r1 failed at chain/versions/r1.py:12: could not create unique"
    )
    assert error.endswith(
        "r1 is half applied (committed: CREATE TABLE u (a int); may have left something: CREATE UNIQUE INDEX "
        "CONCURRENTLY ix ON t (a)); invalid indexes: ix; the database is at base"
    )
    assert "finish or undo by hand what is committed" in hint


def test_what_may_have_committed_a_part_is_not_tried_again(chain: Chain, database: str) -> None:
    chain.revision("r1", AUTOCOMMIT, '    op.execute("DO $$ BEGIN ALTER TABLE t ADD b int; END $$")')
    with session(database) as reader:
        reader.execute("SELECT * FROM t")
        done = chain.upgrade()
    assert done.code == 5
    assert "canceling statement due to lock timeout [55P03]" in done.err
    assert "r1 is half applied (may have left something: DO $$" in done.err


def test_a_revision_that_committed_by_itself_is_not_tried_again(chain: Chain, database: str) -> None:
    chain.revision("r1", 'op.execute("CREATE TABLE u (a int)")', "op.get_bind().commit()", ADD)
    with session(database) as reader:
        reader.execute("SELECT * FROM t")
        done = chain.upgrade()
    assert done.code == 5
    assert "r1 is half applied (committed: CREATE TABLE u (a int)); the database is at base" in done.err


def test_a_migration_that_commits_and_is_not_kept_is_found_out(chain: Chain, database: str) -> None:
    chain.revision("r1", 'op.execute("CREATE TABLE u (a int)")', "op.get_bind().commit()").revision("r2")
    done = chain.upgrade()
    assert done.code == 5
    assert (
        "r1 ran without an error, but its row in alembic_version was not kept: other connections read base" in done.err
    )
    assert ask(database, "SELECT to_regclass('r2')") == [(None,)]


def ended(chain: Chain, database: str) -> Done:
    """How the upgrade ends whose backend is killed while it sleeps."""
    process = chain.start()
    until(lambda: ask(database, ASLEEP), "the migration sleeps")
    ask(database, "SELECT pg_terminate_backend(%s)", ask(database, ASLEEP)[0][0])
    return finished(process)


def test_a_lost_connection_is_a_failed_migration_with_what_is_known(chain: Chain, database: str) -> None:
    chain.revision("r1").revision("r2", 'op.execute("CREATE TABLE u (a int)")', 'op.execute("SELECT pg_sleep(60)")')
    done = ended(chain, database)
    assert done.code == 5
    assert "revision r2 failed at chain/versions/r2.py:11: " in done.err
    assert "in: SELECT pg_sleep(60); nothing of r2 was kept; the database is at r1" in done.err
    assert (version(database), ask(database, "SELECT to_regclass('u')")) == (["r1"], [(None,)])


def test_a_lost_lock_ends_the_wait(chain: Chain, database: str) -> None:
    chain.revision("r1").revision("r2", ADD)
    with session(database) as reader:
        reader.execute("SELECT * FROM t")
        process = chain.start()
        line(process)
        lock = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '/lock$'"
        ask(database, f"{lock} AND datname = current_database()")
        done = finished(process)
    assert done.code == 5
    assert "the connection that holds the migration lock was lost while r2 waited; nothing of r2 was kept" in done.err
    assert (version(database), columns(database)) == (["r1"], ["a"])


def test_a_lock_lost_in_mid_migration_is_noticed_before_the_next_revision(chain: Chain, database: str) -> None:
    lock = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name ~ '/lock$'"
    chain.revision("r1", f'op.execute("{lock} AND datname = current_database()")').revision("r2", ADD)
    done = chain.upgrade()
    assert done.code == 5
    assert "the connection that holds the migration lock was lost after r1 was run; nothing after it was" in done.err
    assert (version(database), columns(database)) == (["r1"], ["a"])


def test_a_killed_process_is_gone_on_with(chain: Chain, database: str) -> None:
    chain.revision("r1").revision("r2", 'op.execute("SELECT pg_sleep(60)")', ADD)
    process = chain.start()
    until(
        lambda: ask(database, ASLEEP),
        "the migration sleeps",
    )
    process.send_signal(signal.SIGKILL)
    process.wait()
    chain.last = "r1"
    chain.revision("r2", ADD)
    assert finished(chain.start()).code == 0
    assert (version(database), columns(database)) == (["r2"], ["a", "b"])


def test_the_version_is_read_from_another_connection(database: str) -> None:
    place = Place("shop", "prod")
    with create_engine(database).connect().execution_options(isolation_level="AUTOCOMMIT") as lock:
        verify_version(lock, (), place)
        with pytest.raises(MigrationFailed) as failed:
            verify_version(lock, {"r1"}, place)
        ask(
            database,
            "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('r1')",
        )
        verify_version(lock, {"r1"}, place)
    assert str(failed.value) == (
        "error: shop: r1 ran without an error, but its row in alembic_version was not kept: other connections read "
        "base; does the migration commit or roll back by itself?\n"
        "  next: take commit and rollback out of it (op.get_context().autocommit_block() is made for this), then "
        "`inv db.status --env=prod`"
    )


def test_a_short_lock_timeout_sees_the_blocker_at_the_first_try(chain: Chain, database: str) -> None:
    chain.revision("r1", ADD)
    with session(database, "report") as reader:
        reader.execute("SELECT * FROM t")
        pid = reader.connection.info.backend_pid
        done = chain.upgrade(LOCK_TIMEOUT="0.05", LOCK_RETRY_FOR="1")
    assert f"r1 did not get the lock on t in 1 s (1 try): pid {pid} (user postgres" in done.err


def test_what_a_revision_committed_by_itself_is_listed(chain: Chain, database: str) -> None:
    chain.revision("r1", 'op.execute("CREATE TABLE u (a int)")', "op.get_bind().commit()")
    done = chain.upgrade()
    assert done.code == 5
    assert "r1 is half applied (committed: CREATE TABLE u (a int)); the database is at base" in done.err
