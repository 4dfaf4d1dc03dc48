import operator
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy.engine import make_url

from app.migrations import programs, raw, scratch, server
from app.migrations.errors import ConfigurationError, Unreachable
from tests.migrations import children

FILL = """
import psycopg2
def build(url):
    print("built", flush=True)
    with psycopg2.connect(url.replace("+psycopg2", "")) as connection:
        connection.cursor().execute("CREATE TABLE t AS SELECT 42 AS n")
"""
USE = "from app.migrations import scratch\nwith scratch.database(sys.argv[2]) as url: print(url, flush=True)"


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory, pg: int) -> Iterator[str]:
    """A scratch server of these tests alone: they sweep it and count what is there."""
    place = tmp_path_factory.mktemp("s")
    yield server.maintenance_url(server.scratch_server(place, programs.find_server_programs(major=pg)))
    server.stop_all(place)


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def databases(admin: str) -> set[str]:
    return {str(row[0]) for row in execute(admin, "SELECT datname FROM pg_database")}


def name_of(url: str) -> str:
    return str(make_url(url).database)


def fill(url: str) -> None:
    execute(url, "CREATE TABLE t AS SELECT 42 AS n")


@pytest.mark.private
def test_the_fixture_gives_an_empty_database_of_the_version_asked_for(database: str, pg: int) -> None:
    query = (
        "SELECT current_setting('server_version_num')::int / 10000, count(*) FROM pg_tables WHERE schemaname = 'public'"
    )
    assert execute(database, query) == [(pg, 0)]


def test_a_scratch_database_is_empty_utf8_and_gone_afterwards(admin: str) -> None:
    with scratch.database(admin) as url:
        assert name_of(url) in databases(admin)
        assert execute(url, "SHOW server_encoding") == [("UTF8",)]
    assert name_of(url) not in databases(admin)


def test_it_is_dropped_with_a_session_still_open_and_when_the_block_fails(admin: str) -> None:
    def fail_with_a_session_open() -> None:
        with scratch.database(admin) as url:
            used.append((name_of(url), psycopg2.connect(url.replace("+psycopg2", ""))))
            raise ZeroDivisionError

    used: list[tuple[str, psycopg2.extensions.connection]] = []
    with pytest.raises(ZeroDivisionError):
        fail_with_a_session_open()
    assert used[0][0] not in databases(admin)


