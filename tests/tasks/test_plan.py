"""db.plan, the same view in a dry run, and an upgrade that keeps to a plan: as a person runs them."""

import json
from pathlib import Path

import pytest

from tests.clones import Clone
from tests.migrations.chains import ask
from tests.test_guide import HEAD

INDEX = """
def upgrade():
    op.create_index("ix_users_name", "users", ["full_name"])


def downgrade():
    op.drop_index("ix_users_name")
"""
COLUMN = """
def upgrade():
    op.add_column("tenants", sa.Column("note", sa.Text()))


def downgrade():
    op.drop_column("tenants", "note")
"""
ACCEPT = "--accept=index-not-concurrent: nobody is awake"


@pytest.fixture
def prepared(clone: Clone, migrated: str) -> Clone:
    """The clone, with a database at head whose users are many, and two revisions to come."""
    clone.environment |= {"DATABASE_URL": migrated, "APP_ENV": "staging"}
    ask(migrated, "UPDATE pg_class SET reltuples = 9e7 WHERE relname = 'users'")
    column = ask(migrated, "SELECT attname FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum = 2")[0][0]
    clone.write_revision("f00000000001", HEAD, INDEX.replace("full_name", str(column)))
    clone.write_revision("f00000000002", "f00000000001", COLUMN)
    return clone


def test_the_view_names_the_lock_the_table_and_what_to_write_instead(prepared: Clone) -> None:
    done = prepared.inv("db.plan", ok=False)
    assert done.code == 1
    assert "ShareLock (measured) blocks writes to public.users (90 M rows," in done.out
    assert "error  index-not-concurrent  alembic/versions/f00000000001_written_by_a_test.py:12" in done.out
    assert "with op.get_context().autocommit_block():" in done.out
    assert "AccessExclusiveLock (measured) blocks reads and writes of public.tenants" in done.out
    assert "next: correct the revision, or `inv db.plan --accept=" in done.out
    assert max(map(len, done.out.splitlines())) < 400


@pytest.mark.slow
def test_nothing_is_changed_and_nothing_of_the_target_is_locked(prepared: Clone, migrated: str) -> None:
    prepared.inv("db.plan", ok=False)
    assert ask(migrated, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert ask(migrated, "SELECT to_regclass('alembic_journal')") == [(None,)]


@pytest.mark.slow
def test_a_dry_run_has_the_same_view(prepared: Clone) -> None:
    done = prepared.inv("db.upgrade", "--dry-run")
    assert "ShareLock (measured) blocks writes to public.users (90 M rows," in done.out
    assert "CREATE INDEX ix_users_name" in done.out


@pytest.mark.slow
def test_the_document_and_the_other_forms(prepared: Clone) -> None:
    document = json.loads(prepared.inv("db.plan", "--json", ok=False).out)
    assert (document["environment"], document["start"], document["end"]) == ("staging", [HEAD], ["f00000000002"])
    (finding,) = document["findings"]
    assert (finding["rule"], finding["severity"], finding["line"]) == ("index-not-concurrent", "error", 12)
    assert (finding["tables"], finding["lock"], finding["source"]) == (["public.users"], "ShareLock", "measured")
    assert "require-concurrent-index-creation" in finding["squawk"]
    users = document["revisions"][0]["tables"][0]
    assert (users["table"], users["rows"], users["rewritten"]) == ("public.users", 90_000_000, False)
    github = prepared.inv("db.plan", "--format=github", ok=False).out
    assert github.startswith("::error file=alembic/versions/f00000000001_written_by_a_test.py,line=12,title=index-not-")
    sarif = json.loads(prepared.inv("db.plan", "--format=sarif", ok=False).out)
    assert sarif["runs"][0]["results"][0]["level"] == "error"
    markdown = prepared.inv("db.plan", "--format=markdown", ok=False).out
    assert "| `f00000000001` written\\_by\\_a\\_test | public.users (90 M rows," in markdown
    sql = prepared.inv("db.plan", "--sql", ok=False).out
    assert sql.count("BEGIN;") == sql.count("COMMIT;") == 2
    assert "CREATE INDEX ix_users_name ON users" in sql


def test_a_kept_plan_is_carried_out_while_nothing_deviates(prepared: Clone, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    prepared.inv("db.plan", f"--out={path}", ACCEPT)
    done = prepared.inv("db.upgrade", f"--plan={path}", "--yes", "--no-backup")
    assert "applied  f00000000002" in done.out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda clone, _: clone.write_revision("f00000000003", "f00000000002", COLUMN.replace("note", "more")),
         "f00000000001, f00000000002, f00000000003 would be applied, and was planned as f00000000001, f00000000002"),
        (lambda clone, _: clone.write_revision("f00000000002", "f00000000001", COLUMN.replace("note", "more")),
         "the file of f00000000002 was edited"),
        (lambda _, url: ask(url, "DELETE FROM alembic_version; INSERT INTO alembic_version VALUES ('a91f6d2c4b7e')"),
         f"the database is at a91f6d2c4b7e, and was at {HEAD}"),
    ],
    ids=["another revision", "an edited one", "a database that has moved"],
)  # fmt: skip
def test_a_kept_plan_that_does_not_hold_any_more_is_refused(
    prepared: Clone, migrated: str, tmp_path: Path, spoil: "object", said: str
) -> None:
    path = tmp_path / "plan.json"
    prepared.inv("db.plan", f"--out={path}", ACCEPT)
    spoil(prepared, migrated)  # type: ignore[operator]
    done = prepared.inv("db.upgrade", f"--plan={path}", "--yes", "--no-backup", ok=False)
    assert done.code == 2
    assert said in done.err
    assert "nothing was changed" in done.err
    assert f"next: inv db.plan --env=staging --out={path}, and look at it again" in done.err


