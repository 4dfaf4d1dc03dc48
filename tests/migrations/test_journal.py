"""The journal on both roads: every step that was kept has its row, and no row tells of what was not kept."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from app.migrations import journal, provenance, runner, status
from app.migrations.errors import MigrationFailed
from app.migrations.revision import digest
from app.migrations.status import State
from tests.clones import Clone
from tests.roads import ROADS, ask, by_alembic, by_task, target, version
from tests.roads import journal as rows

CHAIN = ["c3bee0e2b93b", "d4cf1a3e5f7c", "a91f6d2c4b7e", "e5a72b8c9d0f"]
HEAD = CHAIN[-1]
NOTHING = "def downgrade(): ..."
PASSWORD = "corr3ct-h0rse"


@pytest.fixture(autouse=True)
def _own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alembic puts the folder of the history on sys.path, for good."""
    monkeypatch.setattr(sys, "path", [*sys.path])


def chain(root: Path) -> list[str]:
    """The revisions of the repository, oldest first."""
    return [script.revision for script in runner.history(root).walk_revisions()][::-1]


def read(url: str) -> status.Status:
    engine = create_engine(url, poolclass=NullPool)
    root = Path(__file__).resolve().parents[2]
    return status.read(engine, runner.history(root), target(url), root)


@pytest.mark.parametrize("road", ROADS)
def test_every_revision_up_and_down_has_its_row(root: Path, database: str, road: str) -> None:
    go, meant, expected = ROADS[road], target(database), chain(root)
    go(root, meant, "upgrade", "head")
    go(root, meant, "downgrade", "base")
    ups, downs = [(one, "upgrade") for one in expected], [(one, "downgrade") for one in reversed(expected)]
    assert rows(database) == ups + downs
    assert version(database) == []
    who = provenance.actor(root, "docker", road)
    columns = "os_user, os_host, git_commit, environment, road, database_user"
    assert set(rows(database, columns)) == {
        (who.os_user, who.os_host, who.git_commit, "docker", road, make_url(database).username)
    }
    assert ask(database, "SELECT environment FROM alembic_identity") == [("docker",)]


def test_a_row_keeps_the_file_as_it_was_and_says_how_long_it_took(root: Path, database: str) -> None:
    by_task(root, target(database), "upgrade", "head")
    kept = {one: (known, source) for one, known, source in rows(database, "revision, digest, source")}
    for script in runner.history(root).walk_revisions():
        content = Path(script.path).read_bytes()
        assert kept[script.revision] == (digest(content), content.decode())
    assert all(took >= 0 and late for took, late in rows(database, "duration_ms, started_at <= clock_timestamp()"))
    assert ask(database, "SELECT count(*) FROM alembic_journal WHERE duration_ms > 0")[0][0] > 0


@pytest.mark.parametrize("road", ROADS)
def test_a_stamp_has_a_row_without_code(root: Path, migrated: str, road: str) -> None:
    ROADS[road](root, target(migrated), "stamp", "base")
    ROADS[road](root, target(migrated), "stamp", "head")
    assert rows(migrated, "revision, action, digest, source") == [
        ("base", "stamp", None, None),
        (HEAD, "stamp", None, None),
    ]


def test_nothing_to_do_writes_nothing(root: Path, migrated: str) -> None:
    by_task(root, target(migrated), "upgrade", "head")
    assert ask(migrated, "SELECT to_regclass('alembic_journal'), to_regclass('alembic_identity')") == [(None, None)]


def test_a_run_that_fails_adds_its_row_after_the_rollback(clone: Clone, migrated: str) -> None:
    clone.write_revision("abc123", HEAD, f"def upgrade():\n    op.execute('CREATE TABLE t (a int)')\n\n\n{NOTHING}")
    body = f"op.execute('CREATE TABLE u (a int)')\n    raise ValueError('postgresql://me:{PASSWORD}@host/app')"
    clone.write_revision("def456", "abc123", f"def upgrade():\n    {body}\n\n\n{NOTHING}")
    with pytest.raises(MigrationFailed):
        by_task(clone.folder, target(migrated), "upgrade", "head")
    assert version(migrated) == ["abc123"]
    assert ask(migrated, "SELECT to_regclass('t')::text, to_regclass('u')::text") == [("t", None)]
    assert rows(migrated) == [("abc123", "upgrade"), ("def456", "failed")]
    (detail,) = ask(migrated, "SELECT detail FROM alembic_journal WHERE action = 'failed'")[0]
    assert detail == {"direction": "upgrade", "error": "postgresql://me:***@host/app"}


def test_the_first_revision_of_a_database_that_fails_leaves_row_and_no_identity(clone: Clone, database: str) -> None:
    path = next(clone.versions.glob("c3bee0e2b93b*"))
    path.write_text(
        path.read_text().replace("def upgrade() -> None:", "def upgrade() -> None:\n    op.execute('SELECT 1/0')")
    )
    with pytest.raises(MigrationFailed):
        by_alembic(clone.folder, target(database), "upgrade", "head")
    assert rows(database) == [("c3bee0e2b93b", "failed")]
    assert ask(database, "SELECT count(*) FROM alembic_identity") == [(0,)]


