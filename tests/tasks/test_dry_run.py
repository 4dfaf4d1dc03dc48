"""--dry-run: the plan and the SQL, and a database in which nothing has moved."""

from typing import Any

import pytest

from app.migrations.advisory import KEY
from tests.clones import Clone, Done
from tests.migrations.chains import ask, session
from tests.test_guide import HEAD

READS = """
def upgrade():
    op.execute("SELECT 'written before'")
    count = op.get_bind().execute(sa.text("SELECT count(*) FROM users")).scalar_one()
    op.execute(f"SELECT {count}")


def downgrade():
    pass
"""
CATALOG = "SELECT oid, relname, relfilenode, reltuples, xmin::text FROM pg_class WHERE oid >= 16384 ORDER BY 1"
TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384 ORDER BY 1"


@pytest.fixture
def staging(clone: Clone, database: str) -> Clone:
    """The clone, with a database at head as its protected environment; three tenants are in it."""
    clone.environment |= {"DATABASE_URL": database, "APP_ENV": "staging"}
    clone.inv("db.upgrade", "--yes", "--no-backup")
    ask(database, "INSERT INTO tenants (name, slug) VALUES ('a', 'a'), ('b', 'b'), ('c', 'c')")
    return clone


def everything(url: str) -> list[Any]:
    """The catalog and each row of each table, with the transactions that wrote them."""
    return [ask(url, CATALOG)] + [ask(url, f"SELECT xmin::text, t FROM {name} t") for (name,) in ask(url, TABLES)]


def unmoved(clone: Clone, url: str, *words: str) -> Done:
    """Run a command that must change nothing, while another session holds the migration lock."""
    before = everything(url)
    with session(url) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (KEY,))
        done = clone.inv(*words, "--dry-run", UPGRADE_WAIT="0")
    assert everything(url) == before
    assert "dry run: nothing was changed" in done.out
    return done


def test_a_downgrade_is_shown_with_its_losses_and_its_sql(staging: Clone, database: str) -> None:
    done = unmoved(staging, database, "db.downgrade", "--to=base")
    assert 'will lose  table "tenants": 3 rows' in done.out
    assert "DROP TABLE tenants;" in done.out
    assert done.out.index("will undo  c3bee0e2b93b") < done.out.index("BEGIN;")


def test_an_upgrade_begins_at_the_revision_of_the_database(staging: Clone, database: str) -> None:
    staging.inv("db.downgrade", "--allow-downgrade", "--yes", "--no-backup")
    done = unmoved(staging, database, "db.upgrade")
    assert f"will apply  {HEAD}" in done.out
    assert f"-- Running upgrade a91f6d2c4b7e -> {HEAD}" in done.out
    assert "CREATE TABLE" not in done.out


@pytest.mark.slow
def test_an_empty_database_stays_empty(clone: Clone, database: str) -> None:
    (clone.folder / ".env").write_text(f"DATABASE_URL={database}\n")
    assert "CREATE TABLE tenants" in unmoved(clone, database, "db.upgrade").out
    assert ask(database, TABLES) == []


@pytest.mark.slow
def test_a_migration_that_asks_the_database_is_named_with_file_and_line(staging: Clone, database: str) -> None:
    path = staging.write_revision("f00000000001", HEAD, READS)
    line = 1 + path.read_text().splitlines().index(READS.splitlines()[3])
    done = unmoved(staging, database, "db.upgrade")
    said = f"-- f00000000001 cannot be written out in full: alembic/versions/{path.name}:{line}: AttributeError"
    assert said in done.out
    assert done.out.index("SELECT 'written before'") < done.out.index(said)
    assert "Traceback" not in done.out + done.err


def test_another_environments_database_is_shown_with_a_warning(staging: Clone, database: str) -> None:
    staging.environment["APP_ENV"] = "docker"
    done = unmoved(staging, database, "db.downgrade")
    assert "warning: " in done.err
    assert f"will undo  {HEAD}" in done.out


def test_nothing_pending_writes_no_sql(staging: Clone, database: str) -> None:
    assert "BEGIN;" not in unmoved(staging, database, "db.upgrade").out


@pytest.mark.slow
def test_a_version_table_that_is_there_is_not_created(staging: Clone, database: str) -> None:
    staging.inv("db.downgrade", "--to=base", "--allow-downgrade", "--yes", "--no-backup")
    done = unmoved(staging, database, "db.upgrade")
    assert "CREATE TABLE tenants" in done.out
    assert "CREATE TABLE alembic_version" not in done.out


@pytest.mark.slow
def test_what_the_real_run_would_meet_is_said(staging: Clone, database: str) -> None:
    refused = unmoved(staging, database, "db.downgrade").out
    assert "without --dry-run, this is refused: staging is protected, and a downgrade loses data" in refused
    allowed = unmoved(staging, database, "db.downgrade", "--allow-downgrade").out
    assert "is refused" not in allowed
    assert "without --dry-run, this makes a backup first (BACKUP=" in allowed
    assert "without --dry-run, this asks for the name staging to be typed back" in allowed
    assert "without" not in unmoved(staging, database, "db.downgrade", "--allow-downgrade", "--yes", "--no-backup").out
    staging.environment["APP_ENV"] = "docker"
    assert "without --dry-run, this is refused: " in unmoved(staging, database, "db.downgrade").out
