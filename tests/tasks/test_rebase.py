"""`inv db.rebase`: the branch of this checkout is put onto the other head, and the databases that had it follow."""

import json
import os
from pathlib import Path

import pytest

from scripts.tasks import joining_documents
from tests.clones import Clone
from tests.roads import ask, journal, version
from tests.tasks.branching import ADD, OURS, SQL, THEIRS, branch, texts
from tests.terminal import Terminal
from tests.test_guide import HEAD

SECOND = "aaaa00000002"
ABOVE = (SECOND, OURS, ADD.format(column="second"))
PATH = f"alembic/versions/{OURS}_written_by_a_test.py"


def working_on(clone: Clone, url: str, *revisions: str, env: str = "docker") -> None:
    """Make the database `url` that of an environment, and apply revisions to it."""
    clone.environment |= {"DATABASE_URL": url, "APP_ENV": env}
    for each in revisions:
        clone.alembic("upgrade", each)


def columns(url: str) -> list[str]:
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'users' ORDER BY ordinal_position"
    return [row[0] for row in ask(url, query)]


def moved(before: dict[str, bytes]) -> dict[str, bytes]:
    """What the files hold once the branch stands on the other head."""
    path = Path(PATH).name
    old, new = f'down_revision = "{HEAD}"'.encode(), f'down_revision = "{THEIRS}"'.encode()
    assert before[path].count(old) == 1
    return before | {path: before[path].replace(old, new)}


def test_a_branch_is_put_onto_the_other_and_its_database_follows(clone: Clone, migrated: str) -> None:
    branch(clone, "", "", ABOVE)
    working_on(clone, migrated, SECOND)
    before = texts(clone)
    (clone.folder / PATH).chmod(0o640)
    done = clone.inv("db.rebase", "--yes")
    assert texts(clone) == moved(before)
    assert (clone.folder / PATH).stat().st_mode & 0o777 == 0o640
    assert f"edits  {PATH}: {HEAD} becomes {THEIRS}\n" in done.out
    assert f"docker   has applied {OURS}, {SECOND}\n" in done.out
    assert f'will undo  {OURS}  written_by_a_test\n    will lose  column "ours" of "users": 0 values\n' in done.out
    assert done.out.endswith(
        f"done: {OURS} stands on {THEIRS}; head: {SECOND}\n  next: git add {PATH} && git commit\n"
    )  # fmt: skip
    assert version(migrated) == [SECOND]
    assert columns(migrated)[-3:] == ["theirs", "ours", "second"]
    done_there = [
        (OURS, "upgrade"), (SECOND, "upgrade"), (SECOND, "downgrade"), (OURS, "downgrade"), (THEIRS, "upgrade"),
        (OURS, "upgrade"), (SECOND, "upgrade"),
    ]  # fmt: skip
    assert journal(migrated)[-7:] == done_there
    assert "nothing was edited after it was applied" in clone.inv("db.verify", ok=False).out
    assert clone.inv("db.rebase").out == f"nothing to rebase: the history has one head, {SECOND}\n"


@pytest.mark.slow
def test_the_document_says_what_moved(clone: Clone) -> None:
    branch(clone)
    document = json.loads(clone.inv("db.rebase", "--yes", "--json").out)
    assert list(document) == list(joining_documents.REBASE)
    assert [each["revision"] for each in document["heads"]] == [OURS]
    assert (document["onto"], document["moves"], document["rebased"]) == (THEIRS, [OURS], True)
    assert document["edits"] == [{"path": PATH, "before": [HEAD], "after": [THEIRS]}]
    again = json.loads(clone.inv("db.rebase", "--json").out)
    assert again == {**joining_documents.REBASE, "heads": document["heads"]}
    page = (clone.folder / "docs/json.md").read_text()
    for key in {*document, *document["edits"][0]}:
        assert f"`{key}`" in page or f'"{key}"' in page, key


@pytest.mark.slow
def test_without_a_terminal_yes_has_to_be_said(clone: Clone, migrated: str) -> None:
    branch(clone)
    working_on(clone, migrated, OURS)
    before = texts(clone)
    done = clone.inv("db.rebase", ok=False)
    assert (done.code, done.err) == (
        2,
        "error: docker would be taken down and up again, and there is no terminal to ask at; nothing was changed\n"
        "  next: look at the plan above, then the same command with --yes\n",
    )
    assert texts(clone) == before
    assert version(migrated) == [OURS]


@pytest.mark.slow
def test_at_a_terminal_the_name_is_typed(clone: Clone, migrated: str) -> None:
    branch(clone)
    working_on(clone, migrated, OURS)
    for typed, code, reached in ((b"no\n", 2, OURS), (b"docker\n", 0, THEIRS)):
        terminal = Terminal(clone, "db.rebase")
        terminal.until("to go on: ")
        os.write(terminal.descriptor, typed)
        assert terminal.end() == code, terminal.shown
        assert (f'down_revision = "{reached}"' in (clone.folder / PATH).read_text()) is (code == 0)
    assert columns(migrated)[-2:] == ["theirs", "ours"]


