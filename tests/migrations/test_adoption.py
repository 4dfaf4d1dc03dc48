"""Databases that were made by hand, and the revisions that are found or written for them."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import adoption, scratch, stamping
from app.migrations.adoption import Adoption
from app.migrations.errors import Refused
from tests.migrations import rich_schema
from tests.migrations.chains import ask
from tests.migrations.projects import ROOT, Project

pytestmark = pytest.mark.slow

PLAIN = (
    "CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL DEFAULT 'x', j jsonb);"
    "CREATE INDEX ix ON users (name); CREATE TABLE posts (id integer PRIMARY KEY, by bigint REFERENCES users)"
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    shutil.copy(ROOT / "alembic/script.py.mako", tmp_path / "alembic")
    return made


def adopt(project: Project, url: str, admin: str) -> Adoption:
    return adoption.adopt(project.folder, project.target(url, admin), create_engine(url, poolclass=NullPool))


def differences(project: Project, url: str, admin: str, to: str) -> list[str]:
    engine = create_engine(url, poolclass=NullPool)
    found = stamping.check_stamp(project.folder, project.target(url, admin), engine, to)
    return [one.words() for one in found]


def test_plain_tables_become_operations(project: Project, database: str, scratch_admin: str) -> None:
    ask(database, PLAIN)
    adopted = adopt(project, database, scratch_admin)
    assert adopted.path is not None
    source = adopted.path.read_text()
    assert "op.create_table('users'" in source
    assert "op.drop_table('posts')" in source
    assert differences(project, database, scratch_admin, adopted.revision) == []
    assert list(project.versions.glob("*.py")) == [adopted.path]


def test_what_alembic_has_no_operation_for_becomes_sql(project: Project, scratch_admin: str) -> None:
    with scratch.database(scratch_admin, rich_schema.template(scratch_admin)) as url:
        ask(url, 'CREATE FUNCTION long() RETURNS text LANGUAGE sql AS $$\n  SELECT \'50 %; \\ """\' ;\n$$')
        ask(url, "CREATE FUNCTION atomic(a integer) RETURNS integer BEGIN ATOMIC SELECT CASE a WHEN 1 THEN 2 END; END")
        adopted = adopt(project, url, scratch_admin)
        assert adopted.path is not None
        assert "a secret" not in adopted.path.read_text()
        assert 'irreversible = "' in adopted.path.read_text()
        left = differences(project, url, scratch_admin, adopted.revision)
        assert left == ["user mapping public ON far is only in after"]
        assert list(project.versions.glob("*.py")) == [adopted.path]


def test_operations_that_say_less_than_the_schema_give_way_to_sql(
    project: Project, database: str, scratch_admin: str
) -> None:
    ask(database, f"{PLAIN}; CREATE VIEW named AS SELECT name FROM users")
    adopted = adopt(project, database, scratch_admin)
    assert list(project.versions.glob("*.py")) == [adopted.path]
    assert differences(project, database, scratch_admin, adopted.revision) == []


def test_a_history_that_has_the_revision_gets_no_file(project: Project, database: str, scratch_admin: str) -> None:
    project.revision("one", "CREATE TABLE a ()")
    project.revision("two", "CREATE TABLE b ()", parents="one")
    ask(database, "CREATE TABLE a ()")
    assert adopt(project, database, scratch_admin) == Adoption("one", None)


def test_a_history_that_does_not_have_it_is_left_alone(project: Project, database: str, scratch_admin: str) -> None:
    path = project.revision("one", "CREATE TABLE a ()")
    ask(database, "CREATE TABLE a (b integer)")
    with pytest.raises(Refused, match=r"the nearest is one, from which it differs: column public\.a\.b is only in dev"):
        adopt(project, database, scratch_admin)
    assert list(project.versions.glob("*.py")) == [path]


def test_revisions_that_cannot_be_told_apart_are_refused(project: Project, database: str, scratch_admin: str) -> None:
    project.revision("one", "CREATE TABLE a ()")
    project.revision("two", "SELECT 1", parents="one")
    ask(database, "CREATE TABLE a ()")
    with pytest.raises(Refused, match="equals several states of the history: one; two"):
        adopt(project, database, scratch_admin)


def test_an_empty_database_and_one_under_alembic_are_refused(
    project: Project, database: str, scratch_admin: str
) -> None:
    with pytest.raises(Refused, match="is empty"):
        adopt(project, database, scratch_admin)
    ask(database, "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('x')")
    with pytest.raises(Refused, match="under Alembic already, at x"):
        adopt(project, database, scratch_admin)


def test_a_file_that_cannot_be_compared_is_taken_away_again(
    project: Project, database: str, scratch_admin: str
) -> None:
    ask(database, PLAIN)
    template = project.folder / "alembic/script.py.mako"
    template.write_text(template.read_text().replace("def upgrade() -> None:", "def upgrade() -> None:\n    1 / 0"))
    with pytest.raises(Exception, match="division by zero"):
        adopt(project, database, scratch_admin)
    assert list(project.versions.glob("*.py")) == []
