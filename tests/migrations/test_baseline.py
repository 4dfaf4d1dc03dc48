"""Accepted drift: the file, and what it can and cannot accept. No database."""

import json
from pathlib import Path

import pytest

from app.migrations import baseline
from app.migrations.catalog import Difference
from app.migrations.errors import ConfigurationError
from app.migrations.verification import Check, Problem, Report

VIEW = Problem(Check.SCHEMA, "view v is only in dev", "", Difference("view", "v", None, None, "SELECT 1"))
TABLE = Problem(Check.SCHEMA, "table t is missing in dev", "", Difference("table", "t", None, "present", None))
MODEL = Problem(Check.MODELS, "models and history disagree: x", "")
BEHIND = Problem(Check.AT_HEAD, "1 revision pending", "inv db.upgrade")


def report(*problems: Problem) -> Report:
    return Report(problems, (), ("one",), "PostgreSQL 18")


def test_what_was_written_is_accepted_under_any_name_of_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    assert baseline.write(report(VIEW, TABLE, MODEL), path) == 3
    renamed = VIEW._replace(words="view v is only in prod")
    found = baseline.applied(report(renamed, TABLE, MODEL), path)
    assert (found.problems, found.accepted, found.notes) == ((), 3, ())


def test_another_value_is_new_drift_and_the_entry_is_told(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    baseline.write(report(VIEW), path)
    assert VIEW.difference is not None
    changed = VIEW._replace(difference=VIEW.difference._replace(after="SELECT 2"))
    found = baseline.applied(report(changed), path)
    assert found.problems == (changed,)
    assert found.notes == ("b.json accepts what is no longer so: view v is only in dev",)


def test_that_it_is_behind_cannot_be_accepted(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    assert baseline.write(report(BEHIND, VIEW), path) == 1
    assert baseline.applied(report(BEHIND, VIEW), path).problems == (BEHIND,)


def test_the_file_does_not_depend_on_the_order_of_what_is_found(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    baseline.write(report(VIEW, MODEL, TABLE), first)
    baseline.write(report(TABLE, VIEW, MODEL), second)
    assert first.read_bytes() == second.read_bytes()
    assert [entry["check"] for entry in json.loads(first.read_text())["accepted"]] == ["models", "schema", "schema"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read: No such file"),
        ("{", "is not JSON"),
        ("[]", "is no baseline"),
        ('{"format": 2, "accepted": []}', "is no baseline"),
        ('{"format": 1, "accepted": [{"kind": "view"}]}', "has an entry that is none"),
    ],
    ids=["missing", "cut", "a list", "of another format", "of another shape"],
)
def test_a_file_that_is_no_baseline_is_a_configuration_error(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "b.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        baseline.load(path)
