import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from sqlalchemy import Engine, NullPool, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from app.migrations import contents, scratch, snapshot
from app.migrations.contents import SequenceState
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.failures import Place
from app.migrations.manifest import SequencePosition, Setting
from tests.migrations import rich_schema
from tests.migrations.chains import ask, dsn, until

PLACE = Place("the shop", "prod")
SHOP = """
CREATE TABLE t AS SELECT generate_series(1, 10) AS a;
CREATE TABLE child (b int) INHERITS (t);
INSERT INTO child VALUES (1, 2);
CREATE UNLOGGED TABLE u AS SELECT 1;
CREATE TABLE p (k int) PARTITION BY LIST (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
INSERT INTO p VALUES (1), (1);
CREATE SCHEMA "S 100%";
CREATE TABLE "S 100%"."Ma ""table""; %s" AS SELECT 1 FROM generate_series(1, 3);
CREATE VIEW v AS SELECT 1;
CREATE MATERIALIZED VIEW m AS SELECT 1;
CREATE TEMP TABLE passing AS SELECT 1;
"""


@pytest.fixture
def engine(database: str) -> Engine:
    return create_engine(database, poolclass=NullPool)


@pytest.fixture
def ordinary(database: str) -> Iterator[str]:
    """The database's URL as a role without rights."""
    name = f"reader_{secrets.token_hex(4)}"
    ask(database, f"CREATE ROLE {name} LOGIN")
    yield make_url(database).set(username=name).render_as_string(hide_password=False)
    ask(database, f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_every_row_that_a_dump_holds_is_counted_once(database: str, engine: Engine) -> None:
    ask(database, SHOP)
    with snapshot.taken(engine, PLACE) as taken:
        assert taken.rows() == {
            "public.t": 10,
            "public.child": 1,
            "public.u": 1,
            "public.p1": 2,
            '"S 100%"."Ma ""table""; %s"': 3,
        }


def test_what_is_written_after_the_snapshot_is_not_counted(database: str, engine: Engine) -> None:
    ask(database, "CREATE TABLE t AS SELECT generate_series(1, 10)")
    with snapshot.taken(engine, PLACE) as taken:
        ask(database, "INSERT INTO t SELECT 1; CREATE TABLE later AS SELECT 1")
        assert taken.rows() == {"public.t": 10}
        with psycopg2.connect(dsn(database)) as other, other.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SET TRANSACTION SNAPSHOT %s", (taken.identifier,))
            cursor.execute("SELECT count(*) FROM t")
            assert cursor.fetchone() == (10,)


@pytest.mark.parametrize("statement", ["TRUNCATE t", "ALTER TABLE t ADD b int", "DROP TABLE t"])
def test_no_table_changes_its_shape_between_the_snapshot_and_the_dump(
    database: str, engine: Engine, statement: str
) -> None:
    ask(database, "CREATE TABLE t AS SELECT 1")
    with snapshot.taken(engine, PLACE), pytest.raises(psycopg2.errors.LockNotAvailable):
        ask(database, f"SET lock_timeout = '50ms'; {statement}")
    ask(database, statement)


def test_timeouts_of_the_database_do_not_end_the_snapshot(scratch_admin: str, database: str, engine: Engine) -> None:
    ask(database, "CREATE TABLE t AS SELECT 1")
    for name in ("idle_in_transaction_session_timeout", "statement_timeout"):
        ask(scratch_admin, f"ALTER DATABASE {make_url(database).database} SET {name} = '100ms'")
    with snapshot.taken(engine, PLACE) as taken:
        ask(scratch_admin, "SELECT pg_sleep(0.3)")
        taken.tables[:] = [taken.tables[0]._replace(condition="CROSS JOIN (SELECT pg_sleep(0.3)) AS slow")]
        assert taken.rows() == {"public.t": 1}
        assert taken.contents.settings.settings == (
            Setting(None, "idle_in_transaction_session_timeout", "100ms"),
            Setting(None, "statement_timeout", "100ms"),
        )


def test_a_table_that_stays_locked_is_named_after_a_while(
    database: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(database, "CREATE TABLE t (a int)")
    monkeypatch.setattr(snapshot, "LOCK_WAIT", 1)
    with psycopg2.connect(dsn(database)) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE t")
        with (
            pytest.raises(Refused, match="for 1 s another session has held a table in ACCESS EXCLUSIVE"),
            snapshot.taken(engine, PLACE),
        ):
            pass


def test_tables_that_may_not_be_read_are_named(database: str, ordinary: str) -> None:
    ask(database, "CREATE TABLE t (a int); CREATE TABLE forbidden (a int); GRANT SELECT ON t TO PUBLIC")
    engine = create_engine(ordinary, poolclass=NullPool)
    with pytest.raises(ConfigurationError) as caught, snapshot.taken(engine, PLACE):
        pass
    assert caught.value.message == (
        "the shop: this role may not read public.forbidden, and a backup without them would not be whole; nothing was"
        " written"
    )


def test_rows_that_row_security_hides_are_an_error_not_a_smaller_number(database: str, ordinary: str) -> None:
    ask(
        database,
        "CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO PUBLIC",
    )
    engine = create_engine(ordinary, poolclass=NullPool)
    with pytest.raises(ConfigurationError, match="sees less than all"), snapshot.taken(engine, PLACE) as taken:
        taken.rows()


def test_a_sequence_stands_where_it_is_now_not_where_the_snapshot_saw_it(database: str, engine: Engine) -> None:
    ask(database, 'CREATE SEQUENCE s; CREATE SEQUENCE "S %" START 5 MAXVALUE 9 INCREMENT -2; SELECT nextval($$"S %"$$)')
    with engine.connect() as connection:
        assert {name: state.position for name, state in contents.sequences(connection).items()} == {
            "public.s": SequencePosition(1, False),
            'public."S %"': SequencePosition(5, True),
        }


def test_the_rich_schema_is_read_whole(scratch_admin: str) -> None:
    with scratch.database(scratch_admin, rich_schema.template(scratch_admin)) as url:
        engine = create_engine(url, poolclass=NullPool)
        with snapshot.taken(engine, PLACE) as taken:
            assert len(taken.rows()) == len(taken.tables) == 15
            assert len(taken.contents.sequences) == 3
            assert taken.catalog().objects


@pytest.mark.parametrize(
    ("here", "there", "increment", "cycles", "enough"),
    [
        ((5, True), (5, True), 1, False, True),
        ((6, False), (5, True), 1, False, True),
        ((5, False), (5, True), 1, False, False),
        ((4, True), (5, True), 1, False, False),
        ((-3, True), (-1, True), -2, False, True),
        ((-1, True), (-3, True), -2, False, False),
        ((1, True), (90, True), 1, True, True),
    ],
    ids=["the same", "next is the same", "not called yet", "behind", "down past", "down behind", "a cycle"],
)
def test_a_sequence_may_be_past_its_position_not_before_it(
    here: tuple[int, bool], there: tuple[int, bool], increment: int, cycles: bool, enough: bool
) -> None:
    state = SequenceState(SequencePosition(*here), increment, cycles)
    assert state.is_at_or_past(SequencePosition(*there)) is enough


def test_a_database_without_tables_is_a_snapshot_too(engine: Engine) -> None:
    with snapshot.taken(engine, PLACE) as taken:
        assert (taken.rows(), taken.contents.revisions, taken.contents.large_objects) == ({}, (), 0)


def test_cancelling_ends_a_count_that_is_at_work(database: str, engine: Engine) -> None:
    ask(database, "CREATE TABLE t AS SELECT 1")
    with snapshot.taken(engine, PLACE) as taken, ThreadPoolExecutor(1) as pool:
        taken.tables[:] = [taken.tables[0]._replace(condition="CROSS JOIN (SELECT pg_sleep(60)) AS slow")]
        counted = pool.submit(taken.rows)
        until(lambda: ask(database, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), "the count runs")
        taken.cancel()
        with pytest.raises(OperationalError):
            counted.result()


def test_names_are_quoted_alike_whatever_the_version_reserves() -> None:
    assert contents.name("public", "order") == "public.order"
    assert contents.name("public", 'a"b') == 'public."a""b"'
    assert contents.name("Été", "x") == '"Été".x'


def test_the_search_path_decides_which_revisions_count_but_all_are_known(database: str, engine: Engine) -> None:
    ask(database, "CREATE SCHEMA a; CREATE TABLE a.alembic_version AS SELECT 'one'::text AS version_num")
    ask(database, "CREATE TABLE alembic_version AS SELECT 'two'::text AS version_num")
    with engine.connect() as connection:
        assert contents.revisions(connection) == ("two",)
        assert contents.revisions_anywhere(connection) == {"a": ("one",), "public": ("two",)}
