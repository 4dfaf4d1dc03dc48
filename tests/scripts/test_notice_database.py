"""The notice after a checkout: what it says about a real database, and how little it waits for one."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection
from sqlalchemy import make_url

from tests.clones import copy_tree
from tests.repositories import Done, Repository, variables

pytestmark = pytest.mark.slow
HEAD = "e5a72b8c9d0f"
WITHIN = 2.0


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A copy of this repository with two branches: `phone` has two revisions more than `main`, which is checked out."""
    made = Repository(copy_tree(tmp_path_factory.mktemp("notice") / "a tree"))
    python = made.write(".venv/bin/python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    made.commit("begin")
    made.git("checkout", "-q", "-b", "phone")
    for id_, parent in (("aaaa00000001", HEAD), ("aaaa00000002", "aaaa00000001")):
        made.revision(id_, parent, name="alembic/versions/{id}_add_phone.py")
    made.commit("add phone")
    made.git("checkout", "-q", "main")
    return made


@pytest.fixture
def dev(tree: Repository, database: str) -> Iterator[str]:
    """The dev database of that tree: an empty one."""
    tree.write(".env", f"DATABASE_URL={database}\n")
    yield database
    (tree.folder / ".env").unlink()


def connect(url: str) -> connection:
    parts = make_url(url)
    host, port = str(parts.query["host"]), str(parts.query["port"])
    return psycopg2.connect(host=host, port=port, user="postgres", dbname=parts.database)


def at(url: str, *revisions: str) -> None:
    """Give a database a version table with these rows."""
    opened = connect(url)
    with opened, opened.cursor() as cursor:
        cursor.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        for revision in revisions:
            cursor.execute("INSERT INTO alembic_version VALUES (%s)", [revision])
    opened.close()


def notice(tree: Repository, python: str = sys.executable, **changes: str) -> Done:
    """Run it as pre-commit does; it ends with 0, and in time."""
    began = time.monotonic()
    done = subprocess.run(
        [python, "-I", "-S", "scripts/notice_database.py"],
        cwd=tree.folder, env=variables() | changes, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 0
    assert time.monotonic() - began < WITHIN * (1 + os.getloadavg()[0] / 2)
    return Done(done.returncode, done.stdout)


@pytest.mark.parametrize("revisions", [[], [HEAD], ["c3bee0e2b93b"]], ids=["at base", "at the head", "behind"])
def test_nothing_is_said_about_a_database_that_is_not_ahead(tree: Repository, dev: str, revisions: list[str]) -> None:
    at(dev, *revisions)
    assert notice(tree).out == ""


def test_nothing_is_said_about_a_database_without_a_version_table(tree: Repository, dev: str) -> None:
    assert notice(tree).out == ""


def test_a_database_that_is_ahead_is_told_with_the_command(tree: Repository, dev: str) -> None:
    at(dev, "aaaa00000002")
    left = tree.git("rev-parse", "phone")
    assert notice(tree, PRE_COMMIT_FROM_REF=left).out == (
        "notice: the dev database is ahead of this branch: it has applied "
        'aaaa00000001 "the title of aaaa00000001", aaaa00000002 "the title of aaaa00000002" (phone has them); '
        "the code of this branch meets a schema that it does not know\n"
        f"  next: git checkout phone && inv db.downgrade --to={HEAD} && git checkout -\n"
    )


def test_a_revision_that_git_does_not_have_is_told_too(tree: Repository, dev: str) -> None:
    at(dev, "ffff00000001")
    assert notice(tree).out == (
        "notice: the dev database is ahead of this branch: it has applied ffff00000001; "
        "the code of this branch meets a schema that it does not know\n  next: inv db.doctor\n"
    )


def test_a_private_server_is_not_started(tree: Repository) -> None:
    assert notice(tree).out == ""
    assert not (tree.folder / ".postgres").exists()


@pytest.mark.parametrize(
    "text", ["DATABASE_URL=postgresql://127.0.0.1:1/a\n", "DATABASE_URL=", "nonsense\n"],
    ids=["nobody listens", "no address", "a broken file"],
)  # fmt: skip
def test_nothing_is_said_where_there_is_no_database(tree: Repository, text: str) -> None:
    path = tree.write(".env", text)
    assert notice(tree).out == ""
    path.unlink()


def test_a_server_that_never_answers_is_not_waited_for(tree: Repository) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        path = tree.write(".env", f"DATABASE_URL=postgresql://127.0.0.1:{listener.getsockname()[1]}/a\n")
        assert notice(tree).out == ""
    path.unlink()


def test_a_version_table_that_is_locked_is_not_waited_for(tree: Repository, dev: str) -> None:
    at(dev, "ffff00000001")
    holder = connect(dev)
    with holder.cursor() as cursor:
        cursor.execute("LOCK alembic_version")
        assert notice(tree).out == ""
    holder.close()


def test_nothing_is_said_without_a_virtual_environment(tree: Repository, dev: str, tmp_path: Path) -> None:
    at(dev, "ffff00000001")
    shutil.move(tree.folder / ".venv", tmp_path / "venv")
    try:
        assert notice(tree).out == ""
    finally:
        shutil.move(tmp_path / "venv", tree.folder / ".venv")


def test_it_runs_under_any_python_as_long_as_there_is_a_virtual_environment(tree: Repository, dev: str) -> None:
    at(dev, "ffff00000001")
    old = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.[6-9].*/bin/python"))
    if not old:
        pytest.skip("there is no older Python here")
    assert "ffff00000001" in notice(tree, str(old[0])).out
