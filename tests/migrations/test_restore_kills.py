"""A restore that is killed anywhere: the old or the new database is there under the name, and the next one works."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from app.migrations import child, restore
from app.migrations.restore_plan import Request
from tests.migrations.chains import ask, until
from tests.migrations.restores import Shop, shop
from tests.migrations.sites import programs_at_work

pytestmark = pytest.mark.slow

FIRST, LAST_ONES = 3, 12
"""Of the first half of the statements this many are tried, of the last ones, around the renames, every one."""


class Steps:
    """Counts what psycopg2 runs in all threads, looks aside, and the start of pg_restore; stops after one of these."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.done = 0
        self.lock = threading.Lock()

    def __enter__(self) -> "Steps":
        threading.setprofile(self.hear)
        sys.setprofile(self.hear)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def hear(self, frame: FrameType, event: str, function: Any) -> None:
        if event == "c_return" and getattr(function, "__name__", "") in {"execute", "commit"}:
            looks = frame.f_code.co_name in {"value", "sessions"}  # polled: how often is chance
            if type(function.__self__).__module__.startswith("psycopg2") and not looks:
                self.count()
        elif event == "call" and frame.f_code is child._listen.__code__:
            self.count()

    def count(self) -> None:
        with self.lock:
            self.done += 1
            if self.done == self.at:
                os.kill(os.getpid(), signal.SIGSTOP)
                threading.Event().wait()


@pytest.fixture
def ours(scratch_admin: str, tmp_path: Path) -> Iterator[Shop]:
    with shop(scratch_admin, tmp_path, backup_jobs=1) as made:
        yield made


def killed_at(ours: Shop, step: int) -> bool:
    """Run a restore in a child and kill it after that many statements; False when it ended before."""
    process = os.fork()
    if not process:
        try:
            with Steps(step):
                ours.restore()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(process, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def quiet(ours: Shop) -> bool:
    query = "SELECT FROM pg_stat_activity WHERE starts_with(datname, %s) OR application_name LIKE 'massacorp%%prod%%'"
    return not ask(ours.of("postgres"), query, ours.name[:16]) and not programs_at_work("pg_restore", ours.name[:16])


def test_no_kill_loses_the_database_and_the_next_restore_works(ours: Shop) -> None:
    good = ours.dump()
    ours.site.make()
    with Steps() as steps:
        ours.restore()
    stages = {*range(1, steps.done - LAST_ONES, max(1, steps.done // FIRST))}
    found = {}
    for stage in sorted(stages | {*range(steps.done - LAST_ONES, steps.done + 1)}):
        ask(ours.url, "DROP TABLE IF EXISTS sign; CREATE TABLE sign AS SELECT 1 AS n")
        killed_at(ours, stage)
        until(lambda: quiet(ours), "the killed restore has ended")
        found[stage] = "old" if ask(ours.url, "SELECT to_regclass('sign')::text") == [("sign",)] else "new"
        restore.gather(ours.road, Request())
        assert not [name for name in ours.names() if "_restoring_" in name], stage
        _drop_kept(ours)
    assert set(found.values()) == {"old", "new"}, found
    ours.restore()
    assert ours.dump() == good


def _drop_kept(ours: Shop) -> None:
    for name in ours.names() - {ours.name}:
        ask(ours.of("postgres"), f'DROP DATABASE "{name}" WITH (FORCE)')
