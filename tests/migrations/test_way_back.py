"""Which backup is named where a revision has no way back, and what is said where there is none."""

from datetime import timedelta
from pathlib import Path

import pytest
from alembic.script.revision import Revision, RevisionMap

from app.migrations.environment_rules import Environment
from app.migrations.errors import Refused
from app.migrations.plan import PlannedStep, refuse_what_cannot_be_undone
from app.migrations.way_back import backup_before
from tests.migrations.kept_backups import PROOF, keep

TOP, LOW = PlannedStep("c3", "third"), PlannedStep("a1", "first")
BARRED = PlannedStep("b2", "second", (), "the rows are gone")
DAY = timedelta(days=1)


@pytest.fixture
def known() -> RevisionMap:
    """a1 <- b2 <- c3, a1 <- x9 <- d4, and d4 needs b2."""
    plain = [Revision(id_, parent) for id_, parent in (("a1", None), ("b2", "a1"), ("c3", "b2"), ("x9", "a1"))]
    return RevisionMap(lambda: [*plain, Revision("d4", "x9", dependencies="b2")])


def newest(folder: Path, known: RevisionMap) -> str | None:
    return backup_before(folder, Environment("prod", "", backup_dir=str(folder)), known, "b2")


def test_a_plan_that_crosses_nothing_looks_for_no_backup() -> None:
    refuse_what_cannot_be_undone([TOP, LOW], "prod", pytest.fail)
    refuse_what_cannot_be_undone([], "prod", pytest.fail)


def test_the_backup_is_named_and_what_is_lost() -> None:
    with pytest.raises(Refused) as caught:
        refuse_what_cannot_be_undone([TOP, BARRED, LOW], "prod", lambda revision: f"before_{revision}")
    assert str(caught.value) == (
        "error: b2 (second) cannot be undone: the rows are gone; going back means restoring a backup from before it, "
        "and losing what was written since; nothing was changed\n"
        "  next: inv db.restore --backup=before_b2 --env=prod"
    )


def test_of_several_revisions_all_are_named_and_the_backup_is_from_before_the_lowest() -> None:
    other = PlannedStep("c3", "third", (), "sent to the bank")
    with pytest.raises(Refused) as caught:
        refuse_what_cannot_be_undone([other, BARRED], "prod", lambda revision: f"before_{revision}")
    assert "c3 (third) cannot be undone: sent to the bank; b2 (second) cannot be undone" in caught.value.message
    assert "--backup=before_b2" in caught.value.hint


def test_without_a_backup_the_next_step_is_as_far_as_one_can_go() -> None:
    with pytest.raises(Refused) as caught:
        refuse_what_cannot_be_undone([TOP, BARRED], "prod", lambda _: None)
    assert "there is no backup of prod from before it to restore; nothing was changed" in caught.value.message
    assert caught.value.hint == "inv db.downgrade --to=b2 --env=prod, to undo only what is above it"


def test_with_nothing_above_it_the_next_step_is_to_look_for_a_backup() -> None:
    with pytest.raises(Refused) as caught:
        refuse_what_cannot_be_undone([BARRED, LOW], "prod", lambda _: None)
    assert caught.value.hint == "inv db.backups --env=prod"


def test_there_may_be_no_backup_at_all(tmp_path: Path, known: RevisionMap) -> None:
    assert newest(tmp_path, known) is None


@pytest.mark.parametrize("revisions", [("b2",), ("c3",), ("d4",), ("x9", "b2"), ("of another branch",)])
def test_a_backup_is_of_no_use(tmp_path: Path, known: RevisionMap, revisions: tuple[str, ...]) -> None:
    keep(tmp_path, revisions=revisions)
    assert newest(tmp_path, known) is None


@pytest.mark.parametrize("revisions", [(), ("a1",), ("x9",)], ids=["of an empty database", "below", "of a branch"])
def test_a_backup_from_before_the_revision_is_found(
    tmp_path: Path, known: RevisionMap, revisions: tuple[str, ...]
) -> None:
    kept = keep(tmp_path, revisions=revisions)
    assert newest(tmp_path, known) == kept.name


def test_the_newest_one_that_can_be_trusted_is_taken(tmp_path: Path, known: RevisionMap) -> None:
    keep(tmp_path, age=4 * DAY, revisions=("a1",))
    good = keep(tmp_path, age=3 * DAY, revisions=("a1",))
    keep(tmp_path, age=2 * DAY, revisions=("a1",), proof=PROOF._replace(equal=False))
    broken = keep(tmp_path, age=DAY, revisions=("a1",))
    (broken.folder / "manifest.json").write_text("{}")
    keep(tmp_path, revisions=("c3",))
    assert newest(tmp_path, known) == good.name