AUTOCOMMIT = """def upgrade():
    op.execute("CREATE TABLE before (a int)")
    with op.get_context().autocommit_block():
        op.execute({statement!r})


def downgrade():
    op.execute("DROP TABLE before")
"""


def test_a_half_applied_revision_stays_open_until_a_later_try_ends_it(clone: Clone, migrated: str) -> None:
    clone.write_revision("abc123", HEAD, AUTOCOMMIT.format(statement="SELECT 1 / 0"))
    for _ in range(2):
        with pytest.raises(MigrationFailed):
            by_task(clone.folder, target(migrated), "upgrade", "head")
        ask(migrated, "DROP TABLE before")
    assert rows(migrated) == [("abc123", "begun"), ("abc123", "failed")] * 2
    assert read(migrated).standing.half_applied == ("abc123",)
    clone.write_revision("abc123", HEAD, AUTOCOMMIT.format(statement="SELECT 1"))
    by_task(clone.folder, target(migrated), "upgrade", "head")
    actions = ["abandoned", "failed", "abandoned", "failed", "upgrade"]
    assert [row[1] for row in rows(migrated)] == actions
    assert read(migrated).standing.half_applied == ()


def test_after_kill_9_the_open_row_and_db_status_name_the_revision(clone: Clone, migrated: str) -> None:
    clone.write_revision("abc123", HEAD, AUTOCOMMIT.format(statement="SELECT pg_sleep(600)"))
    process = subprocess.Popen(
        [sys.executable, "-m", "alembic", "-x", "env=docker", "upgrade", "head"],
        cwd=clone.folder,
        env={**clone.environment, "DATABASE_URL": migrated},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    sleeping = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_sleep(600)'"
    deadline = time.monotonic() + 60
    while not (found := ask(migrated, sleeping)):
        assert time.monotonic() < deadline
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    ask(migrated, "SELECT pg_terminate_backend(:pid)", pid=found[0][0])
    assert rows(migrated, "revision, action, duration_ms, detail, source IS NOT NULL") == [
        ("abc123", "begun", None, {"direction": "upgrade"}, True)
    ]
    assert version(migrated) == [HEAD]
    shown = clone.inv("db.status", "--env=docker", DATABASE_URL=migrated).out
    assert "revision abc123 was begun and never ended" in shown


def test_a_migration_that_changes_search_path_is_journaled_in_the_right_schema(clone: Clone, migrated: str) -> None:
    changed = "op.execute('CREATE SCHEMA other')\n    op.execute('SET search_path TO other, public')"
    clone.write_revision("abc123", HEAD, f"def upgrade():\n    {changed}\n\n\n{NOTHING}")
    by_task(clone.folder, target(migrated), "upgrade", "head")
    assert ask(migrated, "SELECT revision FROM public.alembic_journal") == [("abc123",)]
    assert ask(migrated, "SELECT to_regclass('other.alembic_journal')") == [(None,)]


def test_the_tables_stand_beside_the_version_table_wherever_that_is(root: Path, database: str) -> None:
    ask(database, 'CREATE SCHEMA "My App"')
    ask(database, f'ALTER DATABASE {make_url(database).database} SET search_path = "My App", public')
    by_task(root, target(database), "upgrade", "head")
    where = (
        "SELECT DISTINCT relnamespace::regnamespace::text FROM pg_class WHERE relkind = 'r' AND relname LIKE 'alembic%'"
    )
    assert ask(database, where) == [('"My App"',)]
    assert len(rows(database)) == len(chain(root))


@pytest.mark.parametrize("to", ["head", "d4cf1a3e5f7c:c3bee0e2b93b"], ids=["upgrade", "downgrade"])
def test_offline_sql_holds_none_of_it(root: Path, to: str) -> None:
    config = runner.config(root, target("postgresql+psycopg2://nobody@127.0.0.1:1/nowhere"))
    config.output_buffer = io.StringIO()
    (command.downgrade if ":" in to else command.upgrade)(config, to, sql=True)
    assert "alembic_version" in config.output_buffer.getvalue()
    for table in journal.TABLES:
        assert table not in config.output_buffer.getvalue()


def test_autogenerate_does_not_see_the_tables(root: Path, database: str) -> None:
    by_task(root, target(database), "upgrade", "head")
    assert rows(database)
    command.check(runner.config(root, target(database)))


def test_a_row_can_be_read_back_whole(root: Path, database: str) -> None:
    by_task(root, target(database), "upgrade", CHAIN[0])
    last = read(database).last
    assert last is not None
    assert (last.revision, last.action, last.actor.environment, last.actor.road) == (
        CHAIN[0],
        "upgrade",
        "docker",
        "inv",
    )
    assert last.started_at.tzinfo is not None
    assert read(database).standing.state is State.BEHIND


def test_what_is_not_in_git_has_no_commit(tmp_path: Path) -> None:
    who = provenance.actor(tmp_path, None, "alembic")
    assert (who.git_commit, who.git_dirty) == (None, None)
    assert who.os_user


def test_a_changed_tree_is_dirty(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=tmp_path, check=True)

    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "a")
    commit, dirty = provenance.commit_of(tmp_path)
    assert (len(commit or ""), dirty) == (40, False)
    (tmp_path / "a").write_text("2")
    assert provenance.commit_of(tmp_path) == (commit, True)
