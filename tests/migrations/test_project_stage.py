"""What is in sys.modules and among the variables of the process, from one stay of a project's code to the next."""

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import make_url

from app.migrations.project_barrier import Barrier
from app.migrations.project_stage import HOME, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "staged_module.py").write_text("")
    made = Stage(tmp_path)
    yield made
    made.leave()
    made.close()


def turn(stage: Stage) -> None:
    """Have the project's code run, which does nothing."""
    stage.enter()
    stage.leave()


def test_a_module_that_a_later_stay_loads_is_the_projects_and_kept(stage: Stage) -> None:
    turn(stage)
    stage.enter()
    loaded = importlib.import_module("staged_module")
    stage.leave()
    assert "staged_module" not in sys.modules
    turn(stage)
    stage.enter()
    assert sys.modules["staged_module"] is loaded


def test_a_module_that_the_project_puts_in_the_place_of_another_is_kept(stage: Stage) -> None:
    stage.enter()
    other = importlib.import_module("staged_module")
    stage.leave()
    stage.enter()
    sys.modules["staged_module"] = replaced = ModuleType("staged_module")
    replaced.__file__ = other.__file__
    stage.leave()
    stage.enter()
    assert sys.modules["staged_module"] is replaced


def test_a_module_of_ours_that_is_loaded_in_between_is_hidden_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn(stage)
    ours = ModuleType("app.fresh")
    ours.__file__ = str(HOME / "app/fresh.py")
    monkeypatch.setitem(sys.modules, "app.fresh", ours)
    stage.enter()
    assert not {name for name in sys.modules if name.partition(".")[0] == "app"}
    stage.leave()
    assert sys.modules["app.fresh"] is ours


def test_variables_that_the_project_sets_are_there_the_next_time_and_not_in_between() -> None:
    barrier = Barrier()
    for _ in range(2):
        barrier.raise_()
        barrier.lower()
    barrier.raise_()
    os.environ["STAGED"] = "é"
    barrier.lower()
    assert "STAGED" not in os.environ
    barrier.raise_()
    assert os.environ["STAGED"] == "é"
    barrier.lower()


def test_the_same_variables_lead_to_another_database_when_there_is_another() -> None:
    barrier = Barrier()
    found = []
    for name in ("one", "two"):
        with barrier.towards(make_url(f"postgresql://u@h/{name}")):
            barrier.raise_()
            found.append((os.environ["DATABASE_URL"], os.environ["PGDATABASE"]))
            barrier.lower()
    assert found == [(f"postgresql://u@h/{name}", name) for name in ("one", "two")]
