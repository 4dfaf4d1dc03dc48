"""How long statements wait, seen from inside a migration."""

import pytest

from tests.migrations.chains import Chain, ask, finished, preset, session, until

pytestmark = pytest.mark.slow

SHOW = 'print("{0}", op.get_bind().execute(sa.text("SHOW {0}")).scalar())'
CURRENT = "print(op.get_bind().execute(sa.text(\"SELECT current_setting('lock_timeout')\")).scalar())"
OLDER_THAN_BOTH = (
    "SELECT 1 FROM pg_stat_activity WHERE query ~ '^CREATE INDEX'"
    " AND query_start < clock_timestamp() - interval '1.5 s'"
)
AUTOCOMMIT = "with op.get_context().autocommit_block():"


def test_every_transaction_has_the_timeouts_and_says_its_revision(chain: Chain) -> None:
    shown = [SHOW.format(name) for name in ("lock_timeout", "statement_timeout", "application_name")]
    chain.revision("r1", *shown).revision("r2", *shown)
    done = chain.upgrade(LOCK_TIMEOUT="0.321", STATEMENT_TIMEOUT="7")
    both = ["lock_timeout 321ms", "statement_timeout 7s"]
    named = [f"application_name massacorp-migrations/test/{name}" for name in ("r1", "r2")]
    assert done.out.splitlines() == [*both, named[0], *both, named[1]]


def test_no_statement_timeout_is_set_where_it_is_0(chain: Chain, database: str) -> None:
    preset(database, "statement_timeout", "'77s'")
    assert chain.revision("r1", SHOW.format("statement_timeout")).upgrade().out == "statement_timeout 77s\n"


def test_the_migrations_own_commit_does_not_lose_the_timeout(chain: Chain) -> None:
    chain.revision("r1", 'op.execute("COMMIT")', CURRENT)
    assert chain.upgrade().out == "250ms\n"


def test_outside_a_transaction_nothing_is_left_set(chain: Chain) -> None:
    chain.revision(
        "r1",
        AUTOCOMMIT,
        f"    {SHOW.format('lock_timeout')}",
        f"    {CURRENT}",
        '    op.execute("ALTER TABLE t ADD b int")',
        f"    {SHOW.format('lock_timeout')}",
        SHOW.format("lock_timeout"),
    )
    assert chain.upgrade().out.split() == [
        "lock_timeout",
        "0",
        "250ms",
        "lock_timeout",
        "0",
        "lock_timeout",
        "250ms",
    ]


def test_a_failed_statement_outside_a_transaction_leaves_nothing_set(chain: Chain) -> None:
    chain.revision(
        "r1",
        AUTOCOMMIT,
        "    try:",
        '        op.execute("ALTER TABLE missing ADD b int")',
        "    except sa.exc.ProgrammingError:",
        f"        {SHOW.format('lock_timeout')}",
    )
    assert chain.upgrade().out == "lock_timeout 0\n"


def test_what_the_migration_sets_itself_stays(chain: Chain) -> None:
    chain.revision(
        "r1",
        AUTOCOMMIT,
        "    op.execute(\"SET lock_timeout = '7s'\")",
        '    op.execute("ALTER TABLE t ADD b int")',
        f"    {SHOW.format('lock_timeout')}",
    )
    assert chain.upgrade().out == "lock_timeout 7s\n"


def test_an_index_built_concurrently_waits_longer_than_any_timeout(chain: Chain, database: str) -> None:
    preset(database, "lock_timeout", "'100ms'")
    preset(database, "statement_timeout", "'1s'")
    chain.revision("r1", AUTOCOMMIT, '    op.create_index("ix", "t", ["a"], postgresql_concurrently=True)')
    with session(database) as writer:
        writer.execute("INSERT INTO t VALUES (1)")
        process = chain.start(STATEMENT_TIMEOUT="1")
        until(lambda: ask(database, "SELECT 1 FROM pg_locks WHERE NOT granted"), "the build waits")
        until(lambda: ask(database, OLDER_THAN_BOTH), "it waited longer than both timeouts")
        writer.connection.commit()
    assert process.communicate(timeout=30) == ("", "")
    assert ask(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass") == [(True,)]


def test_a_statement_outside_a_transaction_is_tried_again_by_itself(chain: Chain, database: str) -> None:
    chain.revision(
        "r1",
        AUTOCOMMIT,
        '    op.execute("CREATE TABLE kept (a int)")',
        '    op.execute("ALTER TABLE t ADD b int")',
    )
    with session(database, "report") as reader:
        reader.execute("SELECT * FROM t")
        process = chain.start()
        assert process.stderr is not None
        assert "(user postgres, application report)" in process.stderr.readline()
        assert ask(database, "SELECT to_regclass('kept')::text") == [("kept",)]
    assert finished(process).code == 0
    assert ask(database, "SELECT version_num FROM alembic_version") == [("r1",)]