@pytest.mark.slow
def test_a_protected_environment_that_has_it_means_no(clone: Clone, migrated: str) -> None:
    branch(clone)
    working_on(clone, migrated, env="staging")
    clone.inv("db.upgrade", f"--to={OURS}", "--yes", "--no-backup", "--no-verify")
    before = texts(clone)
    done = clone.inv("db.rebase", "--yes", ok=False)
    assert (done.code, done.err) == (
        2,
        f"error: staging has applied {OURS}, and is protected: what is applied there keeps its parents; nothing was"
        " changed\n  next: inv db.merge\n",
    )
    clone.environment["APP_ENV"] = "docker"
    done = clone.inv("db.rebase", "--yes", ok=False)
    assert done.code == 2
    assert "is protected: what is applied there keeps its parents" in done.err
    assert texts(clone) == before
    assert version(migrated) == [OURS]


@pytest.mark.slow
def test_a_downgrade_that_fails_ends_it_before_any_file_is_written(clone: Clone, migrated: str) -> None:
    above = SQL.format(up="ALTER TABLE users ADD second text", down="ALTER TABLE users DROP second").replace(
        "def downgrade() -> None:\n", 'def downgrade() -> None:\n    op.execute("SELECT 1 / count(*) FROM tenants")\n'
    )
    branch(clone, "", "", (SECOND, OURS, above))
    working_on(clone, migrated, SECOND)
    before = texts(clone)
    done = clone.inv("db.rebase", "--yes", ok=False)
    assert done.code == 5
    assert "division by zero" in done.err
    assert "; no file was changed\n" in done.err
    assert f"to take up again what went down: inv db.upgrade --env=docker --to={SECOND}\n" in done.err
    assert texts(clone) == before
    assert version(migrated) == [SECOND]


@pytest.mark.slow
def test_a_roundtrip_that_fails_puts_the_files_back(clone: Clone, migrated: str) -> None:
    branch(clone, SQL.format(up="ALTER TABLE users ADD ours text", down="SELECT 1"))
    path = clone.folder / PATH
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + b"# not committed, \xc3\xa9")
    before = texts(clone)
    done = clone.inv("db.rebase", ok=False)
    assert done.code == 1
    assert f"error: on {THEIRS} the roundtrip of {OURS} fails; nothing is moved; the files are as they were" in done.err
    assert texts(clone) == before
    path.write_bytes(path.read_bytes().replace(b"SELECT 1", b"ALTER TABLE users DROP ours"))
    before = texts(clone)
    clone.inv("db.rebase")
    assert texts(clone) == moved(before)


@pytest.mark.slow
def test_a_branch_that_does_not_go_up_there_changes_nothing(clone: Clone, migrated: str) -> None:
    ours = SQL.format(up="CREATE INDEX ix ON sessions (updated_at)", down="DROP INDEX ix")
    theirs = SQL.format(up="ALTER TABLE sessions DROP updated_at", down="ALTER TABLE sessions ADD updated_at text")
    branch(clone, ours, theirs)
    working_on(clone, migrated, OURS)
    before = texts(clone)
    done = clone.inv("db.rebase", "--yes", ok=False)
    assert done.code == 1
    assert f'error: above {THEIRS}, {OURS} fails at {PATH}:12: column "updated_at" does not exist; not' in done.err
    assert done.err.endswith(f"  next: correct {PATH}, then inv db.rebase\n")
    assert texts(clone) == before
    assert version(migrated) == [OURS]


@pytest.mark.slow
def test_an_upgrade_that_fails_afterwards_is_told_with_the_command_to_go_on(clone: Clone, migrated: str) -> None:
    theirs = SQL.format(up="ALTER TABLE tenants ADD CHECK (slug <> ''taken'')", down="SELECT 1").replace("''", "\\'")
    theirs = theirs.replace('"ALTER', "'ALTER").replace(')"', ")'") if '"ALTER' in theirs else theirs
    branch(clone, "", theirs)
    working_on(clone, migrated, OURS)
    ask(migrated, "INSERT INTO tenants (name, slug) VALUES ('Taken', 'taken')")
    before = texts(clone)
    done = clone.inv("db.rebase", "--yes", ok=False)
    assert done.code == 5
    assert "the files are rebased and proven; what is left to do is the upgrade\n" in done.err
    assert done.err.endswith(f"here: inv db.upgrade --env=docker --to={OURS}\n")
    assert texts(clone) == moved(before)
    assert version(migrated) == [HEAD]
    ask(migrated, "DELETE FROM tenants")
    clone.inv("db.upgrade", "--env=docker", f"--to={OURS}", "--no-verify")
    assert version(migrated) == [OURS]


