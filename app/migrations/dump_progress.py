"""How far pg_dump and pg_restore are, told by what they say with --verbose. Decides on lines; runs nothing.

What is known beforehand is the size of each table's data; that of an index is not, so that all indexes and
constraints together count for a share of the data. Workers write to one stderr in pieces, so that a line may hold a
part of another one, or be lost: `finished` makes good for that.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

INDEX_SHARE = 0.5
INDEX_KINDS = ("INDEX ", "CONSTRAINT ", "FK CONSTRAINT ", "MATERIALIZED VIEW DATA ")

_DUMPING = re.compile(r'dumping contents of table "(?P<label>.+)"$')
_FINISHED = re.compile(r"finished item (?P<id>\d+) (?P<what>.+)$")
_STARTED = re.compile(r"(?:processing|launching) item \d+ (?P<what>.+)$")
_ALONE = re.compile(r'(?:(?P<data>processing data for table)|creating (?P<kind>[A-Z ]+)) "(?P<label>.+)"$')
_TOC_LINE = re.compile(r"(?P<id>\d+); \d+ \d+ (?P<what>.+)$")
_FILE = re.compile(r"dump/(?P<id>\d+)\.dat\b")


class Progress(NamedTuple):
    """How much is done of how much, in one unit, and what is at work, for people."""

    done: int
    total: int
    doing: str


class Sized(NamedTuple):
    """A table as pg_dump's lines name it, `schema.table` without quotes, and the bytes of its data."""

    label: str
    bytes: int


class Item(NamedTuple):
    """One item of an archive: kind, schema, name and owner, separated by spaces, and what it counts for."""

    what: str
    bytes: int


Advance = Callable[[Progress], None]


class DumpMeter:
    """Listens to pg_dump; `advance` is called with each table that is begun or finished."""

    def __init__(self, tables: Iterable[Sized], advance: Advance) -> None:
        self.left = {table.label: table.bytes for table in tables}
        self.total = sum(self.left.values())
        self.done = 0
        self.running: list[str] = []
        self.advance = advance

    def __call__(self, line: str) -> None:
        """Hear one line."""
        if begun := _DUMPING.search(line):
            self.running.append(begun["label"])
        elif (finished := _FINISHED.search(line)) and finished["what"].startswith("TABLE DATA "):
            self._finish(finished["what"].removeprefix("TABLE DATA "))
        else:
            return
        self.advance(Progress(self.done, self.total, ", ".join(self.running)))

    def finished(self) -> None:
        """Hear that all went well."""
        self.advance(Progress(self.total, self.total, ""))

    def is_past_its_peak(self, workers: int) -> bool:
        """Return whether half of the data is dumped, or one of the `workers` has nothing left to begin."""
        waiting = len(self.left) - len(self.running)
        return self.done * 2 >= self.total or (not waiting and len(self.running) < workers)

    def _finish(self, name: str) -> None:
        """Only the name is told here: of two tables with one name that are at work, the first is taken."""
        label = next((label for label in self.running if label.endswith(f".{name}")), None)
        if label is not None:
            self.running.remove(label)
            self.done += self.left.pop(label, 0)


class RestoreMeter:
    """Listens to pg_restore; `advance` is called with each item that is begun or finished."""

    def __init__(self, items: Mapping[int, Item], advance: Advance) -> None:
        self.left = dict(items)
        self.total = sum(item.bytes for item in items.values())
        self.done = 0
        self.at = -1
        self.numbered = False
        self.advance = advance
        self.doing = ""

    def __call__(self, line: str) -> None:
        """Hear one line. A single worker numbers nothing: it names what it begins, and has finished what was before."""
        if finished := _FINISHED.search(line):
            self._finish(int(finished["id"]))
        elif started := _STARTED.search(line):
            self.numbered = True
            self.doing = started["what"]
        elif not self.numbered and (alone := _ALONE.search(line)):
            self.doing = f"{'TABLE DATA' if alone['data'] else alone['kind']} {alone['label']}"
            self._finish(self.at)
            self.at = self._number(f"{self.doing.replace('.', ' ', 1)} ")
        else:
            return
        self.advance(Progress(self.done, self.total, self.doing))

    def finished(self) -> None:
        """Hear that all went well."""
        self.advance(Progress(self.total, self.total, ""))

    def _number(self, beginning: str) -> int:
        return next((number for number, item in self.left.items() if item.what.startswith(beginning)), -1)

    def _finish(self, number: int) -> None:
        item = self.left.pop(number, None)
        self.done += item.bytes if item else 0


def items(listing: Iterable[str], sizes: Mapping[str, int]) -> dict[int, Item]:
    """Return the items of an archive by number, by the lines of `pg_restore --list` and the sizes of its files."""
    data = {int(found["id"]): size for name, size in sizes.items() if (found := _FILE.match(name))}
    named = {int(found["id"]): found["what"] for line in listing if (found := _TOC_LINE.match(line))}
    indexes = sum(what.startswith(INDEX_KINDS) for what in named.values())
    share = int(sum(data.values()) * INDEX_SHARE / indexes) + 1 if indexes else 0
    return {
        number: Item(what, share if what.startswith(INDEX_KINDS) else data.get(number, 0))
        for number, what in named.items()
    }
