"""Lock modes, as "Table-Level Locks" of the manual has them."""

import pytest

from app.migrations.lock_modes import MODES, conflict, covers, strength


def test_lock_modes_exclude_each_other_as_the_manual_says() -> None:
    for one in MODES:
        assert conflict(one, "AccessExclusiveLock")
        assert [conflict(one, other) for other in MODES] == [conflict(o, one) for o in MODES]
    assert not conflict("RowExclusiveLock", "RowExclusiveLock")
    assert not conflict("ShareLock", "ShareLock")
    assert conflict("ShareUpdateExclusiveLock", "ShareUpdateExclusiveLock")
    assert not conflict("ShareUpdateExclusiveLock", "RowExclusiveLock")
    assert not conflict("AccessShareLock", "ExclusiveLock")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("ShareLock", "ShareLock", True),
        ("AccessExclusiveLock", "ExclusiveLock", True),
        ("ShareRowExclusiveLock", "ShareLock", True),
        ("ShareRowExclusiveLock", "ShareUpdateExclusiveLock", True),
        ("ShareLock", "ShareUpdateExclusiveLock", False),
        ("ShareUpdateExclusiveLock", "ShareLock", False),
        ("ShareUpdateExclusiveLock", "RowExclusiveLock", True),
        ("ShareLock", "RowExclusiveLock", False),
        ("SIReadLock", "AccessShareLock", False),
    ],
)
def test_a_mode_covers_another_when_it_keeps_away_all_that_the_other_does(one: str, other: str, expected: bool) -> None:
    assert covers(one, other) is expected


def test_the_strongest_mode_comes_last_and_what_is_none_is_below_all() -> None:
    assert max(MODES, key=strength) == "AccessExclusiveLock"
    assert strength("SIReadLock") < strength("AccessShareLock")
