"""One revision, read from its source. Never executes it."""

import ast
import hashlib
import warnings
from importlib.util import decode_source
from typing import Any

ALGORITHM = "1"
TEXT_ALGORITHM = "text-1"

_NOT_MEANT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_BODIES = frozenset({"body", "orelse", "finalbody"})
_SHAPES: dict[type[ast.AST], tuple[str, tuple[tuple[str, str], ...]]] = {}


def digest(source: str | bytes) -> str:
    """A hash that answers "was it edited?": the algorithm's number, a colon, 64 hexadecimal digits.

    Comments, layout, docstrings and other bare strings, line ends, a byte order mark and the declared encoding
    do not count. The same on every Python that can parse the source: the tree is written out here, since
    `ast.dump` and the tree of an f-string change between versions. What cannot be parsed (a syntax error, or
    newer syntax than this Python's) is hashed as text under another number, so that the two kinds can be told
    apart. Never raises.
    """
    try:
        text = _text(source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        data = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
        return _hashed(TEXT_ALGORITHM, data.replace(b"\r\n", b"\n"))
    return _hashed(ALGORITHM, _written(tree).encode("utf-8", "surrogatepass"))


def _hashed(algorithm: str, data: bytes) -> str:
    return f"{algorithm}:{hashlib.sha256(data).hexdigest()}"


def _text(source: str | bytes) -> str:
    """The source as Python reads a file: decoded as it declares, without a byte order mark, lines ended by \\n."""
    text = decode_source(source) if isinstance(source, bytes) else source
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _written(tree: ast.AST) -> str:
    """The tree as text in which nothing is ambiguous; a stack instead of recursion, as trees can be deep.

    Absent fields are left out: newer Pythons have more. It runs for each of hundreds of revisions, hence the one loop.
    """
    written: list[str] = []
    pending: list[str | ast.AST] = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            written.append(item)
            continue
        opening, fields = _SHAPES.get(type(item)) or _shape(type(item))
        written.append(opening)
        parts: list[str | ast.AST] = []
        for name, mark in fields:
            value = getattr(item, name, None)
            if isinstance(value, list):
                if value := _meant(item, name, value):
                    parts += (mark, "[")
                    parts += [each if isinstance(each, ast.AST) else _constant(each) for each in value]
                    parts.append("]")
            elif isinstance(value, ast.AST):
                if name != "format_spec" or not isinstance(value, ast.JoinedStr) or _joined(value.values):
                    parts += (mark, value)
            elif value is not None:
                parts.append(mark + _constant(value))
        parts.append(")")
        pending += reversed(parts)
    return "".join(written)


def _shape(kind: type[ast.AST]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """How a node of this kind opens, and its fields by name, each with the text before its value; it is kept."""
    fields = tuple((name, f" {name}=") for name in sorted(set(kind._fields) - _NOT_MEANT))
    found = _SHAPES[kind] = f"({kind.__name__}", fields
    return found


def _meant(node: ast.AST, name: str, value: list[Any]) -> list[Any]:
    """The part of a list that counts: statements that do something, the texts of an f-string made one."""
    if name in _BODIES:
        return _statements(value)
    return _joined(value) if name == "values" and isinstance(node, ast.JoinedStr) else value


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements that do something; a body of bare strings alone does what `pass` does."""
    kept = [statement for statement in body if not _is_bare_string(statement)]
    return kept if kept or not body else [ast.Pass()]


def _is_bare_string(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _joined(parts: list[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string with neighbouring texts made one and empty ones dropped, as older Pythons have it."""
    joined: list[ast.expr] = []
    for part in parts:
        text = _string(part)
        before = _string(joined[-1]) if joined else None
        if text is not None and before is not None:
            joined[-1] = ast.Constant(before + text)
        elif text != "":
            joined.append(part)
    return joined


def _string(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _constant(value: object) -> str:
    """A constant with its type and, where it can hold anything, its length; integers without a limit of digits."""
    if isinstance(value, str):
        return f"s{len(value)}:{value}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"i{value:x}"
    return f"{type(value).__name__} {value!r}"
