"""A revision that says it has no way back: downgrades across it are refused before anything is undone."""

from textwrap import dedent

import pytest

from tests.clones import Clone
from tests.migrations.kept_backups import keep
from tests.roads import ask
from tests.test_guide import HEAD, revision_of

ONE, TWO, THREE = "0123456789a1", "0123456789a2", "0123456789a3"
PLAIN = """
def upgrade():
    op.add_column("users", sa.Column("{column}", sa.Text()))


def downgrade():
    op.drop_column("users", "{column}")
"""
BARRED = """
irreversible = "the passwords are gone"


def upgrade():
    op.execute("UPDATE users SET password_hash = ''")


def downgrade():
    raise NotImplementedError(irreversible)
"""


@pytest.fixture
def barred(clone: Clone, migrated: str) -> Clone:
    """A database at the last of three new revisions, the middle one of which cannot be undone."""
    clone.environment |= {"DATABASE_URL": migrated, "APP_ENV": "docker"}
    clone.write_revision(ONE, HEAD, dedent(PLAIN.format(column="a")))
    clone.write_revision(TWO, ONE, dedent(BARRED))
    clone.write_revision(THREE, TWO, dedent(PLAIN.format(column="b")))
    clone.alembic("upgrade", "head")
    return clone


def columns(url: str) -> set[str]:
    rows = ask(url, "SELECT attname FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname IN ('a', 'b')")
    return {row[0] for row in rows}


def untouched(url: str) -> bool:
    return (revision_of(url), columns(url)) == (THREE, {"a", "b"})


def test_inv_refuses_before_anything_is_undone_and_names_the_backup(barred: Clone, migrated: str) -> None:
    done = barred.inv("db.downgrade", f"--to={ONE}", ok=False)
    assert done.code == 2
    assert done.err == (
        f"error: {TWO} (written_by_a_test) cannot be undone: the passwords are gone; there is no backup of docker from "
        "before it to restore; nothing was changed\n"
        f"  next: inv db.downgrade --to={TWO} --env=docker, to undo only what is above it\n"
    )
    before = keep(barred.folder / "backups", "docker", revisions=(ONE,))
    done = barred.inv("db.downgrade", f"--to={ONE}", "--dry-run")
    assert f"without --dry-run, this is refused: {TWO}" in " ".join(done.out.split())
    done = barred.inv("db.downgrade", f"--to={ONE}", ok=False)
    assert done.err.endswith(f"  next: inv db.restore --backup={before.name} --env=docker\n")
    assert untouched(migrated)


def test_plain_alembic_refuses_before_anything_is_undone_and_goes_as_far_as_it_can(
    barred: Clone, migrated: str
) -> None:
    before = keep(barred.folder / "backups", "docker", revisions=(ONE,))
    done = barred.alembic("downgrade", "-2", ok=False)
    assert done.code == 2
    assert f"{TWO} (written_by_a_test) cannot be undone: the passwords are gone" in done.err
    assert f"inv db.restore --backup={before.name} --env=docker" in done.err
    assert untouched(migrated)
    barred.alembic("downgrade", "-1")
    assert (revision_of(migrated), columns(migrated)) == (TWO, {"a"})
    barred.alembic("stamp", ONE)
    assert revision_of(migrated) == ONE
