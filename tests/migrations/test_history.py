"""The graph, with Alembic's own as the judge."""

import random

import pytest
from alembic.script.revision import CycleDetected, RevisionError

from app.migrations.headers import Revision
from app.migrations.history import History
from tests.migrations.histories import Answers, grown, of_map, revision_map


def answers(history: History) -> Answers:
    return Answers(
        history.heads,
        history.bases,
        history.version_rows,
        history.branch_points,
        history.merge_points,
        history.order(),
        {each.id: history.labels(each.id) for each in history},
    )


def of(*edges: str, **more: Revision) -> History:
    """Read `b<a`, `m<a,b`, `base`."""
    pairs = (edge.partition("<") for edge in edges)
    return History(
        [*(Revision(id_, tuple(filter(None, parents.split(",")))) for id_, _, parents in pairs), *more.values()]
    )


FIXED = {
    "nothing": [],
    "one": [Revision("a")],
    "a line": [Revision("c", ("b",)), Revision("a"), Revision("b", ("a",))],
    "two heads": [Revision("a"), Revision("b", ("a",)), Revision("c", ("a",))],
    "a merge": [Revision("a"), Revision("b", ("a",)), Revision("c", ("a",)), Revision("m", ("c", "b"))],
    "a merge of a revision with its own ancestor": [Revision("a"), Revision("b", ("a",)), Revision("m", ("b", "a"))],
    "a parent named twice": [Revision("a"), Revision("b", ("a", "a"))],
    "two bases": [Revision("a", labels=("x",)), Revision("b", labels=("y",)), Revision("c", ("b",))],
    "a dependency": [Revision("a"), Revision("b"), Revision("c", ("b",), ("a",))],
    "a dependency by label": [Revision("a", labels=("x",)), Revision("b"), Revision("c", ("b",), ("x",))],
    "a dependency that an ancestor has": [Revision("a"), Revision("b", (), ("a",)), Revision("c", ("b",), ("a",))],
    "a label in the middle": [Revision("a"), Revision("b", ("a",), (), ("x",)), Revision("c", ("b",))],
}


@pytest.mark.parametrize("revisions", FIXED.values(), ids=FIXED)
def test_answers_as_alembic(revisions: list[Revision]) -> None:
    assert answers(History(revisions)) == of_map(revision_map(revisions))


@pytest.mark.parametrize("seed", range(8))
def test_answers_as_alembic_about_any_history(seed: int) -> None:
    for each in range(40):
        revisions = grown(seed * 1000 + each, 14)
        assert answers(History(revisions)) == of_map(revision_map(revisions)), revisions


def test_answers_as_alembic_about_a_long_history() -> None:
    revisions = grown(7, 400)
    assert answers(History(revisions)) == of_map(revision_map(revisions))


def test_pending_is_what_alembic_would_run() -> None:
    compared = 0
    for seed in range(500):
        revisions = grown(seed, 14)
        chance = random.Random(seed)
        ids = [each.id for each in revisions]
        current = chance.sample(ids, min(len(ids), chance.choice([0, 1, 1, 2])))
        to = chance.choice([None, (chance.choice(ids),)])
        known = revision_map(revisions)
        try:
            steps = [
                each.revision for each in known.iterate_revisions(to or "heads", tuple(current), implicit_base=True)
            ]
        except RevisionError:  # rows that lie above each other
            continue
        compared += 1
        assert History(revisions).pending(current, to) == tuple(reversed(steps)), revisions
    assert compared > 300


def test_pending_refuses_a_revision_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="gone"):
        of("a").pending(["gone"])
    with pytest.raises(KeyError, match="gone"):
        of("a").pending([], ["gone"])


def test_a_whole_history_has_no_findings() -> None:
    history = of("a", "b<a", "c<a", "m<b,c")
    assert (history.missing, history.duplicates, history.cycles, history.clashes, history.unreachable) == ((),) * 5


def test_a_missing_parent_is_named_with_who_names_it() -> None:
    history = of("a", "c<b", "d<c")
    assert history.missing == ((history["c"], "b"),)
    assert history.unreachable == ("c", "d")
    with pytest.warns(UserWarning, match="not present"), pytest.raises(KeyError):
        of_map(revision_map(history.files))


def test_a_parent_is_named_in_full() -> None:
    history = of("abcdef012345", "b<abcdef")
    assert history.missing == ((history["b"], "abcdef"),)
    with pytest.warns(UserWarning, match="not present"), pytest.raises(KeyError):
        of_map(revision_map(history.files))


