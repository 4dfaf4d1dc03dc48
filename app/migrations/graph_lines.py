"""A history as lines of a terminal: each revision below those that need it, joined by lines. Prints nothing.

Every revision has a column, and the line to a parent or a dependency keeps to one until it ends: none is ever moved,
so that it can be followed with a finger. A column that has become free is used again.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from unicodedata import combining, east_asian_width

from app.migrations.headers import Revision
from app.migrations.history import History

NODE = "●"
PLAIN = str.maketrans("●│┊─╌├┤┼┬┴╮╯╭╰", "*|:--||+.'.'.'")
"""What stands for a character of the drawing where a terminal has none of them."""
ELLIPSIS, DOTS = "…", "..."
GLYPHS = "".join(map(chr, PLAIN)) + ELLIPSIS
SOLID, DASHED = ("│", "─"), ("┊", "╌")
ENDING, BEGINNING = ("┴", "╯", "╰"), ("┬", "╮", "╭")
"""Where lines from the side end or begin: one that others go on from, the last at the right, the last at the left."""
BESIDE = 2
"""Columns of the terminal for one of the graph."""
SHORTEST = 12
"""A title is not cut to less: there a line is rather too long."""


class Line(NamedTuple):
    """One line: the drawing, and the revision that stands there with its marks; None between two revisions."""

    graph: str
    revision: str | None = None
    marks: tuple[str, ...] = ()
    title: str = ""


class _Lane(NamedTuple):
    """A line on its way down to a revision; a dependency's is dashed."""

    to: str
    dashed: bool

    @property
    def glyphs(self) -> tuple[str, str]:
        return DASHED if self.dashed else SOLID


def lines(history: History, current: Collection[str] = ()) -> Iterator[Line]:
    """Yield the lines of a history, newest first; `current` are the revisions of a database.

    Raises ValueError where the history has `cycles`.
    """
    lanes: list[_Lane | None] = []
    ended: int | None = None
    heads = set(history.heads)
    for id_ in history.order():
        at, joining = _meeting(lanes, id_, ended)
        if joining:
            yield Line(_sideways(lanes, at, joining, ENDING))
        for lane in joining:
            lanes[lane] = None
        lanes += [None] * (at + 1 - len(lanes))
        drawing = _row(lanes, {at: NODE})
        yield Line(drawing, id_, tuple(_marks(history[id_], id_ in heads, id_ in current)), title(history[id_].message))
        needed = _needed(history, id_)
        lanes[at] = needed[0] if needed else None
        ended = None if needed else at
        if len(needed) > 1:
            leaving = dict(_placed(lanes, needed[1:]))
            yield Line(_sideways(lanes, at, leaving, BEGINNING))
            for lane, each in leaving.items():
                lanes[lane] = each
        while lanes and lanes[-1] is None:
            lanes.pop()


def text(line: Line, width: int = 0, ellipsis: str = ELLIPSIS) -> tuple[str, str, str]:
    """Return the drawing, the name with its marks and the title of a line, cut to `width` columns where it has one."""
    if line.revision is None:
        return line.graph, "", ""
    name = " ".join([line.revision, *(f"({mark})" for mark in line.marks)])
    room = width - columns(line.graph) - columns(name) - 2 * BESIDE + 1
    shown = _cut(line.title, max(room, SHORTEST), ellipsis) if width else line.title
    return f"{line.graph} ", name, f"  {shown}" if shown else ""


def columns(shown: str) -> int:
    """Return how many columns of a terminal a text takes. https://www.unicode.org/reports/tr11/"""
    if shown.isascii():
        return len(shown)
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in shown)


def title(message: str) -> str:
    """Return a title without what would do something to a terminal."""
    return message if message.isprintable() else "".join(each if each.isprintable() else "?" for each in message)


def _cut(shown: str, room: int, ellipsis: str) -> str:
    if columns(shown) <= room:
        return shown
    used = kept = 0
    while (used := used + columns(shown[kept])) <= room - len(ellipsis):
        kept += 1
    return shown[:kept].rstrip() + ellipsis


def _marks(revision: Revision, is_head: bool, is_current: bool) -> Iterator[str]:
    yield from revision.labels
    if is_head:
        yield "head"
    if is_current:
        yield "current"
    if revision.irreversible:
        yield "irreversible"


def _needed(history: History, id_: str) -> list[_Lane]:
    parents = [each for each in dict.fromkeys(history[id_].parents) if each in history]
    others = [each for each in dict.fromkeys(history.needs(id_)) if each not in parents]
    return [*(_Lane(each, False) for each in parents), *(_Lane(each, True) for each in others)]


def _meeting(lanes: Sequence[_Lane | None], id_: str, ended: int | None) -> tuple[int, dict[int, _Lane]]:
    """Return the column of a revision, and the lines of other ones that end there too.

    `ended` is the column of a revision right above that needs none: below it another one would seem to be needed.
    """
    ending = {at: lane for at, lane in enumerate(lanes) if lane is not None and lane.to == id_}
    if not ending:
        return _free(lanes, ended), {}
    at = min(ending, key=lambda each: (ending[each].dashed, each))
    return at, {each: lane for each, lane in ending.items() if each != at}


def _free(lanes: Sequence[_Lane | None], but: int | None = None) -> int:
    return next(at for at in range(len(lanes) + 2) if at != but and (at >= len(lanes) or lanes[at] is None))


def _placed(lanes: list[_Lane | None], more: Iterable[_Lane]) -> Iterator[tuple[int, _Lane]]:
    """Yield a free column for each line that begins beside the first one."""
    taken = [*lanes]
    for each in more:
        at = _free(taken)
        taken[at : at + 1] = [each]
        lanes += [None] * (len(taken) - len(lanes))
        yield at, each


def _row(lanes: Sequence[_Lane | None], instead: dict[int, str]) -> str:
    cells = (instead.get(at) or (lane.glyphs[0] if lane else " ") for at, lane in enumerate(lanes))
    return (" " * (BESIDE - 1)).join(cells).rstrip()


def _sideways(lanes: Sequence[_Lane | None], at: int, ends: Mapping[int, _Lane], corners: tuple[str, str, str]) -> str:
    """Draw lines from the column `at` to those of `ends`; what they cross goes on in front of them."""
    row = [cell for lane in lanes for cell in (lane.glyphs[0] if lane else " ", *" " * (BESIDE - 1))]
    passed, right, left = corners
    for end in sorted(ends, key=lambda each: -abs(each - at)):
        for place in range(min(at, end) * BESIDE + 1, max(at, end) * BESIDE):
            if row[place] in " ─╌":
                row[place] = ends[end].glyphs[1]
        goes_on = any((each - end) * (end - at) > 0 for each in ends)
        row[end * BESIDE] = passed if goes_on else right if end > at else left
    sides = {end > at for end in ends}
    row[at * BESIDE] = "┼" if len(sides) == 2 else "├" if True in sides else "┤"
    return "".join(row).rstrip()
