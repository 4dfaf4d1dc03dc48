"""What a person at a terminal sees of a change that takes long, and what the server sees of it."""

import re
import subprocess
import sys

import pytest

from tests.clones import Clone
from tests.migrations.chains import ask, session, until
from tests.terminal import Terminal
from tests.test_guide import HEAD

GATE = 4242
SLOW_INDEX = f'''
def upgrade():
    op.execute("""CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
        BEGIN IF n = 15000 THEN PERFORM pg_advisory_xact_lock_shared({GATE}); END IF; RETURN n; END $$""")
    op.execute("CREATE INDEX big_slow ON big (slow(n))")


def downgrade():
    pass
'''
"""An index build that stops in its middle for as long as somebody holds the gate."""
ADD_COLUMN = """
def upgrade():
    op.add_column("tenants", sa.Column("note", sa.Text))


def downgrade():
    pass
"""
AT_WORK = """SELECT DISTINCT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND application_name ~ '^massacorp-migrations/.*/f0000'"""


@pytest.fixture
def dev(clone: Clone, migrated: str) -> Clone:
    """The clone; its dev is a database at head, with a slow revision and a quick one before it."""
    ask(migrated, "CREATE TABLE big AS SELECT n FROM generate_series(1, 20000) n")
    (clone.folder / ".env").write_text(f"DATABASE_URL={migrated}\n")
    clone.write_revision("f00000000001", HEAD, SLOW_INDEX)
    clone.write_revision("f00000000002", "f00000000001", ADD_COLUMN)
    return clone


def test_a_terminal_shows_the_revision_and_the_index_build_and_keeps_other_lines_readable(
    dev: Clone, migrated: str
) -> None:
    with session(migrated) as gate, session(migrated, "report") as reader:
        gate.execute(f"SELECT pg_advisory_xact_lock({GATE})")
        reader.execute("SELECT count(*) FROM tenants")
        terminal = Terminal(dev, "db.upgrade", "--no-verify", LOCK_TIMEOUT="100s")
        terminal.until(r"revision 1 of 2  f00000000001")
        terminal.until(r"index on big: scanning table +\S+ +[1-9]\d*%")
        gate.connection.rollback()
        terminal.until(r"revision 2 of 2  f00000000002")
        reader.connection.rollback()
        assert terminal.end() == 0
    lines = [line.strip() for line in re.split(r"[\r\n]+", terminal.shown)]
    assert any(line.startswith("applied  f00000000001  written_by_a_test") for line in lines), terminal.shown
    assert lines[-2 if not lines[-1] else -1].startswith("done: dev is at f00000000002")


def test_what_is_announced_stands_on_a_line_of_its_own_beside_the_bar(dev: Clone, migrated: str) -> None:
    with session(migrated, "report") as reader:
        reader.execute("SELECT count(*) FROM tenants")
        terminal = Terminal(dev, "db.upgrade", "--no-verify", LOCK_TIMEOUT="1500ms")
        terminal.until("revision 2 of 2  f00000000002")
        terminal.until("gives up in")
        reader.connection.rollback()
        assert terminal.end() == 0
    lines = [line.strip() for line in re.split(r"[\r\n]+", terminal.shown)]
    assert any(line.startswith("f00000000002 needs ") for line in lines), terminal.shown


def test_a_pipe_gets_the_plain_lines_alone(dev: Clone) -> None:
    done = dev.inv("db.upgrade")
    assert "\x1b" not in done.out
    assert "revision 1 of 2" not in done.out
    assert re.search(r"^  applied  f00000000002  written_by_a_test  \d+ ms$", done.out, re.MULTILINE)


@pytest.mark.parametrize("road", ["inv", "alembic"])
def test_the_server_sees_environment_and_revision_in_the_application_name(dev: Clone, migrated: str, road: str) -> None:
    words = {"inv": ("-m", "invoke", "db.upgrade"), "alembic": ("-m", "alembic", "upgrade", "head")}[road]
    with session(migrated) as gate:
        gate.execute(f"SELECT pg_advisory_xact_lock({GATE})")
        process = subprocess.Popen(
            [sys.executable, *words], cwd=dev.folder, env={**dev.environment, "LOCK_TIMEOUT": "100s"}
        )
        until(lambda: ask(migrated, AT_WORK), "the revision is at work")
        assert ask(migrated, AT_WORK) == [("massacorp-migrations/dev/f00000000001",)]
        gate.connection.rollback()
        assert process.wait(60) == 0