def test_sessions_that_are_just_ending_do_not_hold_the_drop_up(admin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL looks for them once, and then each 100 ms; so the drop begins when there are none."""
    monkeypatch.setattr(scratch, "ENDED_WITHIN", 30)
    others: list[object] = []
    execute_then = raw.execute

    def execute(connection: Connection, statement: str, *values: object) -> None:
        if statement.startswith("DROP"):
            others.append(raw.value(connection, "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", name))
        execute_then(connection, statement, *values)

    monkeypatch.setattr(raw, "execute", execute)
    with scratch.database(admin) as url:
        name, session = name_of(url), psycopg2.connect(url.replace("+psycopg2", ""))
        threading.Timer(0.05, session.close).start()
    assert others == [0]
    assert session.closed


def test_a_template_is_built_once_and_copied(admin: str) -> None:
    template = scratch.template(admin, "once", fill)
    assert scratch.template(admin, "once", lambda url: pytest.fail("built again")) == template
    with scratch.database(admin, template) as one, scratch.database(admin, template) as two:
        execute(one, "DELETE FROM t")
        assert execute(two, "SELECT n FROM t") == [(42,)]


def test_a_template_whose_building_fails_does_not_exist(admin: str) -> None:
    before = databases(admin)
    with pytest.raises(ZeroDivisionError):
        scratch.template(admin, "fails", lambda url: operator.floordiv(1, 0))
    assert databases(admin) == before


def test_a_builder_may_forget_to_close_its_session(admin: str) -> None:
    kept = []
    template = scratch.template(admin, "kept", lambda url: kept.append(psycopg2.connect(url.replace("+psycopg2", ""))))
    assert template in databases(admin)
    kept[0].close()


def test_processes_that_ask_at_once_build_a_template_once(admin: str, tmp_path: Path) -> None:
    code = FILL + "from app.migrations import scratch; print(scratch.template(sys.argv[2], 'at once', build))"
    workers = [children.start(code, tmp_path, admin) for _ in range(4)]
    lines = "\n".join(map(children.finish, workers)).splitlines()
    assert (lines.count("built"), len(set(lines) - {"built"})) == (1, 1)


def test_only_the_newest_templates_stay(admin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "TEMPLATES_KEPT", 2)
    monkeypatch.setattr(scratch, "IN_USE", 0)
    made = [scratch.template(admin, f"number {number}", fill) for number in range(3)]
    assert {name for name in databases(admin) if name.startswith(scratch.TEMPLATE_PREFIX)} == set(made[1:])


def test_what_was_used_a_moment_ago_stays_however_many_there_are(admin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "TEMPLATES_KEPT", 2)
    made = [scratch.template(admin, f"number {number}", fill) for number in range(4)]
    assert set(made) <= set(databases(admin))


def killed_in_the_middle(admin: str, place: Path) -> str:
    """The name of a scratch database whose process was killed."""
    child = children.start(
        USE + "; input()",
        place,
        admin,
        stdin=subprocess.PIPE,
    )
    assert child.stdout is not None
    name = name_of(child.stdout.readline().strip())
    child.kill()
    child.communicate()
    return name


def test_what_a_killed_process_left_is_swept_and_what_is_in_use_is_not(admin: str, tmp_path: Path) -> None:
    left = killed_in_the_middle(admin, tmp_path)
    execute(admin, "CREATE DATABASE massacorp_scratch_of_somebody")
    with scratch.database(admin) as url:
        children.await_condition(lambda: scratch.sweep(admin) or left not in databases(admin))
        assert databases(admin) >= {name_of(url), "massacorp_scratch_of_somebody"}
        assert left not in databases(admin)
        assert scratch.sweep(admin) == []


def test_the_next_process_sweeps_by_itself(admin: str, tmp_path: Path) -> None:
    left = killed_in_the_middle(admin, tmp_path)
    gone = "SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event = 'ClientRead' AND query LIKE 'CREATE DATABASE%'"
    children.await_condition(lambda: execute(admin, gone) == [(True,)])
    children.finish(children.start(USE, tmp_path, admin))
    assert left not in databases(admin)


def test_a_role_that_may_not_make_databases_is_told_how_to(admin: str) -> None:
    execute(admin, 'CREATE ROLE "may not" LOGIN')
    url = make_url(admin).set(username="may not").render_as_string(hide_password=False)
    with pytest.raises(ConfigurationError) as caught, scratch.database(url):
        pass
    assert caught.value.message == (
        '"may not" may not make scratch databases on the server of SCRATCH_URL: permission denied to create database'
    )
    assert caught.value.hint.startswith('as its superuser: ALTER ROLE "may not" CREATEDB;')


def test_an_ordinary_role_with_createdb_has_scratch_databases_and_templates_of_its_own(admin: str) -> None:
    execute(admin, "CREATE ROLE maker LOGIN CREATEDB")
    url = make_url(admin).set(username="maker").render_as_string(hide_password=False)
    template = scratch.template(url, "once", fill)
    with scratch.database(url, template) as copy:
        assert execute(copy, "SELECT n FROM t") == [(42,)]
    assert template != scratch.template(admin, "once", fill)


def test_without_the_database_postgres_template1_does(tmp_path: Path, admin: str) -> None:
    execute(admin.replace("/postgres?", "/template1?"), "ALTER DATABASE postgres RENAME TO another")
    try:
        with scratch.database(admin) as url:
            assert execute(url, "SELECT 1") == [(1,)]
    finally:
        execute(admin.replace("/postgres?", "/template1?"), "ALTER DATABASE another RENAME TO postgres")


def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as caught, scratch.database(f"postgresql+psycopg2://me:secret@/x?host={tmp_path}"):
        pass
    assert "\n" not in caught.value.message
    assert "secret" not in str(caught.value)


@pytest.mark.private
def test_a_url_of_a_server_is_used_and_embedded_is_the_private_server(root: Path, scratch_admin: str, pg: int) -> None:
    assert scratch.admin_url(root, "postgres://h/d") == "postgresql+psycopg2://h/d"
    assert scratch.admin_url(root, "embedded", major=pg) == scratch_admin
