"""db.verify, db.stamp and db.adopt as they are typed, and the end of db.upgrade."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clones import Clone
from tests.console import Console
from tests.roads import ask, journal, version

pytestmark = pytest.mark.slow

HEAD = "e5a72b8c9d0f"
REVISIONS = ("d4cf1a3e5f7c", "a91f6d2c4b7e", HEAD)
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
def console(clone: Clone, database: str, scratch_admin: str) -> Iterator[Console]:
    """Commands on an empty database of the environment docker."""
    clone.environment |= {"DATABASE_URL": database, "APP_ENV": "docker", "SCRATCH_URL": scratch_admin}
    with Console(clone) as opened:
        yield opened


def test_an_upgrade_ends_with_a_verification_and_says_when_it_builds(console: Console, database: str) -> None:
    first = console.inv("db.upgrade")
    assert first.code == 0
    assert "building the schema of e5a72b8c9d0f" in first.err
    assert first.out.splitlines()[-1] == "verified: the schema of docker is what the history builds"
    ask(database, "ALTER TABLE users DROP COLUMN name")
    again = console.inv("db.upgrade")
    assert (again.code, "building" in again.err) == (1, False)
    assert "column public.users.name is missing in docker" in again.out
    assert "ALTER TABLE public.users ADD COLUMN name text;" in again.out
    assert again.err.splitlines()[-2:] == [
        "error: every step is done and kept, but docker is not as it should be: 1 problem, listed above",
        "  next: inv db.verify --env=docker",
    ]


def test_verify_answers_in_words_and_in_a_document(console: Console, database: str, root: Path) -> None:
    console.inv("db.upgrade")
    said = console.inv("db.verify")
    assert said.code == 0
    assert [line[:3] for line in said.out.splitlines()[:-1]] == ["yes"] * 7
    assert said.out.splitlines()[-1].startswith(f"docker at {HEAD}: nothing found, the history built on PostgreSQL ")
    ask(database, "DROP INDEX ix_users_active")
    answer = console.inv("db.verify", "--json")
    document = json.loads(answer.out)
    assert answer.code == 1
    (problem,) = document["problems"]
    assert problem["next"].startswith("CREATE INDEX CONCURRENTLY ix_users_active ON public.users")
    chapter = (root / "docs/json.md").read_text().partition("## db.verify")[2].partition("\n## ")[0]
    assert all(f"`{key}`" in chapter or f'"{key}"' in chapter for key in [*document, *problem, *problem["difference"]])


def test_what_cannot_be_checked_is_neither_yes_nor_no(console: Console) -> None:
    console.inv("db.upgrade", SCRATCH_URL=NOWHERE)
    done = console.inv("db.verify", SCRATCH_URL=NOWHERE)
    assert done.code == 2
    assert done.out.count("not checked") == 4
    assert "SCRATCH_URL=embedded" in done.err


def test_known_drift_is_accepted_by_the_file_of_the_environment(console: Console, clone: Clone, database: str) -> None:
    console.inv("db.upgrade")
    ask(database, "CREATE TABLE by_hand ()")
    assert console.inv("db.verify").code == 1
    assert console.inv("db.verify", "--write-baseline").code == 0
    assert (clone.folder / "envs/docker.drift.json").exists()
    assert "1 accepted by the baseline" in console.inv("db.verify").out
    assert console.inv("db.upgrade").code == 0
    ask(database, "CREATE TABLE another ()")
    assert console.inv("db.verify").code == 1


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_stamp_that_is_wrong_by_one_is_refused(console: Console, database: str, revision: str) -> None:
    console.inv("db.upgrade", f"--to={revision}")
    place = REVISIONS.index(revision)
    for wrong in {*REVISIONS[max(place - 1, 0) : place + 2], "c3bee0e2b93b"} - {revision}:
        done = console.inv("db.stamp", f"--to={wrong}")
        assert (done.code, version(database)) == (2, [revision])
        assert f"is not at {wrong}: " in done.err
    ask(database, "DELETE FROM alembic_version")
    assert console.inv("db.stamp", "--detect").out.splitlines()[0] == f"the schema of docker is that of {revision}"
    assert console.inv("db.stamp", f"--to={revision}").code == 0
    assert version(database) == [revision]


def test_a_forced_stamp_is_asked_about_and_written_down(console: Console, database: str) -> None:
    console.inv("db.upgrade")
    refused = console.inv("db.stamp", f"--to={REVISIONS[1]}", "--force")
    assert (refused.code, version(database)) == (2, [HEAD])
    assert "no terminal to ask at" in refused.err
    assert console.inv("db.stamp", f"--to={REVISIONS[1]}", "--force", "--yes").code == 0
    assert version(database) == [REVISIONS[1]]
    ((action, detail),) = journal(database, "action, detail")[-1:]
    assert (action, detail["forced"]) == ("stamp", True)
    assert detail["differences"][0]["object"] == "public.sessions.updated_at"


def test_a_schema_at_no_revision_is_told_with_the_nearest(console: Console, database: str) -> None:
    console.inv("db.upgrade")
    ask(database, "ALTER TABLE users ADD COLUMN more text")
    done = console.inv("db.stamp", "--detect")
    assert done.code == 1
    assert done.out == "  column public.users.more is only in docker\n"
    assert f"that of no revision; the nearest is {HEAD}, with 1 difference" in done.err


def test_a_database_without_a_version_is_adopted_at_its_revision(console: Console, database: str) -> None:
    console.inv("db.upgrade", f"--to={REVISIONS[1]}")
    ask(database, "DROP TABLE alembic_version, alembic_journal, alembic_identity")
    assert console.inv("db.adopt").code == 0
    assert version(database) == [REVISIONS[1]]
    assert console.inv("db.upgrade").code == 0


def test_a_repository_without_a_history_gets_its_first_revision(console: Console, clone: Clone, database: str) -> None:
    ask(database, "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE things (id serial PRIMARY KEY, felt mood)")
    for path in clone.versions.glob("*.py"):
        path.unlink()
    done = console.inv("db.adopt")
    assert done.code == 0
    (path,) = clone.versions.glob("*.py")
    assert version(database) == [path.name.split("_")[0]]
    assert f"wrote alembic/versions/{path.name}" in done.out


def test_an_adoption_that_is_refused_leaves_no_file(console: Console, clone: Clone, database: str) -> None:
    ask(database, "CREATE TABLE things (id serial PRIMARY KEY)")
    for path in clone.versions.glob("*.py"):
        path.unlink()
    envs = clone.folder / "envs/docker.env"
    envs.write_text(envs.read_text().replace("PROTECTED=false", "PROTECTED=true"))
    assert console.inv("db.adopt").code == 2
    assert list(clone.versions.glob("*.py")) == []
