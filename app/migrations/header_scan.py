"""The header of one revision file, read line by line where it is written the usual way. Never guesses, never executes.

Without patterns: `re` takes longer to load, and patterns for this to compile, than a hundred files to read.
"""

from __future__ import annotations

from app.migrations.lean import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    Value = str | tuple[str, ...] | None

NAMES = ("revision", "down_revision", "branch_labels", "depends_on", "irreversible")
_QUOTES = "\"'"
_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
_IMPORTED = _NAME + "., \t"
_ANNOTATION = _NAME + "., \t|[]"
_PARAMETERS = _NAME + ",*:. "
_RETURNED = _NAME + ".,|[] "
_HEADERS = ("revision", "down_", "branch_", "depends_", "irreversible", "__")
_SPELT = ("revision", "_labels", "depends_on", "irreversible")
_settled = set[str]()
"""What has stood between a docstring and a header and cannot change it: the same in most files of a history."""
_assigned: dict[str, str] = {}
"""The name on the left of an assignment, by what is written there; "" where it is none of NAMES."""
_empty: dict[str, str] = {}
"""The name that a whole line sets to None."""


def read(source: bytes) -> tuple[Mapping[str, Value], int, str] | None:
    """Return the values of a header, the line of `revision` and the docstring; None is no answer.

    From the first byte on each statement is known to end where its line ends, so what is read is code and not the
    inside of a string. What comes after the header cannot change it: see `_could_bind` and `_only_functions`.
    """
    text = _plain(source)
    docstring, at = _opening(text) if text else ("", -1)
    at = _past_imports(text, at) if at >= 0 else at
    if at < 0:
        return None
    header: dict[str, Value] = {}
    line = 0
    while True:
        written = text[at : text.find("\n", at) + 1]
        if written in _empty:
            header[_empty[written]], at = None, _past_blank(text, at + len(written))
            continue
        name, equals = _assignment(written)
        value, end = _value(text, at + equals) if name else (None, -1)
        if end < 0:
            break
        if value is None:
            _empty[written] = name
        if name == "revision":
            line = text.count("\n", 0, at) + 1
        header[name], at = value, _past_blank(text, end)
    if "revision" not in header or "down_revision" not in header:
        return None
    rest = text[at:]
    return None if _could_bind(rest) and not _only_functions(rest) else (header, line, docstring)


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
    if "coding" in head and not _says_utf_8(head):
        return ""
    if not text.isascii():
        from unicodedata import is_normalized  # noqa: PLC0415 -- most files do without

        if text.startswith("\ufeff") or not is_normalized("NFKC", text):
            return ""
    return text + "\n"


def _says_utf_8(head: str) -> bool:
    """Tell whether an encoding is declared once in the first two lines, and is this one."""
    _, _, declared = head.partition("coding")
    name = declared[1:].lstrip(" \t")
    return (
        "coding" not in declared
        and declared[:1] in {":", "="}
        and name[:5] in {"utf-8", "UTF-8"}
        and not (name[5:6].isalnum() or name[5:6] in {"_", ".", "-"})
    )


def _opening(text: str) -> tuple[str, int]:
    """Return the docstring, and where the line behind it begins; -1 where that cannot be told."""
    at = _past_blank(text, 0)
    first = at + 1 if text[at : at + 1] in set("rRuU") and text[at + 1 : at + 2] in set(_QUOTES) else at
    if text[first : first + 1] not in set(_QUOTES):
        return "", at
    written, end = _string(text, first)
    return written, _past_rest(text, end) if end >= 0 else -1


def _string(text: str, at: int) -> tuple[str, int]:
    """Return what is in the string that begins here, and where it ends; -1 for one with a backslash, or without end."""
    quote = text[at]
    if text.startswith(quote * 3, at):
        end = text.find(quote * 3, at + 3)
        written, after = text[at + 3 : end], end + 3
    else:
        end = text.find(quote, at + 1)
        written, after = text[at + 1 : end], end + 1
        if "\n" in written:
            return "", -1
    return ("", -1) if end < 0 or "\\" in written else (written, after)


def _past_rest(text: str, at: int) -> int:
    """Return where the next line begins, if nothing but a comment stands on the rest of this one; else -1."""
    end = text.find("\n", at)
    rest = text[at:end].lstrip(" \t")
    return -1 if rest and rest[0] != "#" else end + 1


def _past_blank(text: str, at: int) -> int:
    """Return where the next line begins that is neither blank nor a comment."""
    while (first := text[at : at + 1]) and first in "\n \t#":
        after = at + 1 if first == "\n" else _past_rest(text, at)
        if after < 0:
            break
        at = after
    return at


