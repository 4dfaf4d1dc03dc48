"""The page of a history, built on a real server."""

from pathlib import Path

import pytest

from app.migrations import diagram, server
from app.migrations.errors import ConfigurationError
from tests.migrations.projects import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_several_heads_are_drawn_together_and_the_second_time_out_of_the_cache(
    project: Project, scratch_admin: str
) -> None:
    project.revision("a", "CREATE TABLE a (id int PRIMARY KEY)")
    project.revision("b", "CREATE TABLE b (id int REFERENCES a)", parents="a")
    project.revision("c", "CREATE SCHEMA s", "CREATE TABLE s.c (id int)", parents="a")
    said: list[str] = []
    text = diagram.draw(project.folder, scratch_admin, say=said.append)
    assert len(said) == 1
    lines = text.splitlines()
    assert {'    s_c["s.c"] {', '    a |o..o{ b : "id"', "    r_a --> r_b", "    r_a --> r_c"} <= set(lines)
    assert diagram.draw(project.folder, "postgresql://nobody@127.0.0.1:1/none", say=said.append) == text
    assert len(said) == 1


def test_a_circle_is_refused_before_anything_is_built(project: Project) -> None:
    project.revision("one", parents="two")
    project.revision("two", parents="one")
    with pytest.raises(ConfigurationError, match="one -> two are each other's ancestors"):
        diagram.draw(project.folder)
    assert not list((project.folder / server.FOLDER).iterdir())


def test_a_history_that_does_not_run_is_told(project: Project, scratch_admin: str) -> None:
    project.revision("a", "CREATE TABLE a (id no_such_type)")
    with pytest.raises(ConfigurationError, match="does not run"):
        diagram.draw(project.folder, scratch_admin)
