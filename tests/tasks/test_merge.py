"""`inv db.merge`: two heads become one, after it is proven that their branches commute."""

import json
import re
import socket

import pytest

from scripts.tasks import joining_documents
from tests.clones import Clone
from tests.repositories import Repository
from tests.tasks.branching import ADD, OURS, SQL, THEIRS, branch, isolate, texts
from tests.test_guide import HEAD

THIRD = "cccc00000001"
CHECK = ("scripts/check_history.py",)


def test_two_branches_that_commute_become_one_head(clone: Clone) -> None:
    repository = branch(clone)
    done = clone.inv("db.merge", "--message=join the two")
    assert f'head  {OURS} "written_by_a_test"  (alembic/versions/{OURS}_written_by_a_test.py by Ann; 1 rev' in done.out
    assert f'they part at {HEAD} "add_sessions_updated_at"' in done.out
    assert "dev      neither side: not made yet\n" in done.out
    assert "prod     not known: nothing names its database here\n" in done.out
    assert f"goes up  {OURS}, then {THEIRS}\n  goes up  {THEIRS}, then {OURS}\n" in done.out
    assert "2 orders give the same schema, with rows in the tables" in done.out
    (new,) = clone.versions.glob("*_join_the_two.py")
    source = new.read_text()
    assert re.search(rf'^down_revision: .* = \("{OURS}", "{THEIRS}"\)$', source, re.M), source
    assert f"Revises: {OURS}, {THEIRS}\n" in source
    assert done.out.endswith(
        f"done: one head, {new.name[:12]}\n  next: git add alembic/versions/{new.name} && git commit\n"
    )
    assert not (clone.folder / ".postgres/data").exists()
    assert repository.git("status", "--short") == f"?? alembic/versions/{new.name}"
    again = clone.inv("db.merge")
    assert again.out == f"nothing to merge: the history has one head, {new.name[:12]}\n"


def test_the_document_says_what_was_proven_and_written(clone: Clone) -> None:
    branch(clone)
    document = json.loads(clone.inv("db.merge", "--message=join the two", "--json").out)
    assert list(document) == list(joining_documents.MERGE)
    assert [each["revision"] for each in document["heads"]] == [OURS, THEIRS]
    assert (document["parted_at"], document["commutes"]) == ([HEAD], True)
    assert document["orders"][0] == {"order": [OURS, THEIRS], "failure": None, "differences": []}
    assert {"environment": "dev", "applied": [], "reason": "not made yet"} in document["environments"]
    assert (clone.folder / document["path"]).name.startswith(document["revision"])
    again = json.loads(clone.inv("db.merge", "--json").out)
    assert again == {**joining_documents.MERGE, "heads": again["heads"]}
    page = (clone.folder / "docs/json.md").read_text()
    for key in {*document, *document["orders"][0], *document["heads"][0], *document["environments"][0]}:
        assert f"`{key}`" in page or f'"{key}"' in page, key


@pytest.mark.slow
def test_what_does_not_commute_is_shown_and_nothing_is_written(clone: Clone) -> None:
    ours, theirs = (
        SQL.format(
            up=f"ALTER TABLE users ALTER is_active SET DEFAULT {value}",
            down="ALTER TABLE users ALTER is_active SET DEFAULT true",
        )
        for value in ("false", "NULL")
    )  # fmt: skip
    branch(clone, ours, theirs)
    before = texts(clone)
    done = clone.inv("db.merge", ok=False)
    assert done.code == 1
    assert texts(clone) == before
    one, other = f"{OURS}, then {THEIRS}", f"{THEIRS}, then {OURS}"
    assert f"  {other} gives another schema than {one}:\n" in done.out
    assert f'column public.users.is_active: default is "false" in {other}, ' in done.out
    assert done.err == (
        f"error: the branches {OURS} and {THEIRS} do not commute: 1 object differs by the order; two databases at"
        " one head would not be the same; nothing was written\n"
        "  next: inv db.rebase, which gives them an order\n"
    )


@pytest.mark.slow
def test_an_order_that_fails_is_named_with_its_line(clone: Clone) -> None:
    ours = SQL.format(up="CREATE INDEX ix ON sessions (updated_at)", down="DROP INDEX ix")
    theirs = SQL.format(up="ALTER TABLE sessions DROP updated_at", down="ALTER TABLE sessions ADD updated_at text")
    branch(clone, ours, theirs)
    done = clone.inv("db.merge", ok=False)
    assert done.code == 1
    path = f"alembic/versions/{OURS}_written_by_a_test.py"
    assert f'fails   {THEIRS}, then {OURS}: {OURS} fails at {path}:12: column "updated_at" does not exist\n' in done.out
    assert f"goes up, and {THEIRS}, then {OURS} does not; a database that has {THEIRS} already could" in done.err
    assert list(clone.versions.glob("*merge*")) == []


