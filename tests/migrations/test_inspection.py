"""Reading a catalog: what it leaves behind, who may do it, and that a restored database is equal."""

import subprocess
from collections.abc import Iterator

import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as RawConnection  # noqa: N812
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from app.migrations import inspection, scratch
from app.migrations.catalog import Catalog, Key, difference, fingerprint, from_document, moved_columns, to_document
from app.migrations.programs import Programs
from tests.migrations import rich_schema
from tests.migrations.chains import ask, dsn


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    engine = create_engine(database, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def catalog_of(url: str) -> Catalog:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return inspection.read(connection)


def raw(connection: Connection) -> RawConnection:
    found = connection.connection.dbapi_connection
    assert isinstance(found, RawConnection)
    return found


@pytest.mark.private
def test_a_restored_database_is_equal(scratch_admin: str, programs: Programs) -> None:
    template = rich_schema.template(scratch_admin)
    with scratch.database(scratch_admin, template) as original, scratch.database(scratch_admin) as restored:
        dump = subprocess.run([programs.bin / "pg_dump", "-Fc", dsn(original)], check=True, capture_output=True).stdout
        restore = [programs.bin / "pg_restore", "--exit-on-error", "-d", dsn(restored)]
        subprocess.run(list(map(str, restore)), input=dump, check=True)
        before, after = catalog_of(original), catalog_of(restored)
    assert difference(before, after, consequences=True) == []
    assert fingerprint(before) == fingerprint(after)
    assert [moved.table for moved in moved_columns(before, after)] == ["public.children"]
    assert from_document(to_document(before)) == before


def test_an_empty_database_has_its_schema_and_its_extension(connection: Connection) -> None:
    assert inspection.read(connection).objects.keys() == {Key("schema", "public"), Key("extension", "plpgsql")}


def test_the_version_that_newer_servers_note_with_each_column_is_none_of_the_schema(database: str) -> None:
    ask(database, "CREATE TABLE t (a int, b int); ALTER TABLE t ALTER a SET (n_distinct = 5)")
    noted = """UPDATE pg_attribute SET attoptions = ARRAY(SELECT o FROM unnest(attoptions) o WHERE o !~ 'pg_attver')
        || 'pg_attver={}'::text WHERE attrelid = 't'::regclass AND attnum > 0"""
    found = []
    for version in (7, 8):
        ask(database, noted.format(version))
        found.append(catalog_of(database))
    assert difference(*found) == []
    assert "pg_attver" not in str(to_document(found[0]))
    assert found[0].objects[Key("column", "public.t.a")]["options"] == "n_distinct=5"


def test_a_connection_without_a_transaction_has_none_afterwards(connection: Connection) -> None:
    inspection.read(connection)
    assert raw(connection).info.transaction_status == TRANSACTION_STATUS_IDLE
    assert not connection.in_transaction()


def test_a_connection_in_autocommit_stays_so(connection: Connection) -> None:
    connection.execution_options(isolation_level="AUTOCOMMIT")
    raw(connection).cursor().execute("SET search_path = nowhere")
    inspection.read(connection)
    assert raw(connection).autocommit
    assert raw(connection).info.transaction_status == TRANSACTION_STATUS_IDLE
    assert connection.scalar(text("SHOW search_path")) == "nowhere"


@pytest.mark.parametrize("scope", ["LOCAL", "SESSION"])
def test_the_search_path_of_a_transaction_is_what_it_was(scope: str, connection: Connection) -> None:
    connection.execute(text("SET search_path = before"))
    connection.commit()
    connection.execute(text(f"SET {scope} search_path = during, 'a b'"))
    inspection.read(connection)
    assert connection.scalar(text("SHOW search_path")) == 'during, "a b"'
    connection.commit()
    assert connection.scalar(text("SHOW search_path")) == ("before" if scope == "LOCAL" else 'during, "a b"')


def test_a_transaction_sees_its_own_changes_and_goes_on(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE t (a integer)"))
    assert Key("table", "public.t") in inspection.read(connection).objects
    connection.execute(text("CREATE TABLE u (a integer)"))
    connection.commit()
    assert Key("table", "public.u") in inspection.read(connection).objects


def test_a_snapshot_that_is_read_only_does_not_see_later_changes(connection: Connection, database: str) -> None:
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    assert connection.scalar(text("SELECT pg_export_snapshot()"))
    ask(database, "CREATE TABLE later (a integer)")
    assert Key("table", "public.later") not in inspection.read(connection).objects


def test_no_lock_outlasts_the_read(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE t (a integer)"))
    connection.execute(text("CREATE VIEW v AS SELECT a FROM t"))
    connection.commit()
    connection.execute(text("SELECT 1"))
    inspection.read(connection)
    locks = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation >= 16384"
    assert connection.scalar(text(locks)) == 0


def test_a_locked_view_is_waited_for_as_long_as_the_caller_allows(connection: Connection, database: str) -> None:
    ask(database, "CREATE TABLE t (a integer); CREATE VIEW v AS SELECT a FROM t")
    with create_engine(database, poolclass=NullPool).connect() as other:
        other.execute(text("LOCK TABLE t IN ACCESS EXCLUSIVE MODE"))
        connection.execute(text("SET LOCAL lock_timeout = '30ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            inspection.read(connection)
        assert connection.scalar(text("SHOW lock_timeout")) == "30ms"
    assert Key("view", "public.v") in inspection.read(connection).objects


def test_a_transaction_that_has_failed_is_an_error(connection: Connection) -> None:
    with pytest.raises(DBAPIError):
        connection.execute(text("SELECT 1 / 0"))
    with pytest.raises(DBAPIError, match="aborted"):
        inspection.read(connection)


def test_a_lost_connection_is_an_error(connection: Connection, database: str) -> None:
    ask(database, "SELECT pg_terminate_backend(%s, 5000)", raw(connection).info.backend_pid)
    with pytest.raises(OperationalError):
        inspection.read(connection)


def test_an_ordinary_role_reads_the_same(scratch_admin: str) -> None:
    with scratch.database(scratch_admin, rich_schema.template(scratch_admin)) as url:
        before = catalog_of(url)
        with create_engine(url, poolclass=NullPool).connect() as connection:
            connection.execute(text("CREATE ROLE inspection_reader"))
            connection.execute(text("SET LOCAL ROLE inspection_reader"))
            assert inspection.read(connection) == before


@pytest.mark.private
def test_what_an_extension_brings_is_the_extensions(connection: Connection) -> None:
    before = inspection.read(connection)
    connection.execute(text("CREATE EXTENSION vector"))
    found = difference(before, inspection.read(connection), consequences=True)
    assert [one.words() for one in found] == ["extension vector is only in after"]


@pytest.mark.private
def test_a_type_of_an_extension_is_named_with_its_schema(connection: Connection) -> None:
    connection.execute(text("CREATE SCHEMA ai"))
    connection.execute(text("CREATE EXTENSION vector SCHEMA ai"))
    connection.execute(text("CREATE TABLE t (a ai.vector(3))"))
    assert inspection.read(connection).objects[Key("column", "public.t.a")] == {"type": "ai.vector(3)"}


def test_a_user_cannot_stand_in_for_the_server(connection: Connection) -> None:
    before = inspection.read(connection)
    connection.execute(text("CREATE TEMPORARY TABLE pg_class (a integer)"))
    connection.execute(text("CREATE FUNCTION format_type(oid, integer) RETURNS text LANGUAGE sql AS 'SELECT 1/0'"))
    connection.execute(text("SET LOCAL search_path = public, pg_catalog"))
    found = difference(before, inspection.read(connection))
    assert [one.object for one in found] == ["public.format_type(oid,integer)"]


def test_an_index_that_could_not_be_built_is_not_valid(connection: Connection) -> None:
    connection.execution_options(isolation_level="AUTOCOMMIT")
    connection.execute(text("CREATE TABLE t AS SELECT 1 AS a FROM generate_series(1, 2)"))
    with pytest.raises(DBAPIError):
        connection.execute(text("CREATE UNIQUE INDEX CONCURRENTLY ix ON t (a)"))
    assert inspection.read(connection).objects[Key("index", "ix ON public.t")]["valid"] == "no"


def test_passwords_are_not_read(scratch_admin: str) -> None:
    with scratch.database(scratch_admin, rich_schema.template(scratch_admin)) as url:
        ask(url, "CREATE SUBSCRIPTION s CONNECTION 'password=hidden' PUBLICATION p WITH (connect = false)")
        ask(url, "ALTER SUBSCRIPTION s SET (slot_name = NONE)")
        document = str(to_document(catalog_of(url)))
        ask(url, "DROP SUBSCRIPTION s")
    assert "subscription" in document
    assert "hidden" not in document
    assert "a secret" not in document


def test_tables_that_are_named_are_left_out_in_every_schema(connection: Connection) -> None:
    before = inspection.read(connection)
    connection.execute(text("CREATE TABLE versions (id serial PRIMARY KEY, a integer UNIQUE)"))
    connection.execute(text("CREATE TABLE alembic_version (a integer)"))
    found = difference(before, inspection.read(connection, {"versions"}), consequences=True)
    assert [one.object for one in found] == ["public.alembic_version", "public.alembic_version.a"]


def test_grants_to_roles_with_odd_names_are_read(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE t (a integer)"))
    connection.execute(text('CREATE ROLE "a=b/""c"" é"'))
    connection.execute(text('GRANT SELECT, INSERT ON t TO "a=b/""c"" é"'))
    grants = inspection.read(connection).objects[Key("table", "public.t")]
    assert grants['grants to a=b/"c" é'] == "INSERT, SELECT"


def test_the_third_read_of_a_session_is_as_good_as_the_first(connection: Connection) -> None:
    read = [inspection.read(connection) for _ in range(3)]
    connection.execute(text("CREATE TABLE t (a integer)"))
    assert [one.object for one in difference(read[2], inspection.read(connection))] == ["public.t"]
    assert read[0] == read[1] == read[2]


def test_prepared_statements_may_be_thrown_away_between_reads(connection: Connection) -> None:
    before = [inspection.read(connection) for _ in range(3)]
    connection.execute(text("CREATE TABLE t (a integer)"))
    connection.execute(text("DEALLOCATE ALL"))
    after = [inspection.read(connection) for _ in range(3)]
    assert [one.object for one in difference(before[0], after[0])] == ["public.t"]
    assert after[0] == after[1] == after[2]


def test_another_process_may_have_prepared_them_in_the_same_session(connection: Connection) -> None:
    before = [inspection.read(connection) for _ in range(3)]
    del inspection._prepared[raw(connection)]
    assert [inspection.read(connection) for _ in range(3)] == before


def test_one_read_leaves_nothing_in_the_session(connection: Connection) -> None:
    inspection.read(connection)
    assert connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 0


def test_a_schema_public_that_was_made_anew_lacks_nothing(database: str) -> None:
    before = catalog_of(database)
    ask(database, "COMMENT ON SCHEMA public IS NULL")
    assert difference(before, catalog_of(database)) == []
    ask(database, "COMMENT ON SCHEMA public IS 'ours'")
    assert [(one.attribute, one.after) for one in difference(before, catalog_of(database))] == [("comment", "ours")]