def _past_imports(text: str, at: int) -> int:
    """Return where the line behind the imports begins; -1 where they may change the header, as one that spells it."""
    end = text.find("\nrevision", max(at - 1, 0)) + 1
    if end > at and text[at:end] in _settled:
        return end
    here = at
    while here < len(text):
        after = _past_rest(text, here)
        if after < 0:
            after = _past_import(text, here)
        if after < 0:
            break
        if after == 0:
            return -1
        here = after
    if here == end > at:
        _settled.add(text[at:end])
    return here


def _past_import(text: str, at: int) -> int:
    """Return where the line behind an import, or a string of its own, begins; -1 for neither, 0 for one that binds."""
    if text[at] in _QUOTES:
        _, end = _string(text, at)
        return _past_rest(text, end) if end >= 0 else -1
    if not text.startswith(("import ", "from "), at):
        return -1
    end = text.find("\n", at)
    code = text[at:end].partition("#")[0]
    names, opened, _ = code.partition("(")
    if opened:
        close = text.find(")", at)
        names += text[at + len(names) + 1 : close].replace("\n", " ")
        end = _past_rest(text, close + 1) if close >= 0 else -1
    else:
        end += 1
    if end < 0 or names.strip(_IMPORTED):
        return -1
    binds = "__" in names.removeprefix("from __future__ ") or any(map(names.__contains__, _SPELT))
    return 0 if binds else end


def _assignment(line: str) -> tuple[str, int]:
    """Return which of NAMES a line assigns, "" where it does not, and where the value begins."""
    left, equals, _ = line.partition("=")
    if left not in _assigned:
        name, colon, note = left.partition(":")
        name = name.rstrip(" \t")
        plain = name in NAMES and not note.strip(_ANNOTATION) and bool(note) == bool(colon)
        _assigned[left] = name if plain else ""
    return _assigned[left] if equals else "", len(left) + 1


def _value(text: str, at: int) -> tuple[Value, int]:
    """Return the value that is written here, and where the line behind it begins; -1 where it is not a plain one."""
    while text[at] in " \t":
        at += 1
    first = text[at]
    if first in "([":
        return _several(text, at)
    if text.startswith("None", at):
        return None, _past_rest(text, at + 4)
    if first in "uU":
        at += 1
    if text[at] not in _QUOTES or text.startswith(text[at] * 3, at):
        return None, -1
    written, end = _string(text, at)
    return written, _past_rest(text, end) if end >= 0 else -1


def _several(text: str, at: int) -> tuple[Value, int]:
    """Return the strings in brackets; one in parentheses without a comma is that string alone."""
    end = text.find(")" if text[at] == "(" else "]", at)
    inner = text[at + 1 : end]
    if end < 0 or "\\" in inner or "#" in inner:
        return None, -1
    pieces = [piece.strip(" \t\n") for piece in inner.split(",")]
    if not pieces[-1]:
        pieces.pop()
    items = tuple(item for piece in pieces if (item := _item(piece)) is not None)
    if len(items) < len(pieces):
        return None, -1
    alone = text[at] == "(" and len(items) == 1 and "," not in inner
    return items[0] if alone else items, _past_rest(text, end + 1)


def _item(written: str) -> str | None:
    """Return what is in a string, with nothing beside it."""
    written = written[1:] if written[:1] in {"u", "U"} else written
    quote, item = written[:1], written[1:-1]
    plain = len(written) > 1 and quote in {'"', "'"} and written[-1] == quote and not {quote, "\n"} & set(item)
    return item if plain else None


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
        or any(word in text and _ends(text, word) for word in ("exec", "eval", "vars"))
        or ("import" in text and any(rest.lstrip(" \t\n\\")[:1] == "*" for rest in text.split("import")[1:]))
    )


def _ends(text: str, word: str) -> bool:
    """Tell whether a name in this text ends with `word`."""
    return any(not (rest[:1].isalnum() or rest[:1] == "_") for rest in text.split(word)[1:])


def _only_functions(text: str) -> bool:
    """Tell whether each line at the left margin begins a function: nothing runs there, and no default is computed.

    A string over several lines may have lines at the margin that look so; they are in a function all the same.
    """
    lines = text.split("\n")
    return (not lines[0] or lines[0][0] not in " \t") and all(
        not line or line[0] in " \t#" or _begins_function(line) for line in lines
    )


def _begins_function(line: str) -> bool:
    name, _, rest = line.removeprefix("def ").partition("(")
    parameters, closed, rest = rest.partition(")")
    rest = rest.removeprefix(" ")
    returned = rest.removeprefix("->").partition(":")[0] if rest.startswith("->") else ""
    return (
        line.startswith("def ")
        and name.isidentifier()
        and not name.startswith(_HEADERS)
        and bool(closed)
        and not parameters.strip(_PARAMETERS)
        and not returned.strip(_RETURNED)
        and rest.removeprefix("->" + returned if returned else "").startswith(":")
    )
