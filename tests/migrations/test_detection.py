"""Which revision a schema is at, and the stamps that are refused because it is at another."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import detection, expected, scratch, stamping
from app.migrations.build_inputs import Inputs
from app.migrations.detection import Detection
from app.migrations.errors import ConfigurationError, Refused
from tests.migrations.chains import ask
from tests.migrations.projects import Project

pytestmark = pytest.mark.slow

HISTORY = (
    ("one", None, ("CREATE TABLE a (id integer)",)),
    ("two", "one", ("ALTER TABLE a ADD name text",)),
    ("data", "two", ("INSERT INTO a VALUES (1, 'x')",)),
    ("left", "data", ("CREATE TABLE l ()",)),
    ("right", "data", ("CREATE TABLE r ()", "DROP TABLE IF EXISTS none")),
    ("merged", ("left", "right"), ("CREATE VIEW v AS SELECT 1 AS b",)),
    ("last", "merged", ("ALTER TABLE a ALTER id SET NOT NULL",)),
)
AT = {
    "one": ("one",),
    "two": ("two", "data"),
    "data": ("two", "data"),
    "left": ("left",),
    "right": ("right",),
    "merged": ("merged",),
    "last": ("last",),
}
"""What each revision's schema is the schema of."""


class Place(NamedTuple):
    project: Project
    admin: str

    def detect(self, url: str) -> Detection:
        target = self.project.target(url, self.admin)
        engine = create_engine(url, poolclass=NullPool)
        return detection.detect(*expected.gather(target, engine, Inputs(self.project.folder)))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, scratch_admin: str) -> Place:
    project = Project(tmp_path_factory.mktemp("history"))
    for id_, parents, statements in HISTORY:
        project.revision(id_, *statements, parents=parents)
    return Place(project, scratch_admin)


@pytest.fixture(params=list(AT))
def at(request: pytest.FixtureRequest, place: Place) -> Iterator[tuple[str, str]]:
    """A revision, and a database that somebody has brought there without Alembic."""
    history = Inputs(place.project.folder).history
    needed = history.pending((), [request.param])
    with scratch.database(place.admin) as url:
        for id_ in needed:
            ask(url, ";".join(next(statements for name, _, statements in HISTORY if name == id_)))
        yield request.param, url


def test_a_schema_is_that_of_its_revision_and_a_wrong_stamp_is_refused(at: tuple[str, str], place: Place) -> None:
    revision, url = at
    seen = place.detect(url)
    assert [state for (state,) in seen.equal] == list(AT[revision])
    engine, target = create_engine(url, poolclass=NullPool), place.project.target(url, place.admin)
    for id_, _, _ in HISTORY:
        differences = stamping.check_stamp(place.project.folder, target, engine, id_)
        assert (differences == []) == (id_ in AT[revision])
    assert stamping.check_stamp(place.project.folder, target, engine, "base")


def test_where_no_revision_equals_it_the_nearest_is_told_with_its_differences(place: Place, database: str) -> None:
    ask(database, "CREATE TABLE a (id integer, name text, more text)")
    seen = place.detect(database)
    assert (seen.equal, seen.nearest) == ((), ("data",))
    assert [one.words() for one in seen.differences] == ["column public.a.more is only in after"]


def test_an_empty_database_is_at_base(place: Place, database: str) -> None:
    assert place.detect(database).equal == ((),)


def test_heads_that_are_not_merged_are_told_together(tmp_path: Path, scratch_admin: str, database: str) -> None:
    project = Project(tmp_path)
    project.revision("left", "CREATE TABLE l ()")
    project.revision("right", "CREATE TABLE r ()")
    ask(database, "CREATE TABLE l (); CREATE TABLE r ()")
    assert Place(project, scratch_admin).detect(database).equal == (("left", "right"),)


def test_the_second_time_no_scratch_server_is_needed(place: Place, database: str) -> None:
    ask(database, "CREATE TABLE a (id integer)")
    first = place.detect(database)
    assert place._replace(admin="postgresql+psycopg2://nobody@127.0.0.1:1/none").detect(database) == first


def test_a_refusal_names_the_differences_and_both_ways_on(place: Place, database: str) -> None:
    target, engine = place.project.target(database, place.admin), create_engine(database, poolclass=NullPool)
    differences = stamping.check_stamp(place.project.folder, target, engine, "one")
    with pytest.raises(Refused) as caught:
        stamping.refuse_unless_equal(target, "one", differences)
    assert caught.value.message.endswith("is not at one: table public.a is missing in dev; nothing was changed")
    assert caught.value.hint == (
        "inv db.stamp --detect --env=dev; or, if one is to be recorded all the same:"
        " inv db.stamp --to=one --force --env=dev"
    )
    assert stamping.forced(differences) == {"forced": True, "differences": [differences[0].to_document()]}


def test_a_stamp_of_what_the_history_does_not_have_is_a_configuration_error(place: Place, database: str) -> None:
    target, engine = place.project.target(database, place.admin), create_engine(database, poolclass=NullPool)
    with pytest.raises(ConfigurationError, match="gone"):
        stamping.check_stamp(place.project.folder, target, engine, "gone")
