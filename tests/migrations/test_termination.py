"""SIGTERM during a change, on both roads: at once where nothing is at work, else after the revision."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing

import psycopg2
import pytest

from app.migrations import termination
from app.migrations.advisory import KEY
from app.migrations.errors import Interrupted
from app.migrations.failures import Place
from app.migrations.recorder import Done
from tests.clones import Clone
from tests.migrations.chains import ask, dsn
from tests.roads import version

THIRD, HEAD = "a91f6d2c4b7e", "e5a72b8c9d0f"
ROADS = {"alembic": ["alembic", "upgrade", "head"], "inv": ["invoke", "db.upgrade"]}
PLACE = Place("somewhere", "docker")


def changing(clone: Clone, road: str, url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *ROADS[road]],
        cwd=clone.folder,
        env={**clone.environment, "APP_ENV": "docker", "DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: "subprocess.Popen[str]", words: str) -> None:
    """Read until the process says these words."""
    assert process.stderr is not None
    lines = []
    while words not in (line := process.stderr.readline()):
        lines.append(line)
        assert line, "".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("road", ROADS)
def test_it_does_not_wait_for_another_migration(road: str, clone: Clone, database: str) -> None:
    with closing(psycopg2.connect(dsn(database))) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (KEY,))
        process = changing(clone, road, database)
        said(process, "waiting for another migration")
        process.terminate()
        err = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "stopped by SIGTERM before a revision was finished; what was not committed is rolled back\n  next: " in err
    assert ask(database, "SELECT to_regclass('alembic_version')") == [(None,)]


@pytest.mark.slow
@pytest.mark.parametrize("road", ROADS)
def test_it_does_not_wait_for_the_lock_of_a_table(road: str, clone: Clone, database: str) -> None:
    clone.alembic("upgrade", THIRD, DATABASE_URL=database)
    with closing(psycopg2.connect(dsn(database))) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE sessions IN ACCESS SHARE MODE")
        process = changing(clone, road, database)
        said(process, "waiting, without blocking anybody")
        process.terminate()
        err = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "Traceback" not in err
    assert version(database) == [THIRD]
    clone.inv("db.upgrade", APP_ENV="docker", DATABASE_URL=database)
    assert version(database) == [HEAD]


def test_what_is_at_work_is_finished_and_the_next_is_not_begun() -> None:
    began: list[str] = []

    def change() -> None:
        with termination.heard(PLACE) as told:
            report = told.reported(lambda done: began.append(done.revision))
            with told.working():
                report(Done("a1", "", "applied", 0.1))
                os.kill(os.getpid(), signal.SIGTERM)
                assert told.asked
                os.kill(os.getpid(), signal.SIGTERM)
                report(Done("b2", "", "applied", 0.1))

    with pytest.raises(Interrupted) as raised:
        change()
    assert began == ["a1", "b2"]
    assert str(raised.value) == (
        "error: somewhere: stopped by SIGTERM after revision b2, which is kept; what was not committed is rolled back\n"
        "  next: `inv db.status --env=docker` shows where it stands; the same command goes on from there"
    )
    assert raised.value.exit_code == 130


def test_the_handler_of_before_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with termination.heard(PLACE) as told:
        assert signal.getsignal(signal.SIGTERM) == told.hear
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_change_in_another_thread_leaves_signals_alone() -> None:
    seen = []

    def change() -> None:
        with termination.heard(PLACE):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=change)
    before = signal.getsignal(signal.SIGTERM)
    thread.start()
    thread.join()
    assert seen == [before]