@pytest.mark.slow
def test_a_database_with_both_sides_loses_its_own_branch_alone(clone: Clone, migrated: str) -> None:
    branch(clone)
    working_on(clone, migrated, OURS, THEIRS)
    ask(migrated, "ALTER TABLE users ALTER theirs SET DEFAULT 'kept'")
    clone.inv("db.rebase", "--yes")
    assert version(migrated) == [OURS]
    assert ask(migrated, "SELECT column_default FROM information_schema.columns WHERE column_name = 'theirs'") == [
        ("'kept'::text",)
    ]


@pytest.mark.slow
def test_an_environment_that_does_not_answer_needs_offline(clone: Clone) -> None:
    branch(clone)
    (clone.folder / "envs/test.local.env").write_text("DATABASE_URL=postgresql://me@127.0.0.1:1/x\n")
    before = texts(clone)
    done = clone.inv("db.rebase", ok=False)
    assert done.code == 2
    assert done.err.startswith("error: not known is what these have applied: test: ")
    assert "inv db.rebase --offline" in done.err
    assert texts(clone) == before
    done = clone.inv("db.rebase", "--offline")
    assert f"warning test was not asked: had it applied {OURS}, it would lack what is below that now\n" in done.out
    assert texts(clone) == moved(before)


@pytest.mark.slow
def test_in_the_midst_of_a_merge_and_of_a_git_rebase(clone: Clone) -> None:
    repository = branch(clone)
    before = texts(clone)
    for begin in (["merge", "--no-commit", "--no-ff", "main"], ["rebase", "--exec", "false", "main"]):
        repository.git("reset", "-q", "--hard", "feature" if begin[0] == "merge" else "HEAD")
        repository.git("checkout", "-q", "-B", "work", "HEAD~1" if begin[0] == "merge" else "feature~1")
        repository.git(*begin, ok=False)
        assert texts(clone) == before
        clone.inv("db.rebase")
        assert texts(clone) == moved(before)
        repository.git("reset", "-q", "--hard")
        repository.git("rebase", "--abort", ok=False)
        repository.git("checkout", "-q", "-f", "feature")


@pytest.mark.slow
def test_what_git_does_not_say_has_to_be_said(clone: Clone) -> None:
    repository = branch(clone)
    repository.git("branch", "-q", "-m", "main", "trunk")
    done = clone.inv("db.rebase", ok=False)
    assert done.code == 2
    assert done.err.startswith("error: git knows no default branch here (origin/HEAD, main or master)")
    repository.git("branch", "-q", "main", "feature~2")
    before = texts(clone)
    done = clone.inv("db.rebase", ok=False)
    assert done.err.startswith("error: none of the heads is published")
    clone.inv("db.rebase", "--onto=bbbb")
    assert texts(clone) == moved(before)


@pytest.mark.slow
def test_conflict_markers_are_refused_with_their_line(clone: Clone) -> None:
    branch(clone)
    path = clone.folder / PATH
    path.write_text(path.read_text().replace("branch_labels", "<<<<<<< HEAD\nbranch_labels"))
    before = texts(clone)
    done = clone.inv("db.rebase", ok=False)
    assert done.code == 2
    assert done.err.startswith(f"error: {PATH}:")
    assert texts(clone) == before


@pytest.mark.slow
def test_what_cannot_be_undone_is_refused_before_anything(clone: Clone, migrated: str) -> None:
    ours = 'irreversible = "the values are gone"\n' + ADD.format(column="ours").replace(
        'op.drop_column("users", "ours")', "raise NotImplementedError(irreversible)"
    )
    branch(clone, ours)
    working_on(clone, migrated, OURS)
    before = texts(clone)
    done = clone.inv("db.rebase", "--yes", ok=False)
    assert done.code == 2
    assert f"{OURS} (written_by_a_test) cannot be undone: the values are gone" in done.err
    assert texts(clone) == before
    assert version(migrated) == [OURS]


@pytest.mark.slow
def test_the_backup_that_an_environment_wants_is_made_before_it_goes_down(clone: Clone, migrated: str) -> None:
    branch(clone)
    working_on(clone, migrated, OURS)
    docker = clone.folder / "envs/docker.env"
    docker.write_text(docker.read_text().replace("BACKUP=never", "BACKUP=always"))
    before = texts(clone)
    done = clone.inv("db.rebase", "--yes", ok=False, BACKUP_DIR="/proc/nowhere")
    assert done.code == 2
    assert done.err.count("; no file was changed\n") == 1
    assert "to take up again" not in done.err
    assert texts(clone) == before
    assert version(migrated) == [OURS]
    done = clone.inv("db.rebase", "--yes")
    assert done.out.index("backed up: ") < done.out.index(f"undone  {OURS}")
    assert version(migrated) == [OURS]
    assert texts(clone) == moved(before)
