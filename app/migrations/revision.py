"""One revision, read from its source. Never executes it."""

import ast
import hashlib
import warnings
from collections.abc import Iterator
from importlib.util import decode_source

ALGORITHM = "1"
TEXT_ALGORITHM = "text-1"

_NOT_MEANT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_BODIES = frozenset({"body", "orelse", "finalbody"})


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
    return _hashed(ALGORITHM, "".join(_written(tree)).encode("utf-8", "surrogatepass"))


def _hashed(algorithm: str, data: bytes) -> str:
    return f"{algorithm}:{hashlib.sha256(data).hexdigest()}"


def _text(source: str | bytes) -> str:
    """The source as Python reads a file: decoded as it declares, without a byte order mark, lines ended by \\n."""
    text = decode_source(source) if isinstance(source, bytes) else source
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _written(tree: ast.AST) -> Iterator[str]:
    """The tree as text in which nothing is ambiguous; a stack instead of recursion, as trees can be deep."""
    pending: list[object] = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, _Mark):
            yield str(item)
        elif isinstance(item, ast.AST):
            pending += reversed([_Mark(f"({type(item).__name__}"), *_fields(item), _Mark(")")])
        elif isinstance(item, list):
            pending += reversed([_Mark("["), *item, _Mark("]")])
        else:
            yield _constant(item)


class _Mark(str):
    """A piece of the written tree, not a constant of the source."""

    __slots__ = ()


def _fields(node: ast.AST) -> Iterator[object]:
    """The node's fields by name; absent ones are left out, since a newer Python has more of them."""
    for name in sorted(set(node._fields) - _NOT_MEANT):
        value = getattr(node, name, None)
        if name in _BODIES and isinstance(value, list):
            value = _statements(value)
        elif name == "values" and isinstance(node, ast.JoinedStr):
            value = _joined(node.values)
        elif name == "format_spec" and isinstance(value, ast.JoinedStr) and not _joined(value.values):
            value = None
        if value is not None and value != []:
            yield from (_Mark(f" {name}="), value)


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
