"""The drawing of a history, read back from its characters: what is joined there is what the revisions say."""

import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.migrations.graph_lines import BESIDE, GLYPHS, NODE, PLAIN, Line, columns, lines, text
from app.migrations.headers import Revision
from app.migrations.history import History
from tests.migrations.histories import grown

DOWN, ENDING = "│┊├┤┼┬╮╭", "┴╯╰"
UPWARDS = "│┊├┤┼┴╯╰"


def drawn(history: History, *current: str, width: int = 0) -> str:
    return "\n".join("".join(text(line, width)) for line in lines(history, current))


def read_back(drawing: Sequence[Line]) -> Iterator[tuple[str, str]]:
    """Follow each line down from each revision and yield where it leads: (the upper one, the lower one)."""
    for number, line in enumerate(drawing):
        if line.revision is not None:
            at = line.graph.index(NODE)
            for lower in followed(drawing, number + 1, at):
                yield line.revision, lower


def followed(drawing: Sequence[Line], number: int, at: int) -> Iterator[str]:
    if number == len(drawing):
        return
    line = drawing[number]
    here = line.graph[at : at + 1] or " "
    if here == NODE and line.revision is not None:
        yield line.revision
        return
    if here not in UPWARDS:
        return
    if here in ENDING:  # it goes to the side, to where all that end here meet
        (meeting,) = [place for place, each in enumerate(line.graph) if each in "├┤┼"]
        assert crossed(line.graph, at, meeting)
        yield from followed(drawing, number + 1, meeting)
        return
    yield from followed(drawing, number + 1, at)
    if here in "├┤┼":
        for place, each in enumerate(line.graph):
            if each in "┬╮╭" and place != at:
                assert crossed(line.graph, place, at)
                yield from followed(drawing, number + 1, place)


def crossed(graph: str, one: int, other: int) -> bool:
    """Tell whether a line goes all the way: between columns nothing else is, and in columns other lines may be."""
    low, high = min(one, other), max(one, other)
    return all(graph[place] in ("─╌" if place % BESIDE else "─╌│┊┬┴") for place in range(low + 1, high))


def edges(history: History) -> list[tuple[str, str]]:
    return sorted({(each.id, below) for each in history for below in history.needs(each.id)})


@given(st.integers(0, 2**32), st.integers(1, 60))
@settings(max_examples=120, deadline=None)
def test_every_revision_and_every_edge_is_drawn_once(seed: int, size: int) -> None:
    history = History(grown(seed, size))
    drawing = list(lines(history))
    assert [line.revision for line in drawing if line.revision] == list(history.order())
    assert sorted(read_back(drawing)) == edges(history)
    assert all(set(line.graph) <= {*GLYPHS, " "} for line in drawing)
    assert all(line.graph == line.graph.rstrip() for line in drawing)
    assert all(line.graph.count(NODE) == (line.revision is not None) for line in drawing)


def test_a_line_of_revisions_stays_plain() -> None:
    history = History([Revision("a", message="first"), Revision("b", ("a",)), Revision("c", ("b",), message="third")])
    assert drawn(history, "b") == "● c (head)  third\n● b (current)\n● a  first"


def test_branches_merges_and_dependencies_are_columns() -> None:
    history = History(
        [
            Revision("a", irreversible="it is gone"),
            Revision("b", ("a",), labels=("billing",)),
            Revision("c", ("a",)),
            Revision("m", ("b", "c")),
            Revision("other"),
            Revision("n", ("m",), ("other",)),
        ]
    )
    expected = """\
● n (head)
├╌╮
● ┊ m
├─┊─╮
● ┊ │ b (billing)
│ ┊ ● c
│ ● │ other (head)
├───╯
● a (irreversible)"""
    assert drawn(history) == expected
    assert drawn(history).translate(PLAIN).splitlines()[:4] == ["* n (head)", "|-.", "* : m", "|-:-."]


def test_only_the_line_to_a_dependency_is_dashed() -> None:
    history = History([Revision("a"), Revision("b"), Revision("c"), Revision("m", ("a", "b"), ("c",))])
    assert drawn(history).splitlines()[:2] == ["● m (head)", "├─┬╌╮"]


def test_a_revision_below_one_that_needs_none_stands_apart() -> None:
    assert drawn(History([Revision("a"), Revision("b"), Revision("c")])) == "● a (head)\n  ● b (head)\n● c (head)"


def test_what_cannot_be_drawn_on_every_terminal_has_a_plain_character() -> None:
    assert "".join(map(chr, PLAIN)).isascii() is False
    assert drawn(History(grown(5, 60))).translate(PLAIN).isascii()


@pytest.mark.parametrize("title", ["a" * 200, "é" * 200, "表" * 200, "e\u0301" * 200, "fits"])
@pytest.mark.parametrize("width", [40, 80])
def test_a_title_is_cut_to_the_width_of_the_terminal(title: str, width: int) -> None:
    history = History([Revision("0123456789ab", message=title)])
    (line,) = drawn(history, width=width).splitlines()
    assert width - 2 <= columns(line) <= width or title == "fits"
    assert line.endswith("…") or title == "fits"
    assert drawn(history).endswith(title)


def test_a_title_cannot_move_the_cursor() -> None:
    assert drawn(History([Revision("a", message="x\x1b[2Jy\u202ez")])) == "● a (head)  x?[2Jy?z"


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        list(lines(History([Revision("a", ("b",)), Revision("b", ("a",))])))


def test_five_thousand_revisions_take_a_moment() -> None:
    history = History(
        [Revision("r0"), *(Revision(f"r{each}", (f"r{each - 1}",), message="x" * 90) for each in range(1, 5000))]
    )
    began = time.process_time()
    assert len(drawn(history, width=80).splitlines()) == 5000
    assert time.process_time() - began < 0.8
