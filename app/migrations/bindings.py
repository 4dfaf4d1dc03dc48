"""What the names of a module are bound to once it has run, read from its syntax tree. Never runs it.

Statements are followed in order. What stands under a condition, in a loop, in a function, comes out of a call or
from another module is not guessed at: the name is Unreadable from there on, until it is assigned plainly again.
"""

import ast
import warnings
from collections.abc import Collection, Iterator

from app.migrations.lean import NamedTuple

ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)
WITHOUT_HEADERS = frozenset({
    "sqlalchemy", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm", "sqlalchemy.sql", "sqlalchemy.types",
    "alembic", "alembic.op", "typing", "datetime",
})  # fmt: skip
"""Modules of which `import *` binds none of the names of a revision's header."""

_DYNAMIC = frozenset({
    "globals", "locals", "vars", "exec", "eval", "setattr", "delattr", "__setattr__", "__delattr__", "__dict__",
    "__builtins__", "builtins", "modules", "f_globals", "f_locals",
})  # fmt: skip
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CONDITIONAL = "is assigned where it depends on what runs"
_COMPUTED = "is computed"
_STAR = "may be one of the names of an `import *`"
_INDIRECT = "may be set by code that names it indirectly"


class Bound(NamedTuple):
    """What a name of the module is bound to when the file has run; `value` is an Unreadable where nobody can say."""

    value: object
    line: int


class Unreadable(NamedTuple):
    """Stands for a value that only running the file would give."""

    reason: str


def read(source: bytes, names: Collection[str]) -> tuple[dict[str, Bound], str]:
    """Return what those of `names` are bound to that are bound at all, and the docstring.

    The bytes are decoded as Python decodes a file. Raises one of ERRORS for what is no Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    module = _Module()
    for statement in tree.body:
        module.run(statement)
    mutable = {name for name, bound in module.bound.items() if isinstance(bound.value, (list, set))}
    if "__getattr__" in module.bound or _called_functions_reach_out(tree, frozenset(names), mutable):
        module.lose_all(1, _INDIRECT)
    found = {name: module.bound.get(name, module.outside) for name in names}
    docstring = Unreadable("") if "__doc__" in module.bound else ast.get_docstring(tree, clean=False)
    return {name: bound for name, bound in found.items() if bound}, docstring if isinstance(docstring, str) else ""


class _Module:
    """The names so far. `outside` is what a name is that nothing here binds, once anything may have bound it."""

    def __init__(self) -> None:
        self.bound: dict[str, Bound] = {}
        self.outside: Bound | None = None

    def run(self, statement: ast.stmt) -> None:
        """Follow one statement."""
        plain = dict(_plain_targets(statement))
        values = {name: Bound(self._value(node), statement.lineno) for name, node in plain.items()}
        for node in _run_at_import(statement, classes=True):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self._lose_mutable(node)
            elif isinstance(node, ast.Global):
                values.update({name: Bound(Unreadable(_CONDITIONAL), node.lineno) for name in node.names})
            if _is_dynamic(node):
                self.lose_all(statement.lineno, _STAR if isinstance(node, ast.ImportFrom) else _INDIRECT)
        for name, line in _names(statement):
            if name not in plain:
                values[name] = Bound(Unreadable(_reason(statement)), line)
        self.bound.update(values)

    def lose_all(self, line: int, reason: str) -> None:
        """Take every name for unreadable: code ran that can bind any of them."""
        self.outside = Bound(Unreadable(reason), line)
        self.bound = dict.fromkeys(self.bound, self.outside)

    def _lose_mutable(self, node: ast.Name) -> None:
        """A list that is used can be changed in place."""
        bound = self.bound.get(node.id)
        if bound and isinstance(bound.value, (list, set)):
            self.bound[node.id] = Bound(Unreadable("is a list that other code uses"), node.lineno)

    def _value(self, node: ast.expr) -> object:
        """Return the value of an expression that is written out."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            known = self.bound.get(node.id)
            value = known.value if known else Unreadable(f"is {node.id}, which is not assigned here")
            return Unreadable(_COMPUTED) if isinstance(value, (list, set)) else value
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            return self._several(node)
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
            texts = [part for part in parts if isinstance(part, str)]
            return "".join(texts) if len(texts) == len(parts) else Unreadable("is an f-string with placeholders")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self._value(node.left), self._value(node.right)
            for kind in (str, tuple, list):
                if isinstance(left, kind) and isinstance(right, kind) and not isinstance(left, Unreadable):
                    return left + right  # type: ignore[operator]
        return Unreadable(_COMPUTED)

    def _several(self, node: ast.Tuple | ast.List | ast.Set) -> object:
        items = [self._value(item) for item in node.elts]
        unreadable = next((item for item in items if isinstance(item, Unreadable)), None)
        if unreadable or (isinstance(node, ast.Set) and not all(isinstance(item, str) for item in items)):
            return unreadable or Unreadable(_COMPUTED)
        return tuple(items) if isinstance(node, ast.Tuple) else set(items) if isinstance(node, ast.Set) else items


