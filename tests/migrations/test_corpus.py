"""Every bad revision of the corpus is found, named and charged; of the good ones nothing is said."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.migrations import project, roundtrip
from tests.migrations import corpus
from tests.migrations.corpus import Case, Expected

EVERYDAY = {
    "bad/crash_one_later",
    "bad/default_lost",
    "bad/downgrade_does_nothing",
    "bad/enum_left_behind",
    "bad/fails_on_rows_alone",
    "bad/failing_upgrade",
    "bad/half_done_in_autocommit",
    "bad/not_null_column_on_rows",
    "bad/role_left_behind",
    "bad/two_defects",
    "bad/unique_over_duplicates_down",
    "bad/works_once_seeded_row",
    "good/column_order",
    "good/commit_before_autocommit",
    "good/depends_on",
    "good/irreversible_in_the_middle",
    "good/merge_of_three",
    "good/renamed_there_and_back",
    "lossy/column_dropped",
    "lossy/values_overwritten",
}
"""The cases that run every day; the others run with --slow."""


def chosen(*kinds: str) -> list[object]:
    """The cases of these kinds, as parameters."""
    return [
        pytest.param(case, id=case.id, marks=() if case.name in EVERYDAY else pytest.mark.slow)
        for kind in kinds
        for case in corpus.cases(kind)
    ]


def judged(case: Case, folder: Path, admin: str) -> list[Expected]:
    """What the roundtrip says of the revisions of a case, in the words of the corpus."""
    with project.open_project(case.write(folder / "project")) as opened:
        report: Any = roundtrip.check(opened, admin, roundtrip.Settings(rows=20)).document()
    assert [one["revision"] for one in report["revisions"] if not corpus.is_spoken(one)] == []
    assert case.name.startswith("bad/") or [way for way in report["ways"] if way["failed"]] == []
    said = {one["revision"]: corpus.said(one) for one in report["revisions"]}
    given = said.pop("given")
    assert given.result == "ok", given
    assert said.keys() == {one.revision for one in case.expected}
    return [said[one.revision] for one in case.expected]


def unlike(case: Case, found: list[Expected]) -> dict[str, tuple[object, object]]:
    """What was found of a case and not expected, by revision and field: what was expected, and what came."""
    return {
        f"{expected.revision}: {name}": (wanted, came)
        for expected, seen in zip(case.expected, found, strict=True)
        for name, wanted, came in zip(expected._fields, expected, relevant(expected, seen), strict=True)
        if wanted != came
    }


def relevant(expected: Expected, found: Expected) -> Expected:
    """What was found, less what the case does not speak of: the rest of an error, a line not marked, what is lost."""
    error = expected.error if expected.error and expected.error in (found.error or "") else found.error
    if expected.error is None and (expected.found or expected.result in {"irreversible", "skipped"}):
        error = None
    return found._replace(
        error=error,
        line=found.line if expected.line else None,
        lost=found.lost if expected.lost else (),
        order_only=found.order_only if expected.order_only or expected.result == "ok" else False,
    )


@pytest.mark.parametrize("case", chosen("bad"))
def test_a_bad_revision_is_found_and_charged(case: Case, tmp_path: Path, scratch_admin: str) -> None:
    assert unlike(case, judged(case, tmp_path, scratch_admin)) == {}


@pytest.mark.parametrize("case", chosen("good", "lossy"))
def test_of_a_good_revision_nothing_is_said_but_what_it_loses(case: Case, tmp_path: Path, scratch_admin: str) -> None:
    assert unlike(case, judged(case, tmp_path, scratch_admin)) == {}


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(corpus.cases("bad")) >= 100
    assert len(corpus.cases("good")) >= 50
    assert len(corpus.cases("lossy")) >= 10


@pytest.mark.parametrize("kind", corpus.KINDS)
def test_every_case_says_what_has_to_be_found_of_it(kind: str) -> None:
    for case in corpus.cases(kind):
        wrong = [one for one in case.expected if one.result == "failed" or (one.result, one.error) == ("skipped", None)]
        assert bool(wrong) == (kind == "bad"), case.name
        assert all(one.found or one.error for one in case.expected if one.result == "failed"), case.name


def test_no_revision_of_the_corpus_has_an_id_that_alembic_could_not_store() -> None:
    for kind in corpus.KINDS:
        for case in corpus.cases(kind):
            assert [one.revision for one in case.expected if not re.fullmatch(r"\w{1,32}", one.revision)] == []


def test_the_cases_of_every_day_are_in_the_corpus() -> None:
    assert {case.name for kind in corpus.KINDS for case in corpus.cases(kind)} >= EVERYDAY
