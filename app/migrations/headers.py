"""The header of one revision file: its id, parents, labels and title, read from the source. Never executes it.

A quick scan answers for the files whose header is written the usual way, and only where nothing else in the file
can change the answer; the syntax tree (`header_values.py`) answers for the rest. What neither can settle is a Fault,
with file and line: never a guess. Neither says that the rest of the file is free of errors.
"""

import re
from itertools import takewhile
from typing import NamedTuple

NAMES = ("revision", "down_revision", "branch_labels", "depends_on", "irreversible")
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


_BLANK = r"(?:[ \t]*+(?:\#[^\n]*+)?\n)"
_STRING = r"""[uU]?(?:"[^"\\\n]*+"|'[^'\\\n]*+')"""
_SPACE = r"[ \t\n]*+"
_DOUBLE = r'''"""(?:[^\\"]++|"(?!""))*+"""'''
_BARE = rf"(?:{_DOUBLE}|{_DOUBLE.replace(chr(34), chr(39))}|{_STRING})"
_END = r"[ \t]*+(?:\#[^\n]*+)?\n"
_OPENING = re.compile(rf"{_BLANK}*+(?:[rR]?({_BARE}){_END})?+")
_IMPORTS = re.compile(rf"(?:{_BLANK}|{_BARE}{_END}|(?:import|from)[ \t][\w., \t]*+(?:\([\w., \t\n]*+\))?{_END})*+")
_ASSIGNMENT = re.compile(
    rf"({'|'.join(NAMES)})[ \t]*+(?::[\w.,| \t\[\]]++)?=[ \t]*+"
    rf"(None|{_STRING}|[(\[]{_SPACE}(?:{_STRING}{_SPACE}(?:,{_SPACE}{_STRING}{_SPACE})*+,?+{_SPACE})?+[)\]])"
    rf"{_END}{_BLANK}*+"
)
_FUNCTIONS = (
    r"(?:def (?!revision|down_|branch_|depends_|irreversible|__)\w+\([\w,*:. ]*+\)[ ]?(?:->[\w.,|\[\] ]*+)?:[^\n]*+\n"
    r"(?:[ \t#][^\n]*+\n|\n)*+)*+"
)
_COMMENT = re.compile(r"#[^\n]*+")
_ITEM = re.compile(_STRING)
_UTF_8 = re.compile(r"coding[:=][ \t]*(?:utf|UTF)-8(?![\w.-])")
_LATE = re.compile(r"(?:exec|eval|vars)\b")
_STAR = re.compile(r"import[\s\\]*\*")


def _scanned(path: str, source: bytes) -> Revision | None:
    """Read the header by pattern; None is no answer.

    From the first byte on each statement is known to end where its pattern ends, so what is matched is code and not
    the inside of a string. What comes after the header cannot change it: see `_is_settled`.
    """
    text = _plain(source)
    opening = _OPENING.match(text) if text else None
    imports = _IMPORTS.match(text, opening.end()) if opening else None
    if opening is None or imports is None:
        return None
    end = imports.end()
    header: dict[str, str | tuple[str, ...] | None] = {}
    line = 0
    while assignment := _ASSIGNMENT.match(text, end):
        header[assignment[1]] = _literal(assignment[2])
        end = assignment.end()
        if assignment[1] == "revision":
            line = text.count("\n", 0, assignment.start()) + 1
    if "revision" not in header or "down_revision" not in header or not _is_settled(imports[0], text, end):
        return None
    name, reason = header["revision"], header.get("irreversible")
    parents, depends_on, labels = (_items(header.get(key)) for key in ("down_revision", "depends_on", "branch_labels"))
    if not isinstance(name, str) or not ILLEGAL.isdisjoint(name) or isinstance(reason, tuple):
        return None
    if "" in {name, reason, *parents, *depends_on, *labels}:
        return None
    return Revision(name, parents, depends_on, labels, path, line, reason, title(_docstring(opening)))


def _items(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else value


def _is_settled(imports: str, text: str, end: int) -> bool:
    """Tell whether nothing before the header and nothing after `end` can bind its names.

    An import can where it spells one. Behind the header no text may be left that spells a name, or that reaches the
    module as a mapping; or else each line at the left margin begins a function, so that nothing runs there. The
    pattern for that takes longer to compile than a small history to read, and most files do without.
    """
    spelt = _COMMENT.sub("", imports)
    if "revision" in spelt or "_labels" in spelt or "depends_on" in spelt or "irreversible" in spelt or "__" in spelt:
        return False
    return not _could_bind(text[end:]) or re.compile(_FUNCTIONS).fullmatch(text, end) is not None


def _plain(source: bytes) -> str:
    """Return the text of a file in UTF-8 that is what it seems: no other encoding, no look-alike letters; or ""."""
    try:
        text = source.decode()
    except UnicodeDecodeError:
        return ""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text or "\f" in text:
        return ""
    head = text[: text.find("\n", text.find("\n") + 1)]
    if "coding" in head and (head.count("coding") > 1 or not _UTF_8.search(head)):
        return ""
    if not text.isascii():
        from unicodedata import is_normalized  # noqa: PLC0415 -- most files do without

        if text.startswith("\ufeff") or not is_normalized("NFKC", text):
            return ""
    return text + "\n"


def _could_bind(text: str) -> bool:
    """Tell whether code in this text could give a header's name another value; comments and strings count as code."""
    return (
        "revision" in text
        or "_labels" in text
        or "depends_on" in text
        or "irreversible" in text
        or "globals" in text
        or "locals" in text
        or "builtins" in text
        or "modules" in text
        or "<<<<<<<" in text
        or ">>>>>>>" in text
        or ("attr" in text and ("setattr" in text or "delattr" in text or "__getattr__" in text))
        or ("__" in text and ("__dict__" in text or "__doc__" in text))
        or ("exec" in text and _LATE.search(text) is not None)
        or ("eval" in text and _LATE.search(text) is not None)
        or ("vars" in text and _LATE.search(text) is not None)
        or ("import" in text and _STAR.search(text) is not None)
    )


def _literal(written: str) -> str | tuple[str, ...] | None:
    if written == "None":
        return None
    if written[0] in "([":
        items = tuple(_unquoted(item) for item in _ITEM.findall(written))
        return items[0] if len(items) == 1 and written[0] == "(" and "," not in _ITEM.sub("", written) else items
    return _unquoted(written)


def _unquoted(written: str) -> str:
    return written[2:-1] if written[0] in "uU" else written[1:-1]


def _docstring(opening: re.Match[str]) -> str:
    written = (opening[1] or "").lstrip("uU")
    return written[3:-3] if written[:3] in {'"""', "'''"} else written[1:-1]


def title(docstring: str) -> str:
    """Return the first paragraph on one line."""
    lines = docstring.strip().split("\n")
    return " ".join(" ".join(takewhile(str.strip, lines)).split())


def _followed(path: str, source: bytes) -> Revision | Fault:
    from app.migrations import header_values  # noqa: PLC0415 -- ast is loaded only for the files that need it

    return header_values.read(path, source)