def _plain_targets(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """Return the names that a statement assigns for certain, each with the expression of its value."""
    if isinstance(statement, ast.AnnAssign) and statement.value:
        pairs: list[tuple[ast.expr, ast.expr]] = [(statement.target, statement.value)]
    elif isinstance(statement, ast.Assign) and (len(statement.targets) == 1 or not _is_mutable(statement.value)):
        pairs = [(target, statement.value) for target in statement.targets]
    else:
        pairs = []
    flat = [pair for target, value in pairs for pair in _unpacked(target, value)]
    walrus = {node.target for node in ast.walk(statement) if isinstance(node, ast.NamedExpr)}
    names = [target.id for target, _ in flat if isinstance(target, ast.Name)]
    spoiled = {target.id for target in walrus if isinstance(target, ast.Name)}
    for target, value in flat:
        if isinstance(target, ast.Name) and target.id not in spoiled and names.count(target.id) == 1:
            yield target.id, value


def _unpacked(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Return `a, b = "x", "y"` as its pairs; targets inside a target stay unknown."""
    several = (ast.Tuple, ast.List)
    if isinstance(target, several) and isinstance(value, several) and len(target.elts) == len(value.elts):
        if any(isinstance(each, ast.Starred) for each in [*target.elts, *value.elts]):
            return []
        return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def _is_mutable(value: ast.expr) -> bool:
    return any(isinstance(node, (ast.List, ast.Set)) for node in ast.walk(value))


def _names(statement: ast.stmt) -> Iterator[tuple[str, int]]:
    """Return every name of the module that a statement can bind or delete, and where."""
    for node in _run_at_import(statement, classes=False):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id, node.lineno
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node.lineno
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0], node.lineno
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name, node.lineno
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest, node.lineno


def _reason(statement: ast.stmt) -> str:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return "is imported from elsewhere"
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return _COMPUTED
    return _CONDITIONAL


def _run_at_import(statement: ast.AST, classes: bool) -> Iterator[ast.AST]:
    """Return the nodes that run when the module is loaded: no bodies of functions, and of classes where asked."""
    pending = [statement]
    while pending:
        node = pending.pop()
        yield node
        bodies = _FUNCTIONS if classes else (*_FUNCTIONS, ast.ClassDef)
        later = {id(part) for part in node.body} if isinstance(node, bodies) else set()
        pending += [child for child in ast.iter_child_nodes(node) if id(child) not in later]


def _is_dynamic(node: ast.AST) -> bool:
    """Tell whether code can bind a name through this without spelling it."""
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "*" for alias in node.names) and (node.module not in WITHOUT_HEADERS or node.level > 0)
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in _DYNAMIC


def _called_functions_reach_out(tree: ast.Module, names: frozenset[str], mutable: set[str]) -> bool:
    """Tell whether a function or class of this file can change a header's name, and something here may call it."""
    if not any(_reaches_out(node, names, mutable) for node in ast.walk(tree)):
        return False
    own = [node for node in ast.walk(tree) if isinstance(node, (*_FUNCTIONS, ast.ClassDef))]
    loaded = {node.id for node in _run_at_import(tree, classes=True) if isinstance(node, ast.Name)}
    return any(node.decorator_list or node.name in loaded for node in own)


def _reaches_out(node: ast.AST, names: frozenset[str], mutable: set[str]) -> bool:
    if isinstance(node, ast.Global):
        return not names.isdisjoint(node.names)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in mutable & names:
        return True
    return _is_dynamic(node)
