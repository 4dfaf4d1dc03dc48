import shutil
import stat
from pathlib import Path

import psycopg2
import psycopg2.extras
import pytest

from app.migrations import postmaster, server
from app.migrations.errors import ConfigurationError, Unreachable
from app.migrations.filelock import locked
from app.migrations.programs import Programs, find_server_programs
from app.migrations.server import open_database, private_server, scratch_server, stop, stop_all
from app.migrations.startup import Server
from tests.migrations import children
from tests.migrations.private_servers import OPEN, pid_of, postmasters, query, quick_server


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
