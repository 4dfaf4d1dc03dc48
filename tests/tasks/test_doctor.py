"""The doctor beside others at work and where little can be read; repairs, refused where they could hurt."""

import re
import secrets
import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import make_url

from app.migrations.advisory import KEY
from tests.diseases import DELETE, MADE, PSQL, A, B, applied_and_lost, half, invalid, put, shortened
from tests.migrations.chains import session, until
from tests.migrations.test_advisory import PGBOUNCER, pooled
from tests.patients import ENV, HEAD, PARENT, Clinic, Patient, clinic, patient


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, scratch_admin: str) -> Iterator[Clinic]:
    with clinic(tmp_path_factory.mktemp("clinic"), scratch_admin) as made:
        yield made


@pytest.fixture
def well(opened: Clinic) -> Iterator[Patient]:
    """A database at the head, that `inv db.upgrade` has brought there."""
    with patient(opened, opened.template()) as one:
        yield one


@pytest.fixture
def empty(opened: Clinic) -> Iterator[Patient]:
    with patient(opened, None) as one:
        yield one


@pytest.fixture
def others(well: Patient) -> Iterator[Callable[[str, str], int]]:
    """Sessions of others in the database: name and statement in, the process out; they end with the test."""
    with ExitStack() as opened_sessions:

        def start(name: str, statement: str) -> int:
            cursor = opened_sessions.enter_context(session(well.url, name))
            cursor.execute(statement)
            return int(cursor.connection.info.backend_pid)

        yield start


@contextmanager
def running(url: str, name: str, statement: str) -> Iterator[Future[None]]:
    """A statement in a session of its own; it is cancelled at the end, whatever it waits for."""
    with session(url, name) as cursor, ThreadPoolExecutor(1) as pool:
        cursor.connection.set_session(autocommit=True)
        try:
            yield pool.submit(cursor.execute, statement)
        finally:
            cursor.connection.cancel()


def test_a_healthy_database_is_healthy_and_soon_said_to_be(well: Patient) -> None:
    done = well.inv("db.doctor")
    assert (done.code, done.out.splitlines()[1:]) == (0, ["healthy: nothing is wrong"]), done
    assert (
        well.inv("db.repair").out.splitlines()[-1]
        == f"nothing to repair; inv db.doctor --env={ENV} says what else is wrong"
    )


def test_an_empty_database_wants_an_upgrade(empty: Patient) -> None:
    empty.ask("DROP SCHEMA public")
    code, (found,) = empty.examined()
    assert code == 1
    assert found["cause"] == 'search_path ("$user", public) names no schema that exists: nothing can be created'
    assert shortened(found["command"]) == f"{PSQL} -c " + """'CREATE SCHEMA "public"'"""
    assert empty.healed() == ["no-schema", "empty"]


def test_what_it_prints_can_be_read_and_pasted(well: Patient) -> None:
    well.ask(f"INSERT INTO alembic_version VALUES ('{PARENT}')")
    well.write(A, HEAD, MADE)
    done = well.inv("db.doctor")
    shown = re.sub(r"\S*psql -X .*? -c ", "psql -c ", done.out)
    assert shown.splitlines()[1:] == [
        f"1. error several-rows: alembic_version holds 2 rows: {PARENT}, {HEAD}, and {PARENT} lies below "
        f"{HEAD}: a branch has "
        "one row",
        f"   first: make sure that the schema is at {HEAD}: no drift below",
        f"   cure: psql -c {shlex.quote(DELETE)}",
    ]


def test_a_server_that_does_not_answer_is_code_4_unless_the_code_is_broken_too(well: Patient) -> None:
    nowhere = "postgresql://me@127.0.0.1:1/app"
    code, (found,) = well.examined(DATABASE_URL=nowhere)
    assert (code, found["case"], found["details"]) == (4, "unreachable", ["cause: refused"])
    assert "Connection refused" in found["cause"]
    assert "start the server or correct the address" in found["decide"]
    put("alembic/versions/broken.py", "(")(well)
    code, both_found = well.examined(DATABASE_URL=nowhere)
    assert (code, [one["case"] for one in both_found]) == (1, ["unreadable-file", "unreachable"])


def test_rights_that_are_missing_are_named_with_who_grants_them(well: Patient) -> None:
    with role(well) as name:
        url = as_user(well.url, name)
        code, found = well.examined(DATABASE_URL=url)
        assert code == 1
        causes = [(one["case"], one["cause"]) for one in found if one["case"] != "wrong-identity"]
        assert causes == [
            ("missing-right", f'"{name}" lacks CREATE on schema public: no migration can create a table'),
            ("missing-right", f'sessions, tenants, users: owned by "postgres", whose rights "{name}" lacks: no '
            f'migration can '
             "alter them"),
            ("missing-right", f'"{name}" lacks SELECT, INSERT, UPDATE on public.alembic_identity: nothing '
            f'records who changes '
             "it, and whose it is"),
            ("missing-right", f'"{name}" lacks SELECT, INSERT, UPDATE on public.alembic_journal: nothing '
            f'records who changes '
             "it, and whose it is"),
            ("missing-right", f'"{name}" lacks SELECT, INSERT, UPDATE, DELETE on public.alembic_version: no '
            f'revision can be '
             "recorded"),
        ]  # fmt: skip
        for one in found:
            assert one["decide"] == 'this is for "postgres" to grant'
            assert well.run(one["command"]).code == 0
        assert well.examined(DATABASE_URL=url) == (0, [])


