"""The values of expressions, as far as they are written out in the file. Never guesses, never runs anything.

What is not a constant stays an Expression with the names that it was written among; what cannot be known is UNKNOWN.
"""

import ast
import re
from collections.abc import Callable, Mapping

from app.migrations.lean import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

UNKNOWN = object()
LONGEST = 100_000
"""Characters of a text that is put together; a longer one is not followed."""
FALSE = frozenset({"alembic.context.is_offline_mode", "alembic.op.get_context().as_sql"})
"""What is asked to learn whether SQL is only printed: the rules are about a real run."""
_WIDTH = re.compile(r"%[^%a-z(]*[\d*]")
"""A placeholder with a width: a few characters could ask for a text of any length."""

Scope = dict[str, object]


class Expression(NamedTuple):
    """Something that is no constant: a call, say. `scope` is what its names mean."""

    node: ast.expr
    scope: Mapping[str, object]


class Imported(NamedTuple):
    """A module, or a part of one."""

    name: str


class Function(NamedTuple):
    """A function of the file."""

    node: ast.FunctionDef | ast.AsyncFunctionDef


class Batch(NamedTuple):
    """What `with op.batch_alter_table(...)` gives."""

    table: str


def dotted(node: ast.expr, scope: Mapping[str, object]) -> str:
    """Return what a name stands for, from its import on, such as "alembic.op.execute"; "" where that is not known."""
    if isinstance(node, ast.Name):
        value = scope.get(node.id)
        if isinstance(value, Imported):
            return value.name
        return dotted(value.node, value.scope) if isinstance(value, Expression) else ""
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value, scope)
        return f"{owner}.{node.attr}" if owner else ""
    if isinstance(node, ast.Call) and not node.args and not node.keywords:
        called = dotted(node.func, scope)
        return f"{called}()" if called else ""
    return ""


def resolve(node: ast.expr, scope: Mapping[str, object]) -> tuple[ast.expr, Mapping[str, object]]:
    """Return the expression that a name was assigned, with its own scope; anything else as it is."""
    while isinstance(node, ast.Name) and isinstance(value := scope.get(node.id), Expression):
        node, scope = value.node, value.scope
    return node, scope


def text(node: ast.expr | None, scope: Mapping[str, object]) -> str:
    """Return a text that is known, else ""."""
    value = UNKNOWN if node is None else evaluate(node, scope)
    return value if isinstance(value, str) else ""


def evaluate(node: ast.expr, scope: Mapping[str, object]) -> object:
    """Return a constant (also tuples and dicts of them), an Expression, or UNKNOWN."""
    reader = _READERS.get(type(node))
    return reader(node, scope) if reader else UNKNOWN


def is_known(value: object) -> bool:
    """Tell whether a value is a constant through and through."""
    if isinstance(value, tuple) and not isinstance(value, (Expression, Imported, Function, Batch)):
        return all(is_known(item) for item in value)
    if isinstance(value, dict):
        return all(is_known(item) for item in value.values())
    return value is None or isinstance(value, (str, bytes, int, float, complex))


def _kept(node: ast.expr, scope: Mapping[str, object]) -> object:
    if dotted(node, scope) in FALSE:
        return False
    return Expression(node, dict(scope))


def _several(node: ast.Tuple | ast.List | ast.Set, scope: Mapping[str, object]) -> object:
    if any(isinstance(item, ast.Starred) for item in node.elts):
        return UNKNOWN
    return tuple(evaluate(item, scope) for item in node.elts)


def _negated(node: ast.UnaryOp, scope: Mapping[str, object]) -> object:
    value = evaluate(node.operand, scope)
    return not value if isinstance(node.op, ast.Not) and is_known(value) else UNKNOWN


def _chosen(node: ast.IfExp, scope: Mapping[str, object]) -> object:
    test = evaluate(node.test, scope)
    return evaluate(node.body if test else node.orelse, scope) if is_known(test) else UNKNOWN


def _attribute(node: ast.Attribute, scope: Mapping[str, object]) -> object:
    return "postgresql" if _is_dialect(node, scope) else _kept(node, scope)


def _mapping(node: ast.Dict, scope: Mapping[str, object]) -> object:
    found: dict[object, object] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        name = UNKNOWN if key is None else evaluate(key, scope)
        if not isinstance(name, (str, int)):
            return UNKNOWN
        found[name] = evaluate(value, scope)
    return found


def _joined(node: ast.JoinedStr, scope: Mapping[str, object]) -> object:
    parts = []
    for part in node.values:
        value: object = part.value if isinstance(part, ast.Constant) else UNKNOWN
        if isinstance(part, ast.FormattedValue) and part.format_spec is None and part.conversion in (-1, 115):
            value = evaluate(part.value, scope)
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            return UNKNOWN
        parts.append(str(value))
    return _short("".join(parts))


