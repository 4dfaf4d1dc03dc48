"""What a person gets wrong: two lines, the right exit code, no traceback, no password."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.clones import Clone, Done

PASSWORD = "corr3ct-h0rse"
Upgrade = Callable[[str], Done]


def lines(done: Done, code: int) -> list[str]:
    """The two lines of the message, after the checks that hold for every one of them."""
    assert done.code == code, done.out + done.err
    assert "Traceback" not in done.out + done.err
    assert PASSWORD not in done.out + done.err
    shown = [line for line in done.err.splitlines() if line.startswith(("error: ", "  next: "))]
    assert len(shown) == 2, done.err
    return shown


@pytest.fixture(params=["inv", "alembic"])
def upgrade(request: pytest.FixtureRequest, clone: Clone) -> Upgrade:
    """`upgrade head` of the environment docker, whose database is the given URL, in both ways."""

    def run(url: str) -> Done:
        if request.param == "inv":
            return clone.inv("db.upgrade", "--env=docker", ok=False, DATABASE_URL=url)
        return clone.alembic("-x", "env=docker", "upgrade", "head", ok=False, DATABASE_URL=url)

    return run


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def test_an_unknown_environment_lists_the_ones_there_are(clone: Clone) -> None:
    for done in (clone.inv("db.upgrade", "--env=prd", ok=False), clone.alembic("-x", "env=prd", "current", ok=False)):
        error, hint = lines(done, 2)
        assert error == 'error: there is no environment "prd", perhaps prod; accepted: dev, test, docker, staging, prod'
        assert hint == "  next: the same command with --env=prod"


def test_two_different_environments_are_refused(clone: Clone) -> None:
    for done in (
        clone.inv("db.upgrade", "--env=test", ok=False, APP_ENV="dev"),
        clone.alembic("-x", "env=test", "upgrade", "head", ok=False, APP_ENV="dev"),
    ):
        assert "test on the command line, dev in APP_ENV" in lines(done, 2)[0]


def test_an_exported_url_of_another_database_is_refused(clone: Clone, database: str) -> None:
    done = clone.inv("db.upgrade", "--env=dev", ok=False, DATABASE_URL=database)
    assert "nothing" in lines(done, 2)[0]
    assert not (clone.folder / ".postgres/data").exists()


def test_an_environment_without_an_address_says_how_to_name_one(clone: Clone) -> None:
    assert "DATABASE_URL" in lines(clone.inv("db.upgrade", "--env=prod", ok=False), 2)[1]


@pytest.mark.parametrize("to", ["zzzz", "e5a72b8c9d0e"], ids=["nothing like it", "one character off"])
@pytest.mark.parametrize("task", ["db.upgrade", "db.downgrade", "db.stamp"])
def test_an_unknown_revision_lists_the_candidates(clone: Clone, migrated: str, task: str, to: str) -> None:
    done = clone.inv(task, "--env=docker", f"--to={to}", ok=False, DATABASE_URL=migrated)
    error, hint = lines(done, 2)
    assert error.startswith(f'error: there is no revision "{to}"; there are e5a72b8c9d0f (add_sessions_updated_at), ')
    assert error.endswith("; or head, base, +1, -1")
    assert hint == "  next: `inv db.history` lists all of them"


def test_an_ambiguous_revision_lists_the_candidates(clone: Clone, migrated: str) -> None:
    clone.write_revision("e5affe", "e5a72b8c9d0f", "def upgrade(): ...\n\n\ndef downgrade(): ...")
    error, hint = lines(clone.inv("db.upgrade", "--env=docker", "--to=e5a", ok=False, DATABASE_URL=migrated), 2)
    assert error.startswith('error: "e5a" is the beginning of 2 revisions: e5affe (written_by_a_test), e5a72b8c9d0f (')
    assert "more characters" in hint


@pytest.mark.parametrize(("task", "to"), [("db.upgrade", "+9"), ("db.downgrade", "-9")])
def test_more_steps_than_there_are_list_the_candidates(clone: Clone, migrated: str, task: str, to: str) -> None:
    error, hint = lines(clone.inv(task, "--env=docker", f"--to={to}", ok=False, DATABASE_URL=migrated), 2)
    assert error.startswith(f'error: "{to}" leads nowhere: ')
    assert "e5a72b8c9d0f (add_sessions_updated_at)" in hint


def test_two_heads_are_named(clone: Clone, migrated: str) -> None:
    for name in ("abc123", "def456"):
        clone.write_revision(name, "e5a72b8c9d0f", "def upgrade(): ...\n\n\ndef downgrade(): ...")
    error, hint = lines(clone.inv("db.upgrade", "--env=docker", ok=False, DATABASE_URL=migrated), 2)
    assert "the history has 2 heads: " in error
    assert "abc123 (written_by_a_test)" in error
    assert "inv db.merge" in hint


def test_a_missing_parent_is_named(clone: Clone, migrated: str) -> None:
    clone.write_revision("abc123", "fedcba", "def upgrade(): ...\n\n\ndef downgrade(): ...")
    error, _ = lines(clone.inv("db.upgrade", "--env=docker", ok=False, DATABASE_URL=migrated), 2)
    assert "fedcba" in error


def test_a_database_ahead_of_the_code_is_not_stamped_away(clone: Clone, migrated: str) -> None:
    with create_engine(migrated).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '7f3a00000000'"))
    done = clone.inv("db.upgrade", "--env=docker", ok=False, DATABASE_URL=migrated)
    error, hint = lines(done, 2)
    assert "revision 7f3a00000000, which this checkout does not have" in error
    assert "git pull" in hint
    assert clone.inv("db.status", "--check", "--env=docker", ok=False, DATABASE_URL=migrated).code == 1


def test_a_server_that_is_not_there(upgrade: Upgrade, clone: Clone) -> None:
    port = free_port()
    error, hint = lines(upgrade(f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/app"), 4)
    assert error.startswith(f'error: docker (database "app" on 127.0.0.1:{port} as user "me") cannot be reached: ')
    assert "Connection refused" in error
    assert "DATABASE_URL" in hint


def test_a_host_without_an_address(upgrade: Upgrade) -> None:
    error, hint = lines(upgrade(f"postgresql://me:{PASSWORD}@no-such-host.invalid/app"), 4)
    assert "no-such-host.invalid" in error
    assert "correct the host name" in hint


def test_a_server_that_accepts_and_says_nothing_is_given_up(upgrade: Upgrade) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://me:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/app?connect_timeout=2"
        error, _ = lines(upgrade(url), 4)
    assert "timeout expired" in error


def test_a_database_that_is_missing(upgrade: Upgrade, scratch_admin: str) -> None:
    url = make_url(scratch_admin).set(database="not_there").render_as_string(hide_password=False)
    error, hint = lines(upgrade(url), 4)
    assert 'database "not_there" does not exist' in error
    assert "createdb" in hint


@pytest.fixture
def guest(database: str) -> Iterator[str]:
    """A role that may log in and do nothing else, on a database of its own."""
    name = make_url(database).database
    engine = create_engine(database, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE ROLE guest_{name} LOGIN PASSWORD '{PASSWORD}'"))
        connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    yield f"guest_{name}"
    with engine.connect() as connection:
        connection.execute(text(f"REASSIGN OWNED BY guest_{name} TO postgres"))
        connection.execute(text(f"DROP OWNED BY guest_{name}"))
        connection.execute(text(f"DROP ROLE guest_{name}"))
    engine.dispose()


def as_guest(url: str, guest: str) -> str:
    return make_url(url).set(username=guest, password=PASSWORD).render_as_string(hide_password=False)


def test_a_role_without_the_right_to_create(upgrade: Upgrade, database: str, guest: str) -> None:
    error, hint = lines(upgrade(as_guest(database, guest)), 2)
    assert "permission denied for schema public" in error
    assert "nothing was changed" in error
    assert "GRANT" in hint


def test_a_role_without_the_right_to_connect(upgrade: Upgrade, database: str, guest: str) -> None:
    name = make_url(database).database
    with create_engine(database).begin() as connection:
        connection.execute(text(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"))
    error, hint = lines(upgrade(as_guest(database, guest)), 4)
    assert "permission denied for database" in error
    assert "GRANT CONNECT" in hint


def test_a_role_that_does_not_exist(upgrade: Upgrade, database: str) -> None:
    error, hint = lines(upgrade(as_guest(database, "nobody_knows")), 4)
    assert 'role "nobody_knows" does not exist' in error
    assert "correct the user" in hint


@pytest.mark.parametrize(
    "url", ["embedded:///", "mysql://me@host/app", "nonsense"], ids=["embedded without a name", "mysql", "no URL"]
)
def test_an_address_that_is_none(upgrade: Upgrade, url: str) -> None:
    assert "DATABASE_URL" in "".join(lines(upgrade(url), 2))


def test_a_failing_revision_names_file_and_line_and_keeps_what_came_before(clone: Clone, migrated: str) -> None:
    body = "def upgrade():\n    op.execute('SELECT 1 / 0')\n\n\ndef downgrade(): ..."
    clone.write_revision("abc123", "e5a72b8c9d0f", "def upgrade(): ...\n\n\ndef downgrade(): ...")
    clone.write_revision("def456", "abc123", body)
    done = clone.inv("db.upgrade", "--env=docker", ok=False, DATABASE_URL=migrated)
    error, hint = lines(done, 5)
    assert "revision def456 failed at alembic/versions/def456_written_by_a_test.py:11: division by zero" in error
    assert "inv db.status --env=docker" in hint
    assert "applied  abc123  written_by_a_test" in done.out
    assert "revision     abc123" in clone.inv("db.status", "--env=docker", DATABASE_URL=migrated).out


def test_a_message_is_asked_for(clone: Clone) -> None:
    assert "--message is missing" in lines(clone.inv("db.revision", ok=False), 2)[0]


def test_a_task_needs_a_revision_to_stamp(clone: Clone) -> None:
    assert lines(clone.inv("db.stamp", ok=False), 2)[1] == "  next: inv db.stamp --to=REV"


def test_a_read_only_folder_is_named(clone: Clone, read_only: Path) -> None:
    clone.folder = read_only
    error, hint = lines(clone.inv("db.upgrade", ok=False), 2)
    assert ".postgres" in error
    assert hint