@contextmanager
def role(well: Patient) -> Iterator[str]:
    """A role that may connect, and that is gone afterwards."""
    name = f"plain_{secrets.token_hex(4)}"
    well.ask(f"CREATE ROLE {name} LOGIN")
    try:
        yield name
    finally:
        well.ask(f"DROP OWNED BY {name}")
        well.ask(f"DROP ROLE {name}")


def as_user(url: str, name: str) -> str:
    return make_url(url).set(username=name).render_as_string(hide_password=False)


def test_a_table_that_somebody_has_locked_is_not_waited_for(well: Patient, others: Callable[[str, str], int]) -> None:
    pid = others("report", "LOCK TABLE alembic_version")
    _, (found,) = well.examined()
    assert found["case"] == "locked-version"
    who = f"pid {pid} (user postgres, application report), transaction open for "
    assert found["cause"].startswith(f"alembic_version cannot be read, it is locked by {who}")
    assert shortened(found["command"]) == f"{PSQL} -c 'SELECT pg_terminate_backend({pid})'"
    assert found["decide"] == "make sure that nobody needs it: its work is undone"
    assert well.healed() == ["locked-version"]


def test_another_migration_is_named_and_waited_for(well: Patient, others: Callable[[str, str], int]) -> None:
    pid = others("massacorp-migrations/docker/lock", f"SELECT pg_try_advisory_lock({KEY})")
    code, (found,) = well.examined()
    assert (code, found["case"], found["severity"], found["command"]) == (1, "migration-running", "notice", None)
    who = rf"massacorp-migrations/docker \(pid {pid}, user postgres, connected for .*\)"
    assert re.fullmatch(f"{who} is migrating this database", found["cause"])
    assert found["decide"].startswith(
        "wait for its end, then inv db.doctor again; only if nobody is behind it any more: "
    )


def test_a_migration_that_waits_is_named_with_who_is_in_its_way(
    well: Patient, others: Callable[[str, str], int]
) -> None:
    others("massacorp-migrations/docker/lock", f"SELECT pg_try_advisory_lock({KEY})")
    pid = others("report", "SELECT count(*) FROM users")
    statement = "ALTER TABLE users ADD made int"
    with running(well.url, f"massacorp-migrations/docker/{A}", statement) as waiting:
        until(lambda: well.ask("SELECT 1 FROM pg_locks WHERE NOT granted"), "it waits")
        _, (found,) = well.examined()
        assert found["case"] == "migration-waiting"
        assert re.fullmatch(
            rf"massacorp-migrations/docker \(pid \d+, .*\) is migrating this database, and waits for users, "
            rf"held by pid {pid} "
            r"\(user postgres, application report\), transaction open for .*: SELECT count\(\*\) FROM users",
            found["cause"],
        )
        assert well.run(found["command"]).code == 0
        waiting.result()
    assert [one["case"] for one in well.examined()[1]] == ["migration-running"]


def test_what_a_killed_migration_left_running_is_ended(well: Patient, others: Callable[[str, str], int]) -> None:
    pid = others(f"massacorp-migrations/docker/{A}", "LOCK TABLE users")
    _, (found,) = well.examined()
    assert found["cause"].startswith(
        f"a statement of a migration that was killed is still running: pid {pid} (user postgres, "
    )
    assert shortened(found["command"]) == f"{PSQL} -c 'SELECT pg_terminate_backend({pid})'"
    assert well.healed() == ["orphan"]


def test_an_index_that_is_being_built_is_not_called_invalid(well: Patient, others: Callable[[str, str], int]) -> None:
    pid = others("report", "INSERT INTO tenants (name, slug) VALUES ('a', 'a')")
    statement = "CREATE INDEX CONCURRENTLY ix_building ON tenants (name)"
    with running(well.url, "builder", statement) as build:
        until(lambda: well.ask("SELECT 1 FROM pg_index WHERE NOT indisvalid"), "it is built")
        assert well.examined() == (0, [])
        assert "nothing to repair" in well.inv("db.repair").out
    assert isinstance(build.exception(), psycopg2.errors.QueryCanceled)
    assert [one["case"] for one in well.examined()[1]] == ["invalid-index"]
    done = well.inv("db.repair", LOCK_RETRY_FOR="500ms")
    assert done.code == 2
    assert (
        f"index public.ix_building could not be dropped within 500 ms, because of pid {pid} (user postgres" in done.err
    )
    well.ask("SELECT pg_terminate_backend(%s)", pid)
    assert "will drop index  public.ix_building" in well.inv("db.repair").out
    assert well.examined() == (0, [])


@pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed (apt-get install pgbouncer)")
@pytest.mark.private
def test_a_pooler_that_shares_sessions_is_named(well: Patient, tmp_path: Path) -> None:
    with pooled(well.url, tmp_path, "transaction") as url:
        code, (found,) = well.examined(DATABASE_URL=url)
    assert (code, found["case"], found["command"]) == (1, "pooler", None)
    assert found["decide"].startswith("name the server itself, or the pooler's session mode: DATABASE_URL")


def test_a_part_of_a_revision_is_not_closed(well: Patient) -> None:
    two = 'with op.get_context().autocommit_block():\n        op.execute("CREATE TABLE made (a int)")\n        '
    well.write(A, HEAD, two + 'op.execute("CREATE TABLE made_too (a int)")\n        op.execute("SELECT 1/0")')
    assert well.inv("db.upgrade").code == 5
    well.ask("DROP TABLE made_too")
    well.write(A, HEAD, two + 'op.execute("CREATE TABLE made_too (a int)")')
    _, (found, *_) = well.examined()
    assert (
        found["details"][1] == "it said: committed: CREATE TABLE made (a int); committed: CREATE TABLE made_too (a int)"
    )
    done = well.run(found["command"])
    assert done.code == 2
    assert f"a part of {A} is there (table public.made is only in the database" in done.err
    assert "and a part is not (table public.made_too is only in the revision" in done.err
    assert "nothing was changed" in done.err
    well.ask("CREATE TABLE made_too (a int)")
    assert f"next: inv db.stamp --to={A} --env={ENV}" in well.run(found["command"]).out
    (row,) = well.ask("SELECT revision, action, detail ->> 'extent' FROM alembic_journal ORDER BY id DESC LIMIT 1")
    assert row == (A, "repaired", "all of it is there")
    assert well.inv("db.stamp", f"--to={A}").code == 0
    assert well.examined() == (0, [])


def test_a_revision_is_closed_only_by_its_name(well: Patient) -> None:
    half(well)
    assert f"left alone: revision {A} stays half applied" in well.inv("db.repair", "--yes").out
    done = well.inv("db.repair", f"--close={B}")
    assert (done.code, f"revision {B} is not half applied; nothing was changed" in done.err) == (2, True)


def test_an_index_that_cannot_be_rebuilt_stays_as_it_was(well: Patient) -> None:
    well.ask("INSERT INTO tenants (name, slug) VALUES ('a', 'a')")
    well.ask(invalid("uq_tenants_slug"))
    well.ask("UPDATE pg_index SET indisready = false WHERE indexrelid = 'uq_tenants_slug'::regclass")
    well.ask("INSERT INTO tenants (name, slug) VALUES ('b', 'a')")
    done = well.inv("db.repair")
    assert done.code == 5
    assert "index public.uq_tenants_slug cannot be rebuilt: could not create unique index" in done.err
    assert well.ask("SELECT count(*) FROM pg_class WHERE relname ~ '_ccnew'") == [(0,)]


def test_another_environments_database_is_not_repaired(well: Patient) -> None:
    well.inv("env.claim")
    well.ask("UPDATE alembic_identity SET environment = 'prod'")
    well.ask("CREATE INDEX ix_left ON users (email)")
    well.ask(invalid("ix_left"))
    done = well.inv("db.repair")
    assert (done.code, "the command works as docker; nothing was changed" in done.err) == (2, True)


def test_a_protected_environment_is_asked_about(well: Patient) -> None:
    well.ask("CREATE INDEX ix_left ON users (email)")
    well.ask(invalid("ix_left"))
    done = well.inv("db.repair", APP_ENV="staging", SCRATCH_URL=well.clinic.admin)
    assert (done.code, "will drop index  public.ix_left" in done.out) == (2, True)
    assert "there is no terminal to ask at; nothing was changed" in done.err
    assert well.inv("db.repair", "--yes", APP_ENV="staging").code == 0
    assert well.ask(
        "SELECT detail ->> 'did', detail ->> 'definition' FROM alembic_journal ORDER BY id DESC LIMIT 1"
    ) == [("drop index", "CREATE INDEX ix_left ON public.users USING btree (email)")]


def test_an_edit_that_git_does_not_have_is_kept_beside_what_is_restored(well: Patient) -> None:
    path = next(well.versions.glob(f"{PARENT}*"))
    was = path.read_text()
    path.write_text(f"{was}\nEDITED = 1\n")
    done = well.inv("db.repair", f"--restore-file={PARENT}")
    assert done.out == f"wrote alembic/versions/{path.name}.orig\nwrote alembic/versions/{path.name}\n"
    assert path.read_text() == was
    assert path.with_name(f"{path.name}.orig").read_text().endswith("EDITED = 1\n")


def test_lost_parents_come_back_with_the_revision(well: Patient) -> None:
    applied_and_lost(well)
    done = well.inv("db.repair", f"--restore-file={B}")
    assert done.code == 0
    assert {path.name for path in well.versions.glob("*written*")} == {f"{one}_written_by_a_test.py" for one in (A, B)}
    assert well.examined() == (0, [])
    done = well.inv("db.repair", "--restore-file=feedbeef0123")
    assert (done.code, "the journal holds no source of revision feedbeef0123" in done.err) == (2, True)