def _combined(node: ast.BinOp, scope: Mapping[str, object]) -> object:
    left, right = evaluate(node.left, scope), evaluate(node.right, scope)
    if isinstance(node.op, ast.Add):
        if isinstance(left, str) and isinstance(right, str):
            return _short(left + right)
        if type(left) is tuple and type(right) is tuple and len(left) + len(right) < LONGEST:
            return left + right
    if isinstance(node.op, ast.Mod) and isinstance(left, str) and is_known(right) and not _WIDTH.search(left):
        return _formatted(lambda: left % right)
    return UNKNOWN


def _formatted(make: Callable[[], str]) -> object:
    try:
        return _short(make())
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, MemoryError):
        return UNKNOWN


def _short(value: str) -> object:
    return value if len(value) <= LONGEST else UNKNOWN


def _compared(node: ast.Compare, scope: Mapping[str, object]) -> object:
    left, right = evaluate(node.left, scope), evaluate(node.comparators[0], scope)
    if len(node.ops) > 1 or not is_known(left) or not is_known(right):
        return UNKNOWN
    operator = node.ops[0]
    if isinstance(operator, (ast.Eq, ast.NotEq)):
        return (left == right) is isinstance(operator, ast.Eq)
    if isinstance(operator, (ast.In, ast.NotIn)) and isinstance(right, (tuple, dict)):
        return (left in right) is isinstance(operator, ast.In)
    return UNKNOWN


def _item(node: ast.Subscript, scope: Mapping[str, object]) -> object:
    owner, key = evaluate(node.value, scope), evaluate(node.slice, scope)
    if isinstance(owner, dict) and isinstance(key, (str, int)):
        return owner.get(key, UNKNOWN)
    if type(owner) is tuple and isinstance(key, int) and -len(owner) <= key < len(owner):
        return owner[key]
    return UNKNOWN


def _is_dialect(node: ast.Attribute, scope: Mapping[str, object]) -> bool:
    """Tell whether this is the name of the dialect: here it is always PostgreSQL."""
    if node.attr == "name":
        owner, _ = resolve(node.value, scope)
        return isinstance(owner, ast.Attribute) and owner.attr == "dialect"
    return False


def _called(node: ast.Call, scope: Mapping[str, object]) -> object:
    name = dotted(node.func, scope)
    if name in FALSE:
        return False
    if name in {"alembic.op.f", "textwrap.dedent", "inspect.cleandoc"} and len(node.args) == 1:
        return evaluate(node.args[0], scope)
    if isinstance(node.func, ast.Attribute):
        owner = evaluate(node.func.value, scope)
        if isinstance(owner, Batch) and node.func.attr == "f" and node.args:
            return evaluate(node.args[0], scope)
        if isinstance(owner, (str, dict)) and not isinstance(owner, Expression):
            return _method(owner, node, scope)
    return Expression(node, dict(scope))


def _method(owner: object, node: ast.Call, scope: Mapping[str, object]) -> object:
    """Return what a method of a text or a dict gives, for the few that migrations use."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    values = [evaluate(argument, scope) for argument in node.args]
    named = {word.arg: evaluate(word.value, scope) for word in node.keywords if word.arg}
    if not all(map(is_known, [*values, *named.values()])) or len(named) != len(node.keywords):
        return UNKNOWN
    if isinstance(owner, dict) and name in {"items", "keys", "values"} and not values:
        return tuple(getattr(owner, name)())
    if isinstance(owner, str):
        if name == "format" and ":" not in owner:
            return _formatted(lambda: owner.format(*values, **named))
        if name == "join" and len(values) == 1 and type(values[0]) is tuple and len(owner) < 20:
            parts = values[0]
            return _formatted(lambda: owner.join(parts))
        if name in {"strip", "lstrip", "rstrip", "lower", "upper", "removeprefix", "removesuffix"}:
            return _formatted(lambda: getattr(owner, name)(*values))
    return UNKNOWN


_READERS: "dict[type[ast.expr], Callable[[Any, Mapping[str, object]], object]]" = {
    ast.Constant: lambda node, _: node.value,
    ast.Name: lambda node, scope: scope.get(node.id, UNKNOWN),
    **dict.fromkeys((ast.Tuple, ast.List, ast.Set), _several),
    ast.Dict: _mapping,
    ast.JoinedStr: _joined,
    ast.BinOp: _combined,
    ast.UnaryOp: _negated,
    ast.Compare: _compared,
    ast.IfExp: _chosen,
    ast.Subscript: _item,
    ast.Attribute: _attribute,
    ast.Call: _called,
}
