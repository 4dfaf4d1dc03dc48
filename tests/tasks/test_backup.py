"""`inv db.backup` where something else is wrong: it is there for such days."""

from tests.clones import Clone

HEAD = "e5a72b8c9d0f"


def test_a_backup_is_made_although_a_revision_cannot_be_loaded(clone: Clone, database: str) -> None:
    clone.environment |= {"DATABASE_URL": database, "APP_ENV": "docker"}
    clone.write_revision("0123456789ab", HEAD, "def upgrade(:")
    assert clone.inv("db.upgrade", ok=False).code != 0
    done = clone.inv("db.backup")
    assert "done: backed up" in done.out
    assert len(list((clone.folder / "backups/docker").glob("2*_base/manifest.json"))) == 1


def test_whose_the_database_is_is_said_and_the_backup_is_made(clone: Clone, database: str) -> None:
    clone.inv("db.upgrade", "--env=docker", "--no-verify", DATABASE_URL=database)
    (clone.folder / ".env").write_text(f"DATABASE_URL={database}\n")
    done = clone.inv("db.backup", "--env=dev")
    assert "warning: " in done.err
    assert "  next: " in done.err
    assert "docker" in done.err
    assert "done: backed up" in done.out
