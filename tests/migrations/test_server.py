import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import psycopg2.extras
import pytest
from sqlalchemy import create_engine

from app.migrations import cluster, postmaster, server
from app.migrations.errors import ConfigurationError, Unreachable
from app.migrations.filelock import locked
from app.migrations.programs import Programs, find_server_programs
from app.migrations.server import open_database, private_server, scratch_server, stop, stop_all
from app.migrations.sockets import NAME
from app.migrations.startup import Server
from tests.migrations import children

OPEN = "print(server.open_database(private, 'app'), flush=True)"


@pytest.fixture(scope="session")
def programs(pg: int) -> Programs:
    return find_server_programs(major=pg)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """A folder whose servers are stopped afterwards."""
    yield tmp_path
    for place in {path.parents[1] for path in tmp_path.rglob(server.FOLDER + "/*.lock")}:
        stop_all(place)
    shutil.rmtree(tmp_path)


def quick_server(root: Path, programs: Programs) -> Server:
    """The private server, but initdb does not wait for the disk."""
    return private_server(root, programs)._replace(durable=False)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, programs: Programs) -> Iterator[Path]:
    """A data folder to copy, with the database `app` in it: initdb takes its time."""
    place = tmp_path_factory.mktemp("made")
    open_database(quick_server(place, programs), "app")
    stop_all(place)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def own(empty: Path, made: Path, programs: Programs) -> Server:
    """A private server of this test alone, that has been in use before and is not running."""
    shutil.copytree(made, empty, dirs_exist_ok=True)
    return private_server(empty, programs)


