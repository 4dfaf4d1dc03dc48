"""db.rehearse: the pending revisions on the last backup, as a person runs it."""

import json
from typing import Any

import pytest

from tests.clones import Clone, Done
from tests.migrations.chains import ask
from tests.test_guide import HEAD

INDEX = """
def upgrade():
    op.create_index("ix_tenants_name", "tenants", ["name"])


def downgrade():
    op.drop_index("ix_tenants_name")
"""
DROP = """
def upgrade():
    op.drop_column("tenants", "name")


def downgrade():
    op.add_column("tenants", sa.Column("name", sa.Text()))
"""
ONE_WAY = """
def upgrade():
    op.add_column("tenants", sa.Column("note", sa.Text()))


def downgrade():
    op.drop_column("tenants", "remark")
"""
MEMORY = """
def upgrade():
    op.execute("DO $$ BEGIN ASSERT current_setting('maintenance_work_mem') = '13MB'; END $$")
    op.execute("CREATE TABLE made (a int)")


def downgrade():
    op.execute("DROP TABLE made")
"""
TENANTS = "INSERT INTO tenants (name, slug) SELECT 'name ' || g, 'slug-' || g FROM generate_series(1, 500) g"


@pytest.fixture
def prepared(clone: Clone, migrated: str) -> Clone:
    """The clone with 500 tenants in a database at head, and a backup of it."""
    clone.environment |= {"DATABASE_URL": migrated, "APP_ENV": "staging"}
    ask(migrated, TENANTS)
    clone.inv("db.backup")
    return clone


def rehearsed(clone: Clone, code: int = 0) -> dict[str, Any]:
    done = clone.inv("db.rehearse", "--json", ok=False)
    assert done.code == code, done.err
    document: dict[str, Any] = json.loads(done.out)
    return document


def refused(clone: Clone, *words: str) -> Done:
    done = clone.inv("db.rehearse", *words, ok=False)
    assert (done.code, "Traceback" in done.err) == (2, False)
    return done


def test_times_locks_sizes_and_the_way_back_are_told(prepared: Clone, migrated: str) -> None:
    prepared.write_revision("f00000000001", HEAD, INDEX)
    document = rehearsed(prepared)
    (revision,) = document["plan"]["revisions"]
    (table,) = revision["tables"]
    assert (table["table"], table["lock"], table["rows"]) == ("public.tenants", "ShareLock", 500)
    assert 0 < table["held_ms"] <= revision["ms"] + 5
    (size,) = document["sizes"]
    assert size["table"] == "public.tenants"
    assert size["after"] > size["before"] > 0
    back = document["back"]
    assert (back["clean"], back["lost"], len(back["down"]), len(back["up"])) == (True, [], 1, 1)
    assert ask(migrated, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    shown = prepared.inv("db.rehearse").out
    assert "f00000000001  public.tenants: ShareLock for " in shown
    assert "no row and no value is lost by going down and up again" in shown


@pytest.mark.slow
def test_what_the_way_back_loses_is_told_in_rows(prepared: Clone) -> None:
    drawn = ONE_WAY.replace("remark", "note").replace(
        "sa.Text()))", 'sa.Text()))\n    op.execute("UPDATE tenants SET note = gen_random_uuid()")'
    )
    prepared.write_revision("f00000000001", HEAD, drawn)
    (lost,) = rehearsed(prepared)["back"]["lost"]
    assert (lost["table"], lost["column"], lost["rows"]) == ("public.tenants", "note", 500)
    assert "lost  by going down and up again: " in prepared.inv("db.rehearse").out


@pytest.mark.slow
def test_a_downgrade_that_brings_back_another_schema_is_told(prepared: Clone) -> None:
    prepared.write_revision("f00000000001", HEAD, DROP)
    differences = rehearsed(prepared, code=1)["back"]["differences"]
    assert [(one["object"], one["attribute"]) for one in differences] == [("public.tenants.name", "not null")]


@pytest.mark.slow
def test_a_downgrade_that_fails_ends_the_way_back_with_its_reason(prepared: Clone) -> None:
    prepared.write_revision("f00000000001", HEAD, ONE_WAY)
    back = rehearsed(prepared, code=1)["back"]
    assert (back["clean"], back["up"]) == (False, [])
    assert 'column "remark" of relation "tenants" does not exist' in back["stopped"]


@pytest.mark.slow
def test_the_settings_of_the_target_are_in_force(prepared: Clone, migrated: str) -> None:
    prepared.write_revision("f00000000001", HEAD, MEMORY)
    assert rehearsed(prepared, code=1)["plan"]["findings"][0]["rule"] == "not-captured"
    name = ask(migrated, "SELECT quote_ident(current_database())")[0][0]
    ask(migrated, f"ALTER DATABASE {name} SET maintenance_work_mem = '13MB'")
    document = rehearsed(prepared)
    assert document["settings"]["maintenance_work_mem"] == "13MB"


@pytest.mark.slow
def test_the_private_server_waits_for_its_disk(prepared: Clone) -> None:
    body = MEMORY.replace("maintenance_work_mem", "fsync").replace("13MB", "on")
    prepared.write_revision("f00000000001", HEAD, body)
    prepared.environment["SCRATCH_URL"] = "embedded"
    document = rehearsed(prepared, code=0)
    assert document["server"].startswith("the private server (PostgreSQL ")


@pytest.mark.slow
def test_without_the_target_the_settings_are_said_to_be_unknown(prepared: Clone) -> None:
    prepared.write_revision("f00000000001", HEAD, INDEX)
    done = prepared.inv("db.rehearse", DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert "staging cannot be reached: its memory and parallel settings are not known" in done.err


@pytest.mark.slow
def test_nothing_pending_is_said(prepared: Clone) -> None:
    assert "nothing is pending on this backup" in prepared.inv("db.rehearse").out


@pytest.mark.slow
def test_a_damaged_backup_and_no_backup_are_refused(prepared: Clone) -> None:
    (folder,) = (path for path in (prepared.folder / "backups/staging").iterdir() if path.is_dir())
    next(path for path in sorted((folder / "dump").iterdir()) if path.suffix == ".gz").write_bytes(b"x")
    assert "is damaged, nothing was restored" in refused(prepared).err
    assert "inv db.backup" in refused(prepared, "--backup=20200101").err
