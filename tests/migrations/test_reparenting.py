"""Which revisions move, and which parents they get: decided on values alone."""

import pytest

from app.migrations import reparenting
from app.migrations.errors import Refused
from app.migrations.headers import Revision
from app.migrations.history import History

P, M1, M2 = Revision("p"), Revision("m1", ("p",)), Revision("m2", ("m1",))
F1, F2 = Revision("f1", ("p",)), Revision("f2", ("f1",))
PUBLISHED = {"p", "m1", "m2"}


def moved(*revisions: Revision, published: set[str] = PUBLISHED, onto: str = "m2") -> reparenting.Reparenting:
    return reparenting.plan(History(revisions), published, onto)


def edits(found: reparenting.Reparenting) -> dict[str, tuple[str, ...]]:
    return {edit.id: edit.after for edit in found.edits}


def refusal(*revisions: Revision, published: set[str] = PUBLISHED, onto: str = "m2") -> tuple[str, str]:
    with pytest.raises(Refused) as raised:
        moved(*revisions, published=published, onto=onto)
    return raised.value.message, raised.value.hint


def test_of_a_chain_the_lowest_alone_gets_another_parent() -> None:
    found = moved(P, M1, M2, F1, F2)
    assert (found.moved, found.roots, found.head) == (("f1", "f2"), ("f1",), "f2")
    assert edits(found) == {"f1": ("m2",)}
    assert reparenting.after(History([P, M1, M2, F1, F2]), found).heads == ("f2",)


def test_what_stands_there_already_is_not_edited() -> None:
    assert moved(P, M1, M2, Revision("f1", ("m2",))).edits == ()
    assert moved(P, M1, M2).moved == ()


def test_a_branch_inside_the_branch_that_was_merged_again_moves_as_a_whole() -> None:
    inside = Revision("g", ("f1",)), Revision("x", ("f2", "g"))
    found = moved(P, M1, M2, F1, F2, *inside)
    assert edits(found) == {"f1": ("m2",)}
    assert found.head == "x"


def test_two_roots_that_a_merge_joins_both_get_the_parent() -> None:
    found = moved(P, M1, M2, F1, Revision("g", ("p",)), Revision("x", ("f1", "g")))
    assert edits(found) == {"f1": ("m2",), "g": ("m2",)}
    assert set(found.roots) == {"f1", "g"}


def test_a_merge_with_what_it_moves_onto_keeps_the_branch_alone() -> None:
    found = moved(P, M1, M2, F1, Revision("x", ("f1", "m1")))
    assert edits(found) == {"f1": ("m2",), "x": ("f1",)}
    assert reparenting.after(History([P, M1, M2, F1, Revision("x", ("f1", "m1"))]), found).heads == ("x",)


def test_a_merge_of_two_published_revisions_gets_one_parent() -> None:
    other = Revision("n", ("p",))
    found = moved(
        P, M1, other, Revision("m2", ("m1", "n")), Revision("x", ("m1", "n")), published={*PUBLISHED, "n"}
    )  # fmt: skip
    assert edits(found) == {"x": ("m2",)}


def test_a_first_revision_of_its_own_comes_after_the_other() -> None:
    assert edits(moved(P, M1, M2, Revision("f1"))) == {"f1": ("m2",)}


def test_a_dependency_on_the_other_side_stays() -> None:
    found = moved(P, M1, M2, Revision("f1", ("p",), ("m1",)))
    assert edits(found) == {"f1": ("m2",)}
    assert reparenting.after(History([P, M1, M2, Revision("f1", ("p",), ("m1",))]), found)["f1"].depends_on == ("m1",)


def test_databases_go_down_by_the_branch_alone() -> None:
    history = History([P, M1, M2, F1, F2])
    assert moved(P, M1, M2, F1, F2).ways_down(history, {"p", "f1"}) == ["f1@p"]
    assert moved(P, M1, M2, F1, F2).ways_down(history, {"p", "m1"}) == []
    alone = History([P, M1, M2, Revision("f1")])
    assert moved(*alone).ways_down(alone, {"f1"}) == ["f1@base"]
    two = History([P, M1, M2, F1, Revision("g", ("p",)), Revision("x", ("f1", "g"))])
    assert sorted(moved(*two).ways_down(two, {"p", "f1", "g", "x"})) == ["f1@p", "g@p"]


@pytest.mark.parametrize(
    ("revisions", "published", "message", "hint"),
    [
        (
            (P, M1, Revision("m2", ("m1",), ("f1",)), F1),
            PUBLISHED,
            "m2 depends on f1, which is not published and would have to move onto it",
            "inv db.merge",
        ),
        (
            (P, M1, M2, F1, Revision("g", ("f1",))),
            {*PUBLISHED, "g"},
            "g stands on f1, and is published: it cannot move",
            "inv db.merge",
        ),
        (
            (P, M1, M2, F1, Revision("g", ("p",))),
            PUBLISHED,
            "this branch has 2 heads of its own, f1, g, and one is to be left",
            "inv db.rebase --onto=f1 && inv db.rebase",
        ),
        (
            (P, M1, M2, Revision("n", ("p",)), Revision("f1", ("n",))),
            {*PUBLISHED, "n"},
            "f1 stands on n, which is not below m2, and may need it there",
            "inv db.merge",
        ),
        (
            (P, M1, M2, Revision("f1", (), (), ("reports",))),
            PUBLISHED,
            "f1 begins the branch reports, which stands alone on purpose",
            "inv db.merge",
        ),
    ],
    ids=["the other depends on it", "published above it", "two heads of its own", "another branch below", "a label"],
)
def test_a_branch_that_cannot_move_is_refused_with_the_reason(
    revisions: tuple[Revision, ...], published: set[str], message: str, hint: str
) -> None:
    assert refusal(*revisions, published=published) == (f"{message}; nothing was changed", hint)


def test_the_published_head_is_the_one_to_stand_on() -> None:
    assert reparenting.choose(History([P, M1, F1]), {"p", "m1"}) == "m1"
    assert reparenting.choose(History([P, M1, F1]), {"p"}, merging={"p", "f1"}) == "f1"
    assert reparenting.choose(History([P, M1, F1]), {"p", "m1"}, merging={"p", "f1"}) == "m1"


def test_where_git_does_not_say_which_it_is_refused() -> None:
    with pytest.raises(Refused) as raised:
        reparenting.choose(History([P, M1, F1]), {"p"})
    assert str(raised.value) == (
        "error: none of the heads is published, so that git does not say which one the others go onto: m1, f1;"
        " nothing was changed\n  next: inv db.rebase --onto=m1, or --onto=f1; or inv db.merge"
    )
    with pytest.raises(Refused) as raised:
        reparenting.choose(History([P, M1, F1]), {"p", "m1", "f1"})
    assert raised.value.message.startswith("several heads are published")
    assert raised.value.hint == "inv db.merge"
