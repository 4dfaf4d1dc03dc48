"""The header of one revision file: its id, parents, labels and title, read from the source. Never executes it.

A quick scan answers for the files whose header is written the usual way, and only where nothing else in the file
can change the answer; the syntax tree (`header_values.py`) answers for the rest. What neither can settle is a Fault,
with file and line: never a guess. Neither says that the rest of the file is free of errors.
"""

from __future__ import annotations

from itertools import takewhile

from app.migrations import header_scan
from app.migrations.lean import NamedTuple

ILLEGAL = frozenset("@-+:")


class Revision(NamedTuple):
    """One revision: what Alembic reads off the module, as tuples; `parents` is `down_revision`.

    `message` is the first paragraph of the docstring on one line, `line` where `revision` is assigned (1 for an id
    out of the file's name), `irreversible` the reason given for having no way back.
    """

    id: str
    parents: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    path: str = ""
    line: int = 1
    irreversible: str | None = None
    message: str = ""


class Fault(NamedTuple):
    """A file that Alembic would load, and whose place in the history cannot be known."""

    path: str
    line: int
    rule: str
    message: str
    instead: str


def is_revision_file(name: str) -> bool:
    """Tell whether Alembic loads a file of this name out of a versions folder: also hidden ones and `#name.py`."""
    return name.endswith(".py") and not name.startswith((".#", "__init__")) and "\n" not in name


def parse(path: str, source: bytes) -> Revision | Fault | None:
    """Return the revision in a file, why it cannot be known, or None for a name that Alembic passes over.

    Never raises, whatever the bytes are.
    """
    if not is_revision_file(path[path.rfind("/") + 1 :]):
        return None
    return _scanned(path, source) or _followed(path, source)


def _scanned(path: str, source: bytes) -> Revision | None:
    """Return what the quick scan reads; None is no answer, as for values that Alembic does not accept."""
    found = header_scan.read(source)
    if found is None:
        return None
    header, line, docstring = found
    name, reason = header["revision"], header.get("irreversible")
    parents, depends_on = _items(header["down_revision"]), _items(header.get("depends_on"))
    labels = _items(header.get("branch_labels"))
    if not isinstance(name, str) or not ILLEGAL.isdisjoint(name) or isinstance(reason, tuple):
        return None
    if not name or reason == "" or "" in parents or "" in depends_on or "" in labels:
        return None
    return Revision(name, parents, depends_on, labels, path, line, reason, title(docstring))


def _items(value: header_scan.Value) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else value


def title(docstring: str) -> str:
    """Return the first paragraph on one line."""
    lines = docstring.strip().split("\n")
    return " ".join(" ".join(takewhile(str.strip, lines)).split())


def _followed(path: str, source: bytes) -> Revision | Fault:
    from app.migrations import header_values  # noqa: PLC0415 -- ast is loaded only for the files that need it

    return header_values.read(path, source)