def test_a_label_is_no_parent_but_can_be_depended_on() -> None:
    labelled = Revision("a", labels=("x",))
    assert History([labelled, Revision("b", (), ("x",))]).missing == ()
    history = History([labelled, Revision("b", ("x",))])
    assert history.missing == ((history["b"], "x"),)
    with pytest.raises(KeyError):
        of_map(revision_map(history.files))


def test_a_missing_dependency_is_missing() -> None:
    history = History([Revision("a", (), ("gone",))])
    assert history.missing == ((history["a"], "gone"),)
    with pytest.raises(KeyError):
        of_map(revision_map(history.files))


def test_revisions_with_one_id_are_named_together() -> None:
    one, other = Revision("a", path="1.py"), Revision("a", path="2.py")
    history = History([one, Revision("b", ("a",)), other])
    assert history.duplicates == ((one, other),)
    assert history["a"] == other
    with pytest.warns(UserWarning, match="present more than once"):
        _ = revision_map(history.files)._revision_map


def test_both_of_two_duplicates_are_searched_for_missing_parents() -> None:
    first = Revision("a", ("gone",), path="1.py")
    assert History([first, Revision("a", path="2.py")]).missing == ((first, "gone"),)


CYCLES = {
    "of two": (of("a<b", "b<a"), {"a", "b"}),
    "of itself": (of("a<a"), {"a"}),
    "above a base": (of("base", "a<base,c", "b<a", "c<b", "head<c"), {"a", "b", "c"}),
    "below a head": (of("a<b", "b<a", "head<b"), {"a", "b"}),
    "by a dependency": (of("a", more=Revision("b", ("a",), ("c",)), other=Revision("c", ("b",))), {"b", "c"}),
}


@pytest.mark.parametrize(("history", "ids"), CYCLES.values(), ids=CYCLES)
def test_a_circle_is_named_from_child_to_parent(history: History, ids: set[str]) -> None:
    (cycle,) = history.cycles
    assert set(cycle) == ids
    for child, parent in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
        assert parent in history[child].parents + history[child].depends_on
    with pytest.raises(ValueError, match="circle"):
        history.order()
    with pytest.raises(ValueError, match="circle"):
        history.pending([])
    _ = [history.labels(each.id) for each in history]


@pytest.mark.parametrize("name", sorted(set(CYCLES) - {"above a base"}))
def test_alembic_refuses_the_circle_too(name: str) -> None:
    with pytest.raises(CycleDetected):
        of_map(revision_map(CYCLES[name][0].files))


def test_two_circles_are_two_findings() -> None:
    assert {frozenset(cycle) for cycle in of("a<b", "b<a", "x<y", "y<x").cycles} == {frozenset("ab"), frozenset("xy")}


def test_a_label_is_used_once() -> None:
    history = History([Revision("a", labels=("x",)), Revision("b", labels=("x", "a"))])
    assert history.clashes == (("x", history["b"]), ("a", history["b"]))
    with pytest.raises(RevisionError, match="already"):
        of_map(revision_map(history.files))


def test_heads_part_at_the_last_revision_that_both_have_below() -> None:
    history = of("a", "b<a", "c<b", "d<b", "e<d")
    assert history.parted_at(["c", "e"]) == ("b",)
    assert history.parted_at(["b", "e"]) == ("b",)
    assert history.parted_at(history.heads) == ("b",)


def test_heads_on_bases_of_their_own_never_parted() -> None:
    assert of("a", "x").parted_at(["a", "x"]) == ()
    assert of("a").parted_at([]) == ()


def test_crossed_merges_part_in_two_places() -> None:
    assert of("a", "b<a", "c<a", "x<b,c", "y<c,b").parted_at(["x", "y"]) == ("b", "c")


def test_ancestors_and_descendants_hold_the_revision_itself() -> None:
    history = History([Revision("a"), Revision("b", ("a",)), Revision("x"), Revision("y", ("x",), ("b",))])
    assert history.ancestors(["y"]) == {"a", "b", "x", "y"}
    assert history.ancestors(["y"], dependencies=False) == {"x", "y"}
    assert history.descendants(["a"]) == {"a", "b", "y"}
    assert history.descendants(["a"], dependencies=False) == {"a", "b"}
    assert history.ancestors(["unknown"]) == set()


def test_five_thousand_revisions_take_no_recursion() -> None:
    revisions = [Revision(f"{number:05}", (f"{number - 1:05}",) if number else ()) for number in range(5000)]
    random.Random(1).shuffle(revisions)
    history = History(revisions)
    assert history.order() == tuple(f"{number:05}" for number in reversed(range(5000)))
    assert (history.unreachable, history.cycles) == ((), ())
    circle = History(each._replace(parents=each.parents or ("04999",)) for each in revisions)
    assert [len(cycle) for cycle in circle.cycles] == [5000]
