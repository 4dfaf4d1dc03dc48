"""Gives one revision file other parents: its `down_revision` and the "Revises:" line, and not one byte more. Pure.

What it gives back has been read again: it says the new parents, and everything else as before.
"""

import ast
import re
import warnings
from collections.abc import Sequence
from io import BytesIO
from tokenize import detect_encoding
from typing import NamedTuple

from app.migrations.errors import ConfigurationError
from app.migrations.headers import Fault, Revision, parse

NAME = "down_revision"
_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_REVISES = re.compile(r"(?m)^([ \t]*Revises:)([ \t]*)([^\r\n]*?)([ \t]*)(?=[\r\n]|\Z)")
_QUOTE = re.compile(r"""[A-Za-z]*("|')""")
_SEVERAL = (ast.Tuple, ast.List, ast.Set)


class Span(NamedTuple):
    """A part of a text, and what is to stand there."""

    start: int
    end: int
    text: str


def reparented(path: str, source: bytes, parents: Sequence[str]) -> bytes:
    """Return the file with these parents; quotes, line ends, encoding and byte order mark stay as they are.

    Raises ConfigurationError for a header that cannot be read, or whose value is written where it cannot be exchanged.
    """
    before = parse(path, source)
    if not isinstance(before, Revision):
        fault = before if isinstance(before, Fault) else Fault(path, 1, "", "it is no revision", "")
        raise _impossible(path, fault.line, fault.message, parents)
    if before.parents == tuple(parents):
        return source
    try:
        changed = _changed(source, before, parents)
    except (SyntaxError, ValueError, LookupError) as error:
        raise _impossible(path, before.line, f"Python cannot read it: {error}", parents) from error
    now = parse(path, changed) if changed is not None else None
    wanted = before._replace(parents=tuple(parents))
    if changed is None or not isinstance(now, Revision) or _placed_as(wanted, now) != wanted:
        raise _impossible(path, before.line, f"its {NAME} is written in a way that is not exchanged safely", parents)
    return changed


def _placed_as(wanted: Revision, now: Revision) -> Revision:
    """A value over several lines may be shorter now, and the "Revises:" line a part of the title."""
    return now._replace(line=wanted.line, message=wanted.message)


def _impossible(path: str, line: int, reason: str, parents: Sequence[str]) -> ConfigurationError:
    return ConfigurationError(
        f"{path}:{line}: {reason}; nothing was changed",
        f"write {NAME} = {_written(parents, chr(34), '()')} at the left margin, and the same command again",
    )


def _changed(source: bytes, before: Revision, parents: Sequence[str]) -> bytes | None:
    """Return the new bytes; None where there is no such place, or where the text is not the same in its encoding."""
    bom = _BOM if source.startswith(_BOM) else b""
    encoding = detect_encoding(BytesIO(source).readline)[0].removesuffix("-sig")
    text = source[len(bom) :].decode(encoding)
    if text.encode(encoding) != source[len(bom) :]:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    places = _Places(text)
    value = _value(tree)
    if value is None:
        return None
    spans = [_assignment(places, tree, value, parents), *_docstring(places, tree, before, parents)]
    for span in sorted(spans, reverse=True):
        text = text[: span.start] + span.text + text[span.end :]
    return bom + text.encode(encoding)


class _Places:
    """Where the lines of a text begin; Python counts columns in bytes of UTF-8."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = [match.span() for match in _LINE.finditer(text)]

    def span(self, node: ast.expr) -> tuple[int, int]:
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno or 0, node.end_col_offset or 0)

    def _at(self, line: int, column: int) -> int:
        start, end = self._lines[line - 1]
        return start + len(self.text[start:end].encode()[:column].decode())


def _value(tree: ast.Module) -> ast.expr | None:
    """Return the expression that `down_revision` ends up with: the last that is assigned at the left margin."""
    found = None
    for statement in tree.body:
        if isinstance(statement, ast.AnnAssign) and statement.value:
            pairs: list[tuple[ast.expr, ast.expr]] = [(statement.target, statement.value)]
        elif isinstance(statement, ast.Assign):
            pairs = [(target, statement.value) for target in statement.targets]
        else:
            continue
        found = next((value for value in map(_meant, pairs) if value is not None), found)
    return found


def _meant(pair: tuple[ast.expr, ast.expr]) -> ast.expr | None:
    target, value = pair
    if isinstance(target, ast.Name):
        return value if target.id == NAME else None
    if isinstance(target, _SEVERAL) and isinstance(value, _SEVERAL) and len(target.elts) == len(value.elts):
        each = map(_meant, zip(target.elts, value.elts, strict=True))
        return next((found for found in each if found is not None), None)
    return None


def _assignment(places: _Places, tree: ast.Module, value: ast.expr, parents: Sequence[str]) -> Span:
    start, end = places.span(value)
    written = places.text[start:end]
    quote = _quote(places, value) or _quote(places, tree) or '"'
    brackets = "[]" if isinstance(value, ast.List) else "()"
    if isinstance(value, _SEVERAL) and len(value.elts) == 1 and len(parents) == 1 and not _is_bare(written):
        start, end = places.span(value.elts[0])
        return Span(start, end, f"{quote}{parents[0]}{quote}")
    return Span(start, end, _written(parents, quote, brackets))


def _is_bare(written: str) -> bool:
    """Tell whether a tuple stands without its brackets."""
    return written[:1] not in {"(", "[", "{"}


def _quote(places: _Places, top: ast.AST) -> str:
    """Return the quotes of the first string that a value holds, or that the file assigns at the left margin."""
    values = [each.value for each in top.body if isinstance(each, (ast.Assign, ast.AnnAssign))] if isinstance(
        top, ast.Module
    ) else [top]  # fmt: skip
    for value in values:
        for node in ast.walk(value) if value else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found = _QUOTE.match(places.text, places.span(node)[0])
                if found:
                    return found[1]
    return ""


def _written(parents: Sequence[str], quote: str, brackets: str) -> str:
    items = [f"{quote}{parent}{quote}" for parent in parents]
    if not items:
        return "None"
    return items[0] if len(items) == 1 else brackets[0] + ", ".join(items) + brackets[1]


def _docstring(places: _Places, tree: ast.Module, before: Revision, parents: Sequence[str]) -> list[Span]:
    """Return the place of what follows "Revises:"; none where there is no such line, or where it is a sentence."""
    first = tree.body[0]
    if ast.get_docstring(tree, clean=False) is None or not isinstance(first, ast.Expr):
        return []
    start, end = places.span(first.value)
    found = _REVISES.search(places.text[:end], start)
    if found is None:
        return []
    said = found[3].replace(",", " ").split()
    if len(said) > max(1, len(before.parents)) and set(said) - set(before.parents):
        return []
    quotes = places.text[end - 3 : end] if places.text[end - 3 : end] in {'"""', "'''"} else places.text[end - 1 : end]
    tail = quotes if found[3].endswith(quotes) else ""
    gap = (found[2] or " ") if parents else ""
    return [Span(found.start(2), found.end(3), gap + ", ".join(parents) + tail)]
