"""Databases that came another way: out of a dump, or on an older server than any scratch server."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import clients, scratch, urls, verification
from app.migrations.verification import Report
from tests.migrations import private_servers, rich_schema
from tests.migrations.chains import ask, dsn
from tests.migrations.projects import Project

pytestmark = pytest.mark.slow

VERSION = "CREATE TABLE alembic_version (version_num text PRIMARY KEY); INSERT INTO alembic_version VALUES ('one')"
MOVED = "CREATE TABLE moved (a integer, b text, c date); ALTER TABLE moved DROP b; ALTER TABLE moved ADD b text"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.revision("one", rich_schema.SOURCE + "\nSET check_function_bodies = on", MOVED)
    return made


def verify(project: Project, url: str, admin: str | None) -> Report:
    return verification.verify(project.folder, project.target(url, admin), create_engine(url, poolclass=NullPool))


def test_a_database_restored_from_a_dump_is_clean(
    project: Project, scratch_admin: str, database: str, tmp_path: Path, pg: int
) -> None:
    programs = clients.find("", "", pg)
    dump, copy = str(tmp_path / "dump"), urls.to_libpq(database)
    with scratch.database(scratch_admin, rich_schema.template(scratch_admin)) as url:
        ask(url, f"{MOVED}; {VERSION}")
        source = urls.to_libpq(url)
        command = [programs.path("pg_dump"), "--format=custom", f"--file={dump}", f"--dbname={source.conninfo}"]
        subprocess.run(command, check=True, env=dict(source.environment))
    command = [programs.path("pg_restore"), "--exit-on-error", f"--dbname={copy.conninfo}", dump]
    subprocess.run(command, check=True, env=dict(copy.environment))
    report = verify(project, database, scratch_admin)
    assert report.problems == ()


@pytest.fixture(scope="module")
def fifteen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of PostgreSQL 15 with the rich schema."""
    with private_servers.fifteen(tmp_path_factory.mktemp("fifteen")) as url:
        with closing(psycopg2.connect(dsn(url))) as connection, connection, connection.cursor() as cursor:
            cursor.execute(rich_schema.SOURCE)
        ask(url, f"{MOVED}; {VERSION}")
        yield url


def test_an_older_server_is_compared_with_the_nearest_newer_one_and_the_report_says_so(
    project: Project, scratch_admin: str, fifteen: str, pg: int
) -> None:
    report = verify(project, fifteen, scratch_admin)
    assert [one.words for one in report.problems] == []
    assert report.expected_on == f"PostgreSQL {pg}, as there is none of the target's 15"
