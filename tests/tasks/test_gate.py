"""The backup before a change: made, proven, named in the journal, and restored after a revision that destroyed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clones import Clone
from tests.migrations.chains import ask
from tests.migrations.restores import Shop, shop
from tests.test_guide import HEAD, revision_of

pytestmark = pytest.mark.slow

DESTROY = """
def upgrade():
    op.execute("DELETE FROM users")
    op.drop_column("tenants", "slug")


def downgrade():
    op.add_column("tenants", sa.Column("slug", sa.Text()))
"""
HALF = """
def upgrade():
    op.execute("DELETE FROM users")
    op.execute("SELECT 1 / 0")


def downgrade():
    pass
"""
UNRESTORABLE = """
CREATE TABLE limits (most int);
INSERT INTO limits VALUES (10);
CREATE TABLE amounts (amount int);
CREATE FUNCTION within(amount int) RETURNS boolean LANGUAGE plpgsql AS
    'BEGIN RETURN amount < (SELECT most FROM limits); END';
ALTER TABLE amounts ADD CHECK (within(amount));
INSERT INTO amounts VALUES (5);
"""
"""A CHECK that counts on search_path: pg_restore sets an empty one, and stops."""


class Prod:
    """The clone, whose environment `prod` is a database of this test with the first two revisions and rows."""

    def __init__(self, clone: Clone, made: Shop, scratch_url: str, folder: Path) -> None:
        self.clone, self.shop, self.url, self.folder = clone, made, made.url, folder / "prod"
        ask(made.url, "SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
        ask(made.url, "DROP SCHEMA public CASCADE")
        ask(made.url, "CREATE SCHEMA public")
        clone.environment |= {"DATABASE_URL": made.url, "APP_ENV": "prod", "BACKUP_DIR": str(folder)}
        (clone.folder / "envs/prod.local.env").write_text(f"SCRATCH_URL={scratch_url}\n")
        clone.inv("db.upgrade", "--to=+2", "--yes", "--no-backup")
        ask(made.url, "INSERT INTO tenants (name, slug) SELECT 'n' || i, 's' || i FROM generate_series(1, 20) i")
        ask(
            made.url,
            "INSERT INTO users (tenant_id, email, password_hash)"
            " SELECT t.id, t.slug || i, 'h' FROM tenants t, generate_series(1, 10) i",
        )

    def backups(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("2*"))


@pytest.fixture
def prod(clone: Clone, scratch_admin: str, tmp_path: Path) -> Iterator[Prod]:
    with shop(scratch_admin, tmp_path / "backups", "MassaCorp") as made:
        yield Prod(clone, made, scratch_admin, tmp_path / "backups")


def test_a_destructive_revision_is_undone_by_the_backup_that_was_made_before_it(prod: Prod) -> None:
    done = prod.clone.inv("db.upgrade", "--yes")
    assert f"backed up and proven: {prod.backups()[0]}" in done.out
    assert done.out.index("backed up and proven") < done.out.index("applied  a91f6d2c4b7e")
    prod.clone.write_revision("ffff00001111", HEAD, DESTROY)
    before = prod.shop.dump("", "--data-only")
    done = prod.clone.inv("db.upgrade", "--yes")
    assert 'will lose  table "users": 200 rows' in done.out
    assert prod.shop.dump("", "--data-only") != before
    prod.clone.inv("db.restore", "--yes")
    assert prod.shop.dump("", "--data-only") == before
    assert revision_of(prod.url) == HEAD
    assert prod.clone.inv("db.upgrade", "--yes").code == 0
    assert revision_of(prod.url) == "ffff00001111"


def test_the_journal_names_the_backup_and_nothing_to_do_makes_none(prod: Prod) -> None:
    prod.clone.inv("db.upgrade", "--yes")
    (made,) = prod.backups()
    named = ask(prod.url, "SELECT DISTINCT detail ->> 'backup' FROM alembic_journal WHERE revision = %s", HEAD)
    assert named == [(made,)]
    prod.clone.inv("db.upgrade", "--yes")
    assert prod.backups() == [made]
    assert f"{made}, proven" in prod.clone.inv("db.status").out


def test_a_failed_migration_ends_with_the_command_that_brings_everything_back(prod: Prod) -> None:
    prod.clone.inv("db.upgrade", "--yes", "--no-backup")
    prod.clone.write_revision("ffff00002222", HEAD, HALF)
    done = prod.clone.inv("db.upgrade", "--yes", ok=False)
    (made,) = prod.backups()
    assert done.code == 5
    assert f"to bring back everything as it was before: inv db.restore --env=prod --backup={made}\n" in done.err
    assert ask(prod.url, "SELECT detail ->> 'backup' FROM alembic_journal WHERE action = 'failed'") == [(made,)]


def test_a_backup_that_cannot_be_restored_stops_the_change(prod: Prod) -> None:
    for statement in UNRESTORABLE.strip().split(";\n"):
        ask(prod.url, statement)
    at = revision_of(prod.url)
    done = prod.clone.inv("db.upgrade", "--yes", ok=False)
    assert (done.code, revision_of(prod.url)) == (2, at)
    assert 'relation "limits" does not exist' in done.err
    assert "BACKUP=proven wants a backup first: nothing was changed" in done.err


def test_data_of_a_protected_environment_goes_nowhere_unsaid(prod: Prod) -> None:
    (prod.clone.folder / "envs/prod.local.env").unlink()
    at = revision_of(prod.url)
    done = prod.clone.inv("db.upgrade", "--yes", ok=False, SCRATCH_URL="")
    assert (done.code, revision_of(prod.url), prod.backups()) == (2, at, [])
    assert "SCRATCH_URL=embedded" in done.err


def test_where_no_backup_can_be_written_nothing_is_changed(prod: Prod, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    at = revision_of(prod.url)
    done = prod.clone.inv("db.upgrade", "--yes", ok=False, BACKUP_DIR=str(tmp_path / "a file"))
    assert (done.code, revision_of(prod.url)) == (2, at)
    assert str(tmp_path / "a file") in done.err


def test_downgrade_and_stamp_make_a_backup_too(prod: Prod) -> None:
    prod.clone.inv("db.downgrade", "--yes", "--allow-downgrade")
    assert len(prod.backups()) == 1
    prod.clone.inv("db.stamp", f"--to={HEAD}", "--yes", "--force")
    assert len(prod.backups()) == 2