@pytest.mark.slow
def test_three_heads_are_merged_at_once_or_those_that_are_named(clone: Clone) -> None:
    branch(clone)
    clone.write_revision(THIRD, HEAD, ADD.format(column="third"))
    done = clone.inv("db.merge", "--revisions=cccc", "--revisions=aaaa")
    assert "2 orders give" in done.out
    (new,) = clone.versions.glob("*_merge_*.py")
    new.unlink()
    assert "6 orders give the same schema" in clone.inv("db.merge").out


def test_heads_that_are_meant_are_only_merged_by_name(clone: Clone) -> None:
    branch(clone)
    with (clone.folder / "pyproject.toml").open("a") as file:
        file.write("\n[tool.massacorp.checks]\nseveral_heads = true\n")
    done = clone.inv("db.merge", ok=False)
    assert (done.code, done.err) == (
        2,
        f"error: pyproject.toml says that several heads are meant here ({OURS}, {THEIRS}); nothing was written\n"
        f"  next: inv db.merge --revisions={OURS} --revisions={THEIRS}\n",
    )


@pytest.mark.slow
def test_a_merge_whose_roundtrip_fails_is_removed_again(clone: Clone) -> None:
    branch(clone)
    mako = clone.folder / "alembic/script.py.mako"
    mako.write_text(mako.read_text().replace('"""Annule la migration."""', 'raise RuntimeError("no way back")'))
    before = texts(clone)
    done = clone.inv("db.merge", ok=False)
    assert done.code == 1
    assert "no way back" in done.out
    assert "does not hold its roundtrip, and was removed again: alembic/versions/" in done.err
    assert texts(clone) == before


@pytest.mark.slow
def test_a_formatter_that_fails_leaves_no_file(clone: Clone) -> None:
    branch(clone)
    ini = clone.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("ruff.module = ruff", "ruff.module = absent_formatter"))
    before = texts(clone)
    assert clone.inv("db.merge", ok=False).code != 0
    assert texts(clone) == before


@pytest.mark.slow
def test_the_environments_are_told_by_side_and_none_is_waited_for(clone: Clone, migrated: str) -> None:
    branch(clone)
    clone.environment |= {"DATABASE_URL": migrated, "APP_ENV": "docker"}
    clone.alembic("upgrade", OURS)
    with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
        port = silent.getsockname()[1]
        (clone.folder / "envs/staging.local.env").write_text(f"DATABASE_URL=postgresql://me@127.0.0.1:{port}/x\n")
        (clone.folder / "envs/prod.local.env").write_text("DATABASE_URL=postgresql://me@127.0.0.1:1/x\n")
        done = clone.inv("db.merge")
    assert f"docker   on the side of {OURS}\n" in done.out
    assert re.search(r"staging  not known: .*(timeout|did not answer)", done.out), done.out
    assert re.search(r"prod     not known: .*Connection refused", done.out), done.out
    assert "done: one head" in done.out


@pytest.mark.slow
def test_a_history_that_is_broken_otherwise_is_mended_first(clone: Clone) -> None:
    isolate(clone)
    clone.write_revision(OURS, "absent000000", ADD.format(column="ours"))
    done = clone.inv("db.merge", ok=False)
    assert done.code == 2
    assert f"{OURS} names absent000000 as its parent, and no file has that id" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("task", ["db.merge", "db.rebase"])
def test_an_environment_that_is_none_is_told(clone: Clone, task: str) -> None:
    branch(clone)
    before = texts(clone)
    done = clone.inv(task, "--env=nowhere", ok=False)
    assert done.code == 2
    assert "nowhere" in done.err
    assert texts(clone) == before


@pytest.mark.slow
@pytest.mark.parametrize("task", ["db.merge", "db.rebase"])
def test_the_command_that_the_check_names_mends_it(clone: Clone, task: str) -> None:
    repository: Repository = branch(clone)
    told = clone.run(*CHECK, ok=False, changes={})
    assert told.code == 1
    named = {"db.merge": r"next: inv (db\.merge)", "db.rebase": r"instead: inv (db\.rebase)"}[task]
    found = re.search(named, told.out)
    assert found, told.out
    command = re.findall(r"next: (git add .*) && git commit", clone.inv(found[1]).out)[-1]
    repository.run("sh", "-c", command)
    assert clone.run(*CHECK, "--staged", changes={}).code == 0
    assert clone.inv("db.heads").out.count("(head)") == 1
