"""What each head has alone, which orders are tried, which side a database is on."""

import pytest

from app.migrations import branches
from app.migrations.branches import Share
from app.migrations.errors import ConfigurationError
from app.migrations.headers import Revision
from app.migrations.history import History

TWO = History(
    [Revision("p"), Revision("a1", ("p",)), Revision("a2", ("a1",)), Revision("b1", ("p",))]
)  # fmt: skip


def test_each_side_has_its_own_revisions_and_all_share_what_is_below() -> None:
    parts = branches.of(TWO, ("a2", "b1"))
    assert parts.common == ("p",)
    assert parts.parted_at == ("p",)
    assert [side.own for side in parts.sides] == [("a1", "a2"), ("b1",)]


def test_what_two_of_three_share_belongs_to_none_and_is_applied_once() -> None:
    history = History(
        [Revision("p"), Revision("q", ("p",)), Revision("a", ("q",)), Revision("b", ("q",)), Revision("c", ("p",))]
    )
    parts = branches.of(history, ("a", "b", "c"))
    assert parts.common == ("p",)
    assert [side.own for side in parts.sides] == [("a",), ("b",), ("c",)]
    assert branches.steps(history, parts, ("c", "b", "a")) == ("c", "q", "b", "a")
    assert branches.steps(history, parts, ("a", "b", "c")) == ("q", "a", "b", "c")


def test_histories_without_a_common_revision_part_nowhere() -> None:
    parts = branches.of(History([Revision("a"), Revision("b")]), ("a", "b"))
    assert (parts.common, parts.parted_at) == ((), ())


def test_a_side_that_the_other_depends_on_is_below_both() -> None:
    history = History([Revision("p"), Revision("a", ("p",)), Revision("b", ("p",), ("a",))])
    parts = branches.of(history, ("a", "b"))
    assert parts.common == ("p", "a")
    assert [side.own for side in parts.sides] == [(), ("b",)]
    assert branches.steps(history, parts, ("b", "a")) == ("b",)


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_each_pair_of_heads_comes_in_both_ways(count: int) -> None:
    heads = "abcdefg"[:count]
    seen = {
        (one, other) for order in branches.orders(heads) for at, one in enumerate(order) for other in order[at + 1 :]
    }
    assert seen == {(one, other) for one in heads for other in heads if one != other}


@pytest.mark.parametrize(
    ("rows", "done"),
    [((), (0, 0)), (("p",), (0, 0)), (("a1",), (1, 0)), (("a2",), (2, 0)), (("a2", "b1"), (2, 1)), (("b1",), (0, 1))],
    ids=["empty", "neither", "part of a", "all of a", "both", "all of b"],
)
def test_a_database_is_on_the_side_of_what_it_has_applied(rows: tuple[str, ...], done: tuple[int, int]) -> None:
    found = branches.shares(TWO, branches.of(TWO, ("a2", "b1")), rows)
    assert found == (Share("a2", done[0], 2), Share("b1", done[1], 1))


def test_heads_are_named_by_the_beginning_of_their_ids() -> None:
    assert branches.chosen(TWO, ["b", "a2", "b1"]) == ("b1", "a2")
    assert branches.chosen(TWO, []) == ("a2", "b1")


@pytest.mark.parametrize(
    ("names", "message", "hint"),
    [
        (["a1", "b1"], "a1 is no head, and only heads can be merged; the heads are a2, b1", "inv db.heads"),
        (["a", "b1"], "a begins several revisions: a1, a2", "inv db.history"),
        (["x", "b1"], "x is no revision of this history", "inv db.history"),
        (["b1"], "--revisions names one head, b1, and a merge joins several: a2, b1",
         "inv db.merge --revisions=a2 --revisions=b1"),
    ],
    ids=["not a head", "two begin so", "unknown", "one head"],
)  # fmt: skip
def test_what_cannot_be_merged_is_told_with_the_next_command(names: list[str], message: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        branches.chosen(TWO, names)
    assert (raised.value.message, raised.value.hint) == (f"{message}; nothing was written", hint)