@pytest.fixture(scope="module")
def used(made: Path, programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("used")
    shutil.copytree(made, place, dirs_exist_ok=True)
    yield private_server(place, programs)
    stop_all(place)
    shutil.rmtree(place)


@pytest.fixture
def private(used: Server) -> Server:
    """A private server that other tests use too, one after the other, and that is not running."""
    stop(used)
    return used


def query(url: str, statement: str) -> object:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.exec_driver_sql(statement)
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def pid_of(private: Server) -> int:
    found = postmaster.find(private.data)
    assert found is not None
    return found.pid


def postmasters(private: Server) -> set[int]:
    """The processes of the server whose parent is none of them."""
    mine = set(postmaster.processes(private.data))
    parents = {pid: int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in mine}
    return {pid for pid in mine if parents[pid] not in mine}


# --- starting, using, stopping ---


def test_the_first_use_makes_starts_and_creates_and_the_next_ones_only_connect(empty: Path, programs: Programs) -> None:
    private = private_server(empty, programs)
    url = open_database(private, "app")
    assert query(url, "SELECT current_setting('server_version_num')::int / 10000") == programs.major
    nowhere = private._replace(programs=programs._replace(bin=empty / "nowhere"))
    with locked(empty / ".postgres/data.lock", "testing"):  # the warm path needs neither programs nor lock
        assert open_database(nowhere, "app") == url
    assert stop(private)
    assert not stop(private)
    assert postmaster.find(private.data) is None


def test_the_settings_are_the_same_on_every_machine(private: Server) -> None:
    url = open_database(private, "app")
    expected = {
        "listen_addresses": "",
        "TimeZone": "UTC",
        "lc_messages": "C",
        "server_encoding": "UTF8",
        "max_connections": "200",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
    }
    assert {name: query(url, f"SHOW {name}") for name in expected} == expected
    collation = query(url, "SELECT concat_ws(' ', datlocprovider, datcollate) FROM pg_database WHERE datname = 'app'")
    assert collation == ("b C" if private.programs.major >= 17 else "c C")


def test_the_scratch_server_is_another_one_without_durability(empty: Path, programs: Programs) -> None:
    scratch = scratch_server(empty, programs)
    url = server.maintenance_url(scratch)
    assert scratch.data == empty / f".postgres/scratch-{programs.major}"
    assert [query(url, f"SHOW {name}") for name in ("fsync", "full_page_writes", "synchronous_commit")] == ["off"] * 3
    assert stop_all(empty) == [f".postgres/scratch-{programs.major}"]
    assert stop_all(empty) == []


def test_stopping_where_there_was_never_a_server_makes_nothing(empty: Path, programs: Programs) -> None:
    assert stop_all(empty) == []
    assert not stop(private_server(empty, programs))
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("name", ["app 2", "été", 'a"b', "100%", "a'; DROP DATABASE app; --"])
def test_a_database_may_have_any_name(private: Server, name: str) -> None:
    assert query(open_database(private, name), "SELECT current_database()") == name
    assert query(open_database(private, name), "SELECT current_database()") == name


@pytest.mark.parametrize("name", ["", "é" * 32])
def test_a_name_that_postgresql_would_not_take_as_it_is_starts_nothing(
    empty: Path, programs: Programs, name: str
) -> None:
    with pytest.raises(ConfigurationError, match="1 to 63 bytes"):
        open_database(private_server(empty, programs), name)
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("variable", ["PGPORT", "PGHOST", "PGDATA", "PGUSER", "PGDATABASE"])
def test_variables_for_other_servers_do_not_matter(
    private: Server, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "4711")
    assert query(open_database(private, "app"), "SELECT current_database()") == "app"


@pytest.mark.parametrize(
    "folder",
    ["a b", "é ñ 数", 'quote\'s "and" $HOME `id` \\n', "comma, colon: and %41", "long" * 50],
    ids=["spaced", "not-ascii", "full of shell", "full of libpq", "too long for a socket"],
)
def test_it_works_under_any_path(empty: Path, made: Path, programs: Programs, folder: str) -> None:
    shutil.copytree(made, empty / folder)
    private = private_server(empty / folder, programs)
    assert query(open_database(private, "app"), "SELECT 1") == 1
    assert query(open_database(private, "app"), "SELECT 1") == 1
    assert stop(private)


def test_initdb_works_under_any_path_too_even_that_of_its_programs(empty: Path, programs: Programs) -> None:
    place = empty / 'it\'s "a" $HOME `id` é'
    copy = children.copy_of_the_wheel(programs, place)
    private = quick_server(place, programs._replace(bin=copy))
    assert query(open_database(private, "app"), "SELECT 1") == 1


def test_ten_commands_at_once_share_one_server(empty: Path) -> None:
    commands = [children.start(OPEN, empty) for _ in range(10)]
    assert len({children.finish(command) for command in commands}) == 1
    assert len(postmasters(private_server(empty, find_server_programs()))) == 1


def test_who_waits_for_another_command_is_told_so(private: Server) -> None:
    with locked(private.data.with_name("data.lock"), "testing"):
        command = children.start(OPEN, private.data.parents[1])
        assert command.stderr is not None
        said = command.stderr.readline()
    command.communicate()
    assert said == "waiting for another command that is starting or stopping .postgres/data\n"
    assert command.returncode in (0, 2)


def test_nothing_outside_the_folder_changes_and_nobody_else_gets_in(empty: Path, programs: Programs) -> None:
    place = empty / "closed/open"
    place.mkdir(parents=True)
    place.parent.chmod(0o700)
    watched = [*place.parents, place, programs.bin, *programs.bin.parents]
    before = [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in watched]
    private = quick_server(place, programs)
    open_database(private, "app")
    assert [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in watched] == before
    assert [stat.S_IMODE(path.stat().st_mode) for path in (place / ".postgres", private.data)] == [0o700, 0o700]


def test_an_ordinary_user_needs_nothing_special(empty: Path) -> None:
    code = "import os; assert os.geteuid(); " + OPEN + "; print(server.stop_all(root))"
    command = children.start(code, empty, wrapped_in=children.as_ordinary_user())
    assert children.finish(command).splitlines()[-1] == "['.postgres/data']"


# --- what is killed, lost or moved ---


def test_after_kill_9_of_the_server_everything_committed_is_there(private: Server) -> None:
    query(open_database(private, "app"), "CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS n")
    os.kill(pid_of(private), signal.SIGKILL)
    assert query(open_database(private, "app"), "SELECT n FROM kept") == 42
    assert len(postmasters(private)) == 1


def test_backends_that_survive_their_server_are_ended(private: Server) -> None:
    session = psycopg2.connect(open_database(private, "app").replace("+psycopg2", ""), async_=True)
    psycopg2.extras.wait_select(session)
    cursor = session.cursor()
    cursor.execute("DO $$ BEGIN LOOP END LOOP; END $$")
    os.kill(pid_of(private), signal.SIGKILL)
    assert query(open_database(private, "app"), "SELECT 1") == 1
    assert len(postmasters(private)) == 1
    session.close()


def test_a_pid_file_that_names_another_process_is_not_believed(private: Server) -> None:
    for name in (postmaster.PID_FILE, NAME + ".lock"):
        (private.data / name).write_text(f"{os.getpid()}\n{private.data}\n0\n5432\n.\n\n  1 1\nready   \n")
    assert not stop(private)
    assert query(open_database(private, "app"), "SELECT 1") == 1
    assert pid_of(private) != os.getpid()


@pytest.mark.parametrize("content", ["", "garbage\n", "99999999\n"])
def test_a_broken_pid_file_does_not_matter(private: Server, content: str) -> None:
    (private.data / postmaster.PID_FILE).write_text(content)
    assert query(open_database(private, "app"), "SELECT 1") == 1


def test_a_socket_that_vanished_comes_back(private: Server) -> None:
    open_database(private, "app")
    (private.data / NAME).unlink()
    assert query(open_database(private, "app"), "SELECT 1") == 1
    assert len(postmasters(private)) == 1


def test_a_folder_that_is_moved_while_the_server_runs_keeps_its_server(own: Server, empty: Path) -> None:
    open_database(own, "app")
    before = pid_of(own)
    (empty / "moved").mkdir()
    (empty / ".postgres").rename(empty / "moved/.postgres")
    moved = private_server(empty / "moved", own.programs)
    assert query(open_database(moved, "app"), "SELECT 1") == 1
    assert pid_of(moved) == before
    assert stop(moved)
    assert query(open_database(moved, "app"), "SELECT 1") == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_command_that_ends_in_the_middle_of_initdb_leaves_nothing_in_the_way(
    empty: Path, programs: Programs, number: signal.Signals
) -> None:
    private = quick_server(empty, programs)
    command = children.start(OPEN, empty)
    children.await_condition(lambda: list(empty.glob(f".postgres/data{cluster.MAKING}*/base")))
    os.killpg(command.pid, number)
    command.communicate()
    assert not private.data.exists()
    assert query(open_database(private, "app"), "SELECT 1") == 1
    assert sorted(path.name for path in private.data.parent.iterdir()) == ["data", "data.lock", "data.log"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_command_that_ends_in_the_middle_of_a_start_leaves_one_server(
    private: Server, number: signal.Signals
) -> None:
    private.log.unlink(missing_ok=True)
    command = children.start(OPEN, private.data.parents[1])
    children.await_condition(lambda: private.log.exists() and private.log.stat().st_size)
    os.killpg(command.pid, number)
    command.communicate()
    assert query(open_database(private, "app"), "SELECT 1") == 1
    assert len(postmasters(private)) == 1


def test_the_server_survives_the_ctrl_c_of_the_command_that_started_it(private: Server) -> None:
    command = children.start(OPEN + "; input()", private.data.parents[1], stdin=subprocess.PIPE)
    assert command.stdout is not None
    assert command.stdout.readline().startswith("postgresql+psycopg2://")
    before = pid_of(private)
    os.killpg(command.pid, signal.SIGINT)
    command.communicate()
    assert query(open_database(private, "app"), "SELECT 1") == 1
    assert pid_of(private) == before


# --- what must not be wiped, and what cannot be done ---


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
def test_the_data_of_another_major_version_are_left_alone(private: Server, running: bool) -> None:
    if running:
        open_database(private, "app")
    other = private._replace(programs=find_server_programs(major=34 - private.programs.major))
    with pytest.raises(ConfigurationError) as caught:
        open_database(other, "app")
    assert f"holds databases of PostgreSQL {private.programs.major}" in caught.value.message
    assert f"PG_BIN={private.programs.bin}" in caught.value.hint
    assert f"mv {private.data} {private.data}-{private.programs.major}" in caught.value.hint
    assert query(open_database(private, "app"), "SELECT 1") == 1


def test_durable_data_that_are_broken_are_left_alone(own: Server) -> None:
    (own.data / "global/pg_control").unlink()
    with pytest.raises(Unreachable) as caught:
        open_database(own, "app")
    assert "could not find the database system" in caught.value.message or "pg_control" in caught.value.message
    assert "\n" not in caught.value.message
    (own.data / "PG_VERSION").unlink()
    with pytest.raises(ConfigurationError, match="is left as it is"):
        open_database(own, "app")
    assert (own.data / "base").is_dir()


@pytest.mark.parametrize("lost", ["PG_VERSION", "global/pg_control"])
def test_a_broken_scratch_server_is_rebuilt(own: Server, lost: str) -> None:
    scratch = scratch_server(own.data.parents[1], own.programs)
    own.data.rename(scratch.data)
    (scratch.data / lost).unlink()
    assert query(open_database(scratch, "app"), "SELECT 1") == 1


def test_a_folder_that_cannot_be_written_is_said_in_one_line(empty: Path) -> None:
    empty.chmod(0o555)
    code = "\ntry: server.open_database(private, 'app')\nexcept server.ConfigurationError as error: print(error)"
    command = children.start(code, empty, wrapped_in=children.as_ordinary_user())
    first, second = children.finish(command).splitlines()
    assert first.startswith("error: the private server in ")
    assert f"Permission denied: {empty / '.postgres'}" in first
    assert second == f"  next: look at the owner and the rights: ls -ld {empty} {empty / '.postgres'}"
    empty.chmod(0o755)


def on_a_small_disk(folder: Path, options: str) -> list[str]:
    script = f'mount -t tmpfs -o {options} none "$0" && exec "$@"'
    prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(folder)]
    if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    return prefix


@pytest.mark.parametrize(
    ("options", "said"),
    [("size=8m", "No space left on device"), ("ro", "Read-only file system")],
    ids=["full", "read-only"],
)
def test_a_disk_that_takes_nothing_is_said_in_one_line(empty: Path, options: str, said: str) -> None:
    code = "\ntry: server.open_database(private, 'app')\nexcept server.ConfigurationError as error: print(error)"
    command = children.start(code, empty, wrapped_in=on_a_small_disk(empty, options))
    first, second = children.finish(command).splitlines()
    assert said in first
    assert second.startswith("  next: look at")


def test_what_else_stands_in_the_place_is_an_error(empty: Path, programs: Programs) -> None:
    (empty / ".postgres").write_text("mine")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        open_database(private_server(empty, programs), "app")
    assert (empty / ".postgres").read_text() == "mine"


def test_a_server_without_room_says_so_and_is_not_restarted(private: Server) -> None:
    url = open_database(private, "app").replace("+psycopg2", "")
    before = pid_of(private)
    sessions = [psycopg2.connect(url) for _ in range(200)]
    with pytest.raises(Unreachable, match="too many clients"):
        open_database(private, "app")
    for session in sessions:
        session.close()
    assert pid_of(private) == before


def test_a_warm_command_does_not_start_a_process(private: Server) -> None:
    open_database(private, "app")
    spawning = "('subprocess', 'os.posix_spawn', 'os.fork')"
    code = f"sys.addaudithook(lambda event, _: event.startswith({spawning}) and sys.exit(9))\n"
    assert children.finish(children.start(code + OPEN, private.data.parents[1])) == open_database(private, "app")
