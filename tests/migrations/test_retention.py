"""What is deleted, and what never is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.migrations.retention import YOUNG, Backup, Policy, Verdict, decide

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def backup(name: str, days: float, usable: bool = True, proven: bool = False, empty: bool = False) -> Backup:
    return Backup(name, NOW - timedelta(days=days), usable, proven, empty)


def deleted(verdicts: Sequence[Verdict]) -> list[str]:
    return [verdict.name for verdict in verdicts if verdict.deleted]


KEPT = {
    "none": ([], 1),
    "as many as are kept": ([backup("a", 9), backup("b", 8)], 2),
    "the last proven one, however old": ([backup("a", 900, proven=True), backup("b", 8), backup("c", 7)], 2),
    "the last one with rows, however old": (
        [backup("a", 900), backup("b", 8, proven=True, empty=True), backup("c", 7, empty=True)],
        2,
    ),
    "younger than a day": ([backup("a", 0.9), backup("b", 0.5), backup("c", 0.1)], 1),
    "from a clock that went wrong": ([backup("a", -3), backup("b", -4)], 1),
    "an unusable one that is newer than what would replace it": (
        [backup("a", 9), backup("b", 8, usable=False), backup("c", 7)],
        2,
    ),
    "the last usable one, under heaps of unusable ones": (
        [backup("a", 90), *(backup(str(days), days, usable=False) for days in range(2, 50))],
        1,
    ),
}


@pytest.mark.parametrize(("backups", "keep"), KEPT.values(), ids=KEPT.keys())
def test_nothing_goes(backups: list[Backup], keep: int) -> None:
    assert deleted(decide(backups, [], Policy(keep, NOW))) == []


def test_the_oldest_go_and_the_reasons_are_said() -> None:
    backups = [
        backup("new", 2),
        backup("newest", 0.5),
        backup("proven", 40, proven=True),
        backup("proven before", 50, proven=True),
        backup("broken", 60, usable=False),
    ]
    assert decide(backups, ["killed.partial"], Policy(1, NOW)) == [
        Verdict("newest", False, "the newest"),
        Verdict("new", True, "there is 1 newer one"),
        Verdict("proven", False, "the last proven one"),
        Verdict("proven before", True, "there is 1 newer one"),
        Verdict("broken", True, "not usable, and there is 1 newer one"),
        Verdict("killed.partial", True, "left half-made by a command that was killed"),
    ]


def test_a_proof_does_not_count_where_the_backup_is_not_usable() -> None:
    backups = [backup("a", 9, proven=True), backup("b", 8, proven=True, usable=False), backup("c", 7)]
    assert deleted(decide(backups, [], Policy(1, NOW))) == ["b"]


def test_the_young_go_with_consent() -> None:
    assert deleted(decide([backup("a", 0.9), backup("b", 0.5)], [], Policy(1, NOW, young_too=True))) == ["a"]


def test_keeping_none_is_a_bug() -> None:
    with pytest.raises(ValueError, match="at least one"):
        decide([], [], Policy(0, NOW))


BACKUPS = st.lists(
    st.builds(
        Backup,
        st.text("abcdef", min_size=1, max_size=4),
        st.integers(-200, 2000).map(lambda hours: NOW - timedelta(hours=hours)),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=25,
    unique_by=lambda one: one.name,
)
KEEP = st.integers(1, 6)


@given(BACKUPS, KEEP, st.booleans())
def test_what_holds_for_any_backups(backups: list[Backup], keep: int, young_too: bool) -> None:
    verdicts = decide(backups, [], Policy(keep, NOW, young_too))
    gone = set(deleted(verdicts))
    newest = sorted((one for one in backups if one.usable), key=lambda one: (one.started, one.name), reverse=True)

    assert sorted(verdict.name for verdict in verdicts) == sorted(one.name for one in backups)
    assert gone.isdisjoint(one.name for one in newest[:keep])
    assert gone.isdisjoint([one.name for one in newest if one.proven][:1])
    assert gone.isdisjoint([one.name for one in newest if not one.empty][:1])
    assert not gone or len(newest) >= keep
    if not young_too:
        assert gone.isdisjoint(one.name for one in backups if NOW - one.started < YOUNG)
    else:
        assert len([one for one in newest if one.name not in gone]) <= keep + 2


@given(BACKUPS, KEEP, st.booleans())
def test_deciding_again_about_what_is_left_deletes_nothing(backups: list[Backup], keep: int, young_too: bool) -> None:
    gone = set(deleted(decide(backups, [], Policy(keep, NOW, young_too))))
    left = [one for one in backups if one.name not in gone]
    assert deleted(decide(left, [], Policy(keep, NOW, young_too))) == []


@given(BACKUPS, KEEP, st.booleans())
def test_the_order_in_which_they_are_listed_says_nothing(backups: list[Backup], keep: int, young_too: bool) -> None:
    assert decide(backups, [], Policy(keep, NOW, young_too)) == decide(backups[::-1], [], Policy(keep, NOW, young_too))


@given(BACKUPS, KEEP, st.booleans())
def test_keeping_more_deletes_nothing_else(backups: list[Backup], keep: int, young_too: bool) -> None:
    more, fewer = (set(deleted(decide(backups, [], Policy(n, NOW, young_too)))) for n in (keep + 1, keep))
    assert more <= fewer
