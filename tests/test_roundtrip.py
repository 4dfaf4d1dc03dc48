"""The revisions of this repository, each up, down and up again on tables with rows: one test for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.migrations import history_files, roundtrip
from app.migrations.project import open_project
from app.migrations.roundtrip import Report, Result

ROOT = Path(__file__).resolve().parents[1]
REVISIONS = [revision.id for revision in history_files.read(str(ROOT)).history]


@pytest.fixture(scope="module")
def report(scratch_admin: str) -> Iterator[Report]:
    with open_project(ROOT) as project:
        yield roundtrip.check(project, scratch_admin)


@pytest.mark.parametrize("revision", REVISIONS)
def test_goes_up_down_and_up_again(report: Report, revision: str) -> None:
    (outcome,) = [one for one in report.revisions if one.revision == revision]
    assert outcome.result in {Result.OK, Result.IRREVERSIBLE}, outcome.error or [
        one.message for one in outcome.findings
    ]


def test_the_whole_way_up_and_down_is_that_of_the_single_steps(report: Report) -> None:
    assert [(way.stopped, way.differences) for way in report.ways if way.failed or way.differences] == []


def test_the_models_are_those_of_the_head(report: Report) -> None:
    assert not report.models
