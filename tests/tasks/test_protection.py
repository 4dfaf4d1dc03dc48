"""What stands between a person and a protected environment."""

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, text

from tests.clones import Clone
from tests.test_guide import HEAD, revision_of

PROTECTED = "staging"
ALLOW = ("--allow-downgrade", "--no-backup")


@pytest.fixture
def staging(clone: Clone, database: str) -> Clone:
    """The clone, with an empty database as its protected environment."""
    clone.environment |= {"DATABASE_URL": database, "APP_ENV": PROTECTED}
    return clone


def type_at_the_question(clone: Clone, *words: str, keys: bytes | Callable[[int], None]) -> tuple[int, str]:
    """Run `inv` in a terminal of its own; at the question type `keys`, or do something to the process."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(clone.folder)
        os.execve(sys.executable, [sys.executable, "-m", "invoke", *words], clone.environment)
    shown = b""
    deadline = time.monotonic() + 60
    asked = 0.0
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 4096)
            except OSError:
                break
        again = keys == b"\x03" and time.monotonic() > asked + 1  # one between prompt and read waits for the next key
        if b"to go on: " in shown and (not asked or again):
            asked = time.monotonic()
            os.write(terminal, keys) if isinstance(keys, bytes) else keys(process)
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())


def test_the_plan_is_shown_and_the_right_name_goes_on(staging: Clone, database: str) -> None:
    code, shown = type_at_the_question(staging, "db.upgrade", "--no-backup", keys=b"staging\n")
    assert code == 0, shown
    assert shown.index("will apply  c3bee0e2b93b  initial_schema") < shown.index('Type "staging" to go on')
    assert shown.index('Type "staging" to go on') < shown.index("applied  c3bee0e2b93b")
    assert revision_of(database) == HEAD


@pytest.mark.parametrize("keys", [b"stagin\n", b"\n", b"yes\n", b"\x04"], ids=["typo", "nothing", "yes", "Ctrl-D"])
def test_any_other_answer_changes_nothing(staging: Clone, database: str, keys: bytes) -> None:
    code, shown = type_at_the_question(staging, "db.upgrade", "--no-backup", keys=keys)
    assert code == 2, shown
    assert "nothing was changed" in shown
    assert revision_of(database) is None


def test_ctrl_c_at_the_question_changes_nothing(staging: Clone, database: str) -> None:
    code, shown = type_at_the_question(staging, "db.upgrade", "--no-backup", keys=b"\x03")
    assert code == 130, shown
    assert "Traceback" not in shown
    assert revision_of(database) is None


def test_without_a_terminal_yes_has_to_be_said(staging: Clone, database: str) -> None:
    done = staging.inv("db.upgrade", "--no-backup", ok=False)
    assert done.code == 2
    assert "there is no terminal to ask at; nothing was changed" in done.err
    assert revision_of(database) is None
    staging.inv("db.upgrade", "--no-backup", "--yes")
    assert revision_of(database) == HEAD


def test_an_environment_that_wants_a_backup_is_changed_after_it(staging: Clone, database: str) -> None:
    done = staging.inv("db.upgrade", "--yes")
    assert done.out.index("backed up: ") < done.out.index("applied  c3bee0e2b93b")
    assert len(list((staging.folder / "backups/staging").glob("2*Z_base/manifest.json"))) == 1
    assert revision_of(database) == HEAD


def test_a_downgrade_names_what_is_lost_and_needs_another_word(staging: Clone, database: str) -> None:
    staging.inv("db.upgrade", "--no-backup", "--yes")
    with create_engine(database).begin() as connection:
        connection.execute(text("INSERT INTO tenants (name, slug) VALUES ('a', 'a'), ('b', 'b'), ('c', 'c')"))
    done = staging.inv("db.downgrade", "--to=base", "--yes", "--no-backup", ok=False)
    assert done.code == 2
    assert 'will lose  table "tenants": 3 rows' in done.out
    assert "inv db.downgrade --env=staging --allow-downgrade" in done.err
    assert revision_of(database) == HEAD
    staging.inv("db.downgrade", "--to=base", "--yes", *ALLOW)
    assert revision_of(database) is None


@pytest.mark.parametrize("words", [("downgrade", "-1"), ("stamp", "base")], ids=["downgrade", "stamp"])
def test_plain_alembic_may_upgrade_with_a_notice_and_nothing_else(
    staging: Clone, database: str, words: tuple[str, str]
) -> None:
    assert "notice: staging" in staging.alembic("upgrade", "head").err
    done = staging.alembic(*words, ok=False)
    assert done.code == 2
    assert f"inv db.{words[0]} --env=staging, or `alembic -x unguarded=yes {words[0]} ...`" in done.err
    assert revision_of(database) == HEAD
    staging.alembic("-x", "unguarded=yes", *words)
    assert revision_of(database) != HEAD


def test_the_database_itself_remembers_that_it_is_protected(staging: Clone, database: str) -> None:
    staging.inv("db.upgrade", "--no-backup", "--yes")
    del staging.environment["APP_ENV"]
    done = staging.alembic("downgrade", "-1", ok=False)
    assert (done.code, revision_of(database)) == (2, HEAD)
    assert "is protected" in done.err


def test_a_signal_at_the_question_ends_without_a_change(staging: Clone, database: str) -> None:
    code, _ = type_at_the_question(
        staging, "db.upgrade", "--no-backup", keys=lambda process: os.kill(process, signal.SIGTERM)
    )
    assert code == -signal.SIGTERM
    assert revision_of(database) is None


def test_an_exported_protection_does_not_disarm(staging: Clone, database: str) -> None:
    done = staging.inv("db.upgrade", "--no-backup", ok=False, PROTECTED="false")
    assert done.code == 2
    assert "PROTECTED is exported as false" in done.err
    assert revision_of(database) is None


def test_nothing_pending_asks_nothing(staging: Clone) -> None:
    staging.inv("db.upgrade", "--no-backup", "--yes")
    assert "nothing to do: staging is at e5a72b8c9d0f" in staging.inv("db.upgrade").out
