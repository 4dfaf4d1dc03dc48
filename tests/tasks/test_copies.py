"""Copies of a database on other servers, and databases that were meant for somebody else."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.migrations import server
from app.migrations.errors import Refused
from app.migrations.programs import find_server_programs
from app.migrations.startup import Server
from tests.clones import Clone
from tests.console import Console
from tests.migrations.test_guard import examined, owner, record
from tests.roads import CHANGES, ROADS, ask, by_alembic, by_task, journal, target, version

pytestmark = pytest.mark.slow

HEAD = "e5a72b8c9d0f"
SAID = {"db.upgrade": [], "db.downgrade": ["--allow-downgrade"], "db.stamp": ["--to=base"], "env.claim": []}
"""Every task that changes a database, with what it must be told."""

Start = Callable[[str], Server]


@pytest.fixture(autouse=True)
def _own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def start(tmp_path: Path, pg: int) -> Iterator[Start]:
    """Private servers in folders of their own, one for each name."""
    roots: list[Path] = []

    def make(name: str) -> Server:
        roots.append(tmp_path / name)
        roots[-1].mkdir(exist_ok=True)
        return server.private_server(roots[-1], find_server_programs(major=pg))._replace(durable=False)

    yield make
    for root in roots:
        server.stop_all(root)


@pytest.fixture
def original(start: Start, root: Path) -> tuple[Server, str]:
    """A server, and the URL of its database of prod, at the head."""
    first = start("first")
    url = server.open_database(first, "app")
    by_alembic(root, target(url, "prod", protected=True), "upgrade", "head")
    assert owner(url) == ("prod", True)
    return first, url


def refused_everywhere(root: Path, url: str, name: str, said: str) -> None:
    before = state(url)
    for road in ROADS.values():
        for action, to in CHANGES.items():
            with pytest.raises(Refused, match=said):
                road(root, target(url, name), action, to)
    assert state(url) == before


def test_a_dump_restored_elsewhere_is_a_copy_until_it_is_claimed(
    clone: Clone, root: Path, original: tuple[Server, str], start: Start, tmp_path: Path
) -> None:
    by_task(root, target(original[1], "prod", protected=True), "downgrade", "-1")
    second = start("second")
    copy = restored(original, second, tmp_path / "app.dump")
    assert examined(copy).facts.system != examined(original[1]).facts.system
    for name in ("prod", "docker"):
        with pytest.raises(Refused, match="copy of prod"):
            by_task(root, target(copy, name), "upgrade", "head")
    with Console(clone) as console:
        shown = console.inv("env.claim", "--env=docker", DATABASE_URL=copy)
        assert shown.code == 0, shown.err
        facts = examined(original[1]).facts, examined(copy).facts
        assert [f"system {one.system}" in shown.out for one in facts] == [True, True]
        assert console.inv("db.upgrade", "--env=docker", DATABASE_URL=copy).code == 0
    assert owner(copy) == ("docker", False)
    assert version(copy) == [HEAD]
    assert [row[1] for row in journal(copy)][-2:] == ["claimed", "upgrade"]
    assert owner(original[1]) == ("prod", True)
    with pytest.raises(Refused, match="this database is docker"):
        by_task(root, target(copy, "prod"), "downgrade", "base")


def restored(original: tuple[Server, str], into: Server, dump: Path) -> str:
    """Dump the database of one server, restore it on another; return the URL of the copy."""
    programs, url = original[0].programs, server.open_database(into, "app")
    steps = [
        [programs.path("pg_dump"), "-Fc", f"--file={dump}", *place(original[1])],
        [programs.path("pg_restore"), "--exit-on-error", *place(url), str(dump)],
    ]
    for step in steps:
        subprocess.run(step, check=True, capture_output=True)
    return url


def place(url: str) -> list[str]:
    parts = make_url(url)
    return [f"--host={parts.query['host']}", "--port=5432", "--username=postgres", "--dbname=app"]


def test_a_copy_of_the_files_is_the_original_until_its_name_is_given(
    clone: Clone, root: Path, original: tuple[Server, str], start: Start
) -> None:
    first, url = original
    by_task(root, target(url, "prod", protected=True), "downgrade", "-1")
    server.stop(first)
    second = start("second")
    subprocess.run(["cp", "-a", first.data.parent, second.data.parent], check=True)
    copy = server.open_database(second, "app")
    seen, before = examined(copy), examined(server.open_database(first, "app"))
    assert (seen.facts.system, seen.facts.oid) == (before.facts.system, before.facts.oid)
    refused_everywhere(root, copy, "docker", "this database is prod")
    with Console(clone) as console:
        unasked = console.inv("env.claim", "--env=docker", DATABASE_URL=copy)
        assert (unasked.code, owner(copy)) == (2, ("prod", True))
        assert console.inv("env.claim", "--env=docker", "--recorded=prod", DATABASE_URL=copy).code == 0
        assert console.inv("db.upgrade", "--env=docker", DATABASE_URL=copy).code == 0
    assert owner(copy) == ("docker", False)
    assert version(copy) == [HEAD]
    assert owner(url) == ("prod", True)
    assert version(url) != [HEAD]


@pytest.fixture
def console(clone: Clone) -> Iterator[Console]:
    with Console(clone) as running:
        yield running


def state(url: str) -> object:
    """All that a change would leave behind."""
    tables = [
        name for (name,) in ask(url, "SELECT relname FROM pg_class WHERE relname LIKE 'alembic%' AND relkind = 'r'")
    ]
    return {name: ask(url, f"SELECT * FROM {name}") for name in tables}


def test_a_forgotten_export_and_a_named_environment_change_neither(
    clone: Clone, console: Console, migrated: str, database: str
) -> None:
    (clone.folder / ".env").write_text(f"DATABASE_URL={migrated}\n")
    (clone.folder / "envs/prod.local.env").write_text(f"DATABASE_URL={migrated}\n")
    before = state(migrated), state(database)
    for env in ("dev", "prod"):
        for task, told in SAID.items():
            done = console.inv(task, f"--env={env}", *told, DATABASE_URL=database)
            assert done.code == 2, (task, done)
            assert f"{env} is " in done.err
            assert "but the exported DATABASE_URL is" in done.err
            for url in (migrated, database):
                assert str(make_url(url).database) in done.err
            assert "unset DATABASE_URL" in done.err
    for how in (("-x", "env=dev"), ()):
        done = clone.alembic(
            *how, "upgrade", "head", ok=False, DATABASE_URL=database, **({} if how else {"APP_ENV": "dev"})
        )
        assert done.code == 2
        assert "but the exported DATABASE_URL is" in done.err
    assert (state(migrated), state(database)) == before


def test_a_database_of_prod_is_changed_as_dev_by_no_task(clone: Clone, console: Console, migrated: str) -> None:
    record(migrated, "prod", protected=True)
    (clone.folder / ".env").write_text(f"DATABASE_URL={migrated}\n")
    before = state(migrated)
    for task, told in SAID.items():
        done = console.inv(task, "--env=dev", *told)
        assert done.code == 2, (task, done)
        assert "prod" in done.err
    for how in (("-x", "env=dev"), ()):
        done = clone.alembic(*how, "stamp", "base", ok=False, **({} if how else {"APP_ENV": "dev"}))
        assert (done.code, "this database is prod" in done.err) == (2, True)
    assert state(migrated) == before


@pytest.mark.parametrize("task", ["db.status", "db.current", "db.history", "db.journal"])
def test_reading_another_environments_database_warns_and_works(
    clone: Clone, console: Console, migrated: str, task: str
) -> None:
    record(migrated, "prod")
    done = console.inv(task, "--env=docker", DATABASE_URL=migrated)
    assert done.code == 0, done.err
    assert "warning: this database is prod" in done.err
    assert done.out


def test_the_warning_leaves_the_document_alone(console: Console, migrated: str) -> None:
    record(migrated, "prod")
    done = console.inv("db.status", "--env=docker", "--json", DATABASE_URL=migrated)
    assert json.loads(done.out)["identity"]["environment"] == "prod"
    assert done.err