@pytest.mark.slow
def test_a_plan_with_errors_that_nobody_accepted_is_kept_and_not_carried_out(prepared: Clone, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert prepared.inv("db.plan", f"--out={path}", ok=False).code == 1
    done = prepared.inv("db.upgrade", f"--plan={path}", "--yes", "--no-backup", ok=False)
    assert done.code == 2
    assert "has errors that nobody has accepted: index-not-concurrent; nothing was changed" in done.err


@pytest.mark.slow
def test_an_accepted_error_no_longer_fails_and_its_reason_is_shown(prepared: Clone) -> None:
    done = prepared.inv("db.plan", ACCEPT)
    assert "accepted  index-not-concurrent: nobody is awake" in done.out
    assert "yes: nothing stands against it\n  next: inv db.upgrade --env=staging" in done.out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("--accept=rename: why", "the plan has no such finding; it has index-not-concurrent"),
        ("--accept=rename", "is no rule with a reason"),
        ("--format=xml", "--format=xml is none of text, json, github, sarif, markdown; nothing was done"),
        ("--to=nowhere", "nowhere"),
    ],
)
def test_a_word_that_is_wrong_is_refused(prepared: Clone, word: str, said: str) -> None:
    done = prepared.inv("db.plan", word, ok=False)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.slow
def test_a_plan_file_that_is_none_is_refused(prepared: Clone, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")
    for name, said in (("plan.json", "is no kept plan"), ("gone.json", "cannot be read: No such file")):
        done = prepared.inv("db.upgrade", f"--plan={tmp_path / name}", "--yes", "--no-backup", ok=False)
        assert (done.code, said in done.err, "nothing was changed" in done.err) == (2, True, True)


@pytest.mark.slow
def test_without_a_target_the_branch_is_planned_and_not_weighed(prepared: Clone) -> None:
    done = prepared.inv("db.plan", f"--since={HEAD}", DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert "not weighed by the size of tables: it was not asked, because of --since" in done.out
    assert "warning  index-not-concurrent" in done.out
    absent = prepared.inv("db.plan", DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert "not weighed by the size of tables: no target was reached" in absent.out
    assert "c3bee0e2b93b" in absent.out


@pytest.mark.slow
def test_at_the_head_there_is_nothing_to_plan(clone: Clone, migrated: str) -> None:
    clone.environment |= {"DATABASE_URL": migrated, "APP_ENV": "staging"}
    assert clone.inv("db.plan").out.endswith("nothing to apply on staging\n")
