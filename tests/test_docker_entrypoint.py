"""The entrypoint of the image, in plain shells and on a real database: it serves a database at its head, or nothing."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.migrations import server
from app.migrations.programs import find_server_programs
from tests import entrypoints
from tests.clones import Clone, Done
from tests.entrypoints import FIRST_PROCESS, SCRIPT, started, until
from tests.migrations.chains import ask
from tests.migrations.private_servers import quick_server
from tests.roads import journal, version

HEAD, THIRD = "e5a72b8c9d0f", "a91f6d2c4b7e"
NOWHERE = "postgresql://massacorp@127.0.0.1:1/massacorp"
SHELLS = [("sh",), ("dash",), ("bash", "--posix"), ("busybox", "sh"), ("posh",)]
SLOW = pytest.mark.slow

WAITS = """
def upgrade():
    op.execute('''DO $$ BEGIN
        WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP;
    END $$''')
    op.execute("CREATE TABLE waited_for (id int)")


def downgrade():
    op.drop_table("waited_for")
"""
FAILS = 'def upgrade():\n    op.execute("SELECT 1/0")\n\n\ndef downgrade():\n    pass'


def is_first_process_possible() -> bool:
    tried = (
        subprocess.run([*FIRST_PROCESS, "true"], capture_output=True, check=False) if shutil.which("unshare") else None
    )
    return tried is not None and tried.returncode == 0


def assert_served(done: Done, url: str) -> None:
    assert (done.code, done.out) == (0, "served\n"), done.err
    assert version(url) == [HEAD]


def assert_not_served(done: Done, code: int, said: str) -> None:
    assert (done.code, done.out) == (code, ""), done.err
    assert said in done.err
    assert "Traceback" not in done.err


def test_an_empty_database_is_upgraded_and_served(clone: Clone, database: str) -> None:
    assert_served(entrypoints.run(clone, database), database)
    assert_served(entrypoints.run(clone, database), database)
    assert [action for _, action in journal(database)] == ["upgrade"] * 4


@SLOW
@pytest.mark.parametrize("shell", SHELLS, ids=[" ".join(shell) for shell in SHELLS])
def test_any_plain_shell_runs_it(shell: tuple[str, ...], clone: Clone, database: str) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"there is no {shell[0]} here")
    assert_served(entrypoints.run(clone, database, shell), database)


@SLOW
def test_it_is_found_from_another_folder_and_keeps_every_word(clone: Clone, database: str, tmp_path: Path) -> None:
    words = ["python", "-c", "import sys; print(sys.argv[1:])", "a b", "*", "$HOME", ""]
    environment = entrypoints.environment(clone, database)
    script = str(clone.folder / SCRIPT)
    done = subprocess.run([script, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{words[3:]}\n"


@SLOW
def test_replicas_that_start_together_upgrade_once(clone: Clone, database: str) -> None:
    with started(clone, database) as one, started(clone, database) as two, started(clone, database) as three:
        for done in map(entrypoints.ended, (one, two, three)):
            assert_served(done, database)
    assert [action for _, action in journal(database)] == ["upgrade"] * 4


def test_a_database_that_is_away_is_given_up_after_its_time(clone: Clone) -> None:
    done = entrypoints.run(clone, NOWHERE, DATABASE_WAIT="700ms")
    assert_not_served(done, 4, "Connection refused; it was given 0.7 s, nothing is served\n  next: ")
    assert done.err.count("waiting for the database") == 1


@SLOW
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"DATABASE_WAIT": "soon"}, 'DATABASE_WAIT=soon: is "soon"; accepted: 0, or a number'),
        ({"APP_ENV": "prod", "PROTECTED": "false"}, "PROTECTED"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
    ],
    ids=["a wait that is none", "a protection that is exported", "no address"],
)
def test_what_is_misconfigured_is_said_in_two_lines(changes: dict[str, str], said: str, clone: Clone) -> None:
    assert_not_served(entrypoints.run(clone, NOWHERE, **changes), 2, said)


@SLOW
def test_what_waiting_does_not_cure_is_not_waited_for(clone: Clone, database: str) -> None:
    url = make_url(database).set(database="no_such_database").render_as_string(hide_password=False)
    done = entrypoints.run(clone, url, DATABASE_WAIT="10min")
    assert_not_served(done, 4, 'database "no_such_database" does not exist')


def test_a_migration_that_fails_is_not_served(clone: Clone, database: str) -> None:
    clone.write_revision("0123456789ab", HEAD, FAILS)
    done = entrypoints.run(clone, database)
    assert_not_served(done, 5, "division by zero")
    assert version(database) == [HEAD]


@SLOW
def test_a_command_that_is_not_there_is_named(clone: Clone, migrated: str) -> None:
    done = entrypoints.run(clone, migrated, serve=("uvicorm", "app"))
    assert_not_served(done, 2, "error: uvicorm cannot be run: No such file or directory; nothing is served")
    assert_not_served(entrypoints.run(clone, migrated, serve=()), 2, "no command was given")


@SLOW
def test_a_read_only_file_system_is_enough(clone: Clone, read_only: Path, database: str) -> None:
    clone.folder = read_only
    assert_served(entrypoints.run(clone, database, PYTHONDONTWRITEBYTECODE=""), database)


@pytest.fixture(params=["as the first process", "as any process"])
def prefix(request: pytest.FixtureRequest) -> tuple[str, ...]:
    if request.param == "as any process":
        return ("sh",)
    if not is_first_process_possible():
        pytest.skip("this user may not make a process the first of its namespace")
    return (*FIRST_PROCESS, "sh")


def terminate(process: "subprocess.Popen[str]", prefix: tuple[str, ...]) -> None:
    os.kill(process.pid if prefix == ("sh",) else entrypoints.child_of(process), signal.SIGTERM)


@SLOW
def test_sigterm_ends_the_wait(prefix: tuple[str, ...], clone: Clone) -> None:
    with started(clone, NOWHERE, prefix, DATABASE_WAIT="10min") as process:
        assert process.stderr is not None
        assert "waiting for the database" in process.stderr.readline()
        terminate(process, prefix)
        done = entrypoints.ended(process, within=10)
    assert_not_served(done, 130, "stopped by SIGTERM; nothing is served")


@SLOW
def test_a_database_that_comes_later_is_upgraded(clone: Clone, pg: int, tmp_path: Path) -> None:
    private = quick_server(tmp_path / "late", find_server_programs(major=pg))
    private.data.parent.parent.mkdir()
    url = server.open_database(private, "app")
    server.stop(private)
    try:
        with started(clone, url) as process:
            assert process.stderr is not None
            assert "waiting for the database" in process.stderr.readline()
            server.open_database(private, "app")
            assert_served(entrypoints.ended(process), url)
    finally:
        server.stop_all(tmp_path / "late")


@pytest.fixture
def gate(clone: Clone, database: str) -> Iterator[Callable[[], None]]:
    """The third of five revisions waits in a statement until the gate is opened."""
    ask(database, "CREATE TABLE gate (id int)")
    clone.write_revision("1d5a7e2c9b40", THIRD, WAITS)
    last = next(clone.versions.glob(f"{HEAD}_*.py"))
    last.write_text(last.read_text().replace(f'= "{THIRD}"', '= "1d5a7e2c9b40"'))

    def open_() -> None:
        ask(database, "INSERT INTO gate VALUES (1)")

    yield open_
    ask(database, "DROP TABLE gate")


def is_waiting(url: str) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%FROM gate%LOOP%'"
    return ask(url, f"{query} AND pid <> pg_backend_pid()") == [(1,)]


@SLOW
def test_sigterm_in_a_migration_finishes_the_revision_and_begins_no_other(
    prefix: tuple[str, ...], clone: Clone, database: str, gate: Callable[[], None]
) -> None:
    with started(clone, database, prefix) as process:
        until(lambda: is_waiting(database))
        terminate(process, prefix)
        gate()
        done = entrypoints.ended(process)
    assert_not_served(done, 130, "stopped by SIGTERM after revision 1d5a7e2c9b40, which is kept")
    assert version(database) == ["1d5a7e2c9b40"]
    assert [action for _, action in journal(database)] == ["upgrade"] * 4
    assert_served(entrypoints.run(clone, database), database)
