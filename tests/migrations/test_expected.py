"""What is remembered of a build, when it is forgotten, and what a build does when it cannot be made."""

import secrets
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import expected, server
from app.migrations.build_inputs import Inputs
from app.migrations.catalog import Key
from app.migrations.errors import ConfigurationError
from app.migrations.expected import Expected
from app.migrations.workshop import Wanted
from tests.migrations.chains import ask, preset
from tests.migrations.projects import Project

pytestmark = pytest.mark.slow

URL = "postgresql+psycopg2://nobody@127.0.0.1:1/none"


class Builder:
    """Builds a project's revisions for a target that nobody has to be able to connect to."""

    def __init__(self, project: Project, admin: str, major: int) -> None:
        self.project, self.admin, self.major = project, admin, major
        self.said: list[str] = []

    def __call__(self, *revisions: str, major: int = 0) -> Expected:
        target = self.project.target(URL, self.admin)
        return expected.find(
            Wanted(Inputs(self.project.folder), target, major or self.major, say=self.said.append), revisions
        )


@pytest.fixture
def build(tmp_path: Path, scratch_admin: str, pg: int) -> Builder:
    project = Project(tmp_path)
    project.revision("one", "CREATE TABLE t (a integer)")
    project.revision("two", "ALTER TABLE t ADD b integer", parents="one")
    return Builder(project, scratch_admin, pg)


def tables(found: Expected) -> set[str]:
    return {key.name for key in found.catalog.objects if key.kind in {"table", "column"}}


def test_exactly_the_revision_is_built(build: Builder) -> None:
    assert tables(build("one")) == {"public.t", "public.t.a"}
    assert tables(build("two")) == {"public.t", "public.t.a", "public.t.b"}
    assert tables(build()) == set()


def test_the_second_time_nothing_is_built(build: Builder, pg: int) -> None:
    first = build("two")
    again = build("two")
    assert (first.cached, again.cached) == (False, True)
    assert again == first._replace(cached=True)
    assert build.said == [
        f"building the schema of two on the server of SCRATCH_URL (PostgreSQL {pg}), once for this history"
    ]


def test_an_edit_below_is_built_anew_and_one_above_is_not(build: Builder) -> None:
    build("one")
    build("two")
    build.project.revision("two", "ALTER TABLE t ADD c integer", parents="one")
    assert build("one").cached
    assert "public.t.c" in tables(build("two"))
    build.project.revision("one", "CREATE TABLE t (a integer, z integer)")
    assert "public.t.z" in tables(build("two"))


@pytest.mark.parametrize("damage", ["", "{", "no hash\n{}", "half", "altered"])
def test_a_damaged_file_is_built_anew(build: Builder, damage: str) -> None:
    build("one")
    (path,) = (build.project.folder / server.FOLDER / "expected").iterdir()
    text = path.read_text()
    known = {"half": text[: len(text) // 2], "altered": text.replace('"integer"', '"bigint"')}
    path.write_text(known.get(damage, damage))
    assert not build("one").cached
    assert build("one").cached
    assert path.read_text() == text


def test_where_nothing_can_be_remembered_it_is_built_each_time(build: Builder) -> None:
    (build.project.folder / server.FOLDER).rmdir()
    (build.project.folder / server.FOLDER).write_text("a file in the way")
    assert tables(build("one")) == tables(build("one")) != set()
    assert not build("one").cached


def test_what_the_history_reads_beside_it_counts(build: Builder) -> None:
    (build.project.versions / "more.sql").write_text("SELECT 1")
    build("one")
    assert build("one").cached
    (build.project.versions / "more.sql").write_text("SELECT 2")
    assert not build("one").cached


def test_a_history_that_does_not_run_is_a_configuration_error_that_names_the_line(build: Builder) -> None:
    build.project.revision("two", "CREATE EXTENSION that_nobody_has", parents="one")
    with pytest.raises(ConfigurationError) as caught:
        build("two")
    assert "revision two failed at alembic/versions/two_x.py:" in caught.value.message
    assert "SCRATCH_URL=" in caught.value.hint


def test_an_unknown_revision_is_a_key_error(build: Builder) -> None:
    with pytest.raises(KeyError):
        build("gone")


def test_a_scratch_server_that_is_too_old_is_refused(build: Builder) -> None:
    with pytest.raises(ConfigurationError, match="older than the 40"):
        build("one", major=40)


@pytest.fixture
def own(empty: Path) -> Project:
    """A project whose scratch databases are made on a private server of its own."""
    project = Project(empty)
    project.revision("one", "CREATE TABLE t (a integer)")
    return project


def test_a_protected_environment_without_scratch_url_has_the_private_server_used(own: Project) -> None:
    protected = own.target(URL, None)
    protected = protected._replace(environment=protected.environment.__class__("prod", URL, True, scratch_url=None))
    found = expected.find(Wanted(Inputs(own.folder), protected, 15), ["one"])
    assert (found.server_major, tables(found)) == (16, {"public.t", "public.t.a"})
    assert server.stop_all(own.folder) == [".postgres/scratch-16"]
    assert expected.find(Wanted(Inputs(own.folder), protected, 15), ["one"]).cached
    assert server.stop_all(own.folder) == []


def test_the_schema_and_the_search_path_of_the_target_are_the_builds_too(
    build: Builder, database: str, scratch_admin: str
) -> None:
    ask(database, 'CREATE SCHEMA "my own"; CREATE TABLE "my own".alembic_version (version_num text)')
    preset(database, "search_path", '"my own", public')
    target = build.project.target(database, scratch_admin)
    _, wanted = expected.gather(target, create_engine(database, poolclass=NullPool), Inputs(build.project.folder))
    assert wanted.around.home == '"my own"'
    assert tables(expected.find(wanted, ["one"])) == {'"my own".t', '"my own".t.a'}
    assert Key("schema", '"my own"') in expected.find(wanted, ["one"]).given.objects


def test_roles_that_the_history_names_and_the_target_has_stand_in_while_it_is_built(
    build: Builder, database: str, scratch_admin: str
) -> None:
    role = f"reader_{secrets.token_hex(4)}"
    build.project.revision("one", "CREATE TABLE t (a integer)", f"GRANT SELECT ON t TO {role}")
    target = build.project.target(database, scratch_admin)
    _, wanted = expected.gather(target, create_engine(database, poolclass=NullPool), Inputs(build.project.folder))
    with pytest.raises(ConfigurationError, match="does not exist"):
        expected.find(wanted, ["one"])
    found = expected.find(wanted._replace(around=wanted.around._replace(roles=(role,))), ["one"])
    assert found.catalog.objects[Key("table", "public.t")][f"grants to {role}"] == "SELECT"
    assert ask(scratch_admin, "SELECT 1 FROM pg_roles WHERE rolname = %s", role) == []
