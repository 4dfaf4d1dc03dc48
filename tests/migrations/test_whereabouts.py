"""What is known of the environments, as rows of a survey become it."""

from pathlib import Path

import pytest

from app.migrations import whereabouts
from app.migrations.environments import Environment
from app.migrations.headers import Revision
from app.migrations.history import History
from app.migrations.survey import NO_ADDRESS, NO_ANSWER, NOT_MADE, NOT_RUNNING, Row, Surveyor

HISTORY = History([Revision("p")])
DEV, PROD = Environment("dev", "x"), Environment("prod", "x", protected=True)


@pytest.mark.parametrize(
    ("problem", "has_server", "applied", "unknown"),
    [
        (NOT_MADE, True, frozenset(), False),
        (NOT_RUNNING, False, frozenset(), False),
        (NOT_RUNNING, True, None, True),
        (NO_ADDRESS, True, None, False),
        (NO_ANSWER, True, None, True),
        ("faulty file", True, None, True),
    ],
)
def test_a_row_that_was_not_read(problem: str, has_server: bool, applied: frozenset[str] | None, unknown: bool) -> None:
    found = whereabouts._judged(Row("dev", DEV, None, problem, "why"), HISTORY, has_server)
    assert (found.applied, found.unknown, found.protected) == (applied, unknown, False)


def test_what_has_no_readable_file_counts_as_protected() -> None:
    assert whereabouts._judged(Row("x", None, None, "faulty file", "why"), HISTORY, True).protected
    assert whereabouts._judged(Row("prod", PROD, None, NO_ANSWER, "why"), HISTORY, True).protected


def test_an_exported_url_counts_for_the_chosen_environment_alone(tmp_path: Path) -> None:
    (tmp_path / "envs").mkdir()
    for name in ("docker", "prod"):
        (tmp_path / f"envs/{name}.env").write_text("DATABASE_URL=\n")
    exported = {"DATABASE_URL": "postgresql://me@127.0.0.1:1/x"}
    found = {
        one.name: one.why for one in whereabouts.look(Surveyor(tmp_path, exported, None), "docker", HISTORY)  # type: ignore[arg-type]
    }  # fmt: skip
    assert found["prod"] == "nothing names its database here"
    assert found["docker"] == ""
