import os
import signal
import subprocess
from pathlib import Path

import psycopg2
import psycopg2.extras
import pytest

from app.migrations import cluster, postmaster
from app.migrations.programs import Programs
from app.migrations.server import open_database, private_server, stop
from app.migrations.sockets import NAME
from app.migrations.startup import Server
from tests.migrations import children
from tests.migrations.private_servers import OPEN, pid_of, postmasters, query, quick_server


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
