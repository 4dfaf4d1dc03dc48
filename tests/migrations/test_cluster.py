import subprocess
from pathlib import Path

import pytest

from app.migrations.errors import ConfigurationError, Unreachable
from app.migrations.programs import Programs, find_server_programs
from app.migrations.server import open_database, private_server, scratch_server
from app.migrations.startup import Server
from tests.migrations import children
from tests.migrations.private_servers import query


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
