"""One revision file as a value: what its upgrade and its downgrade do. Never executes it, opens no file."""

import ast
import warnings
from collections.abc import Iterable, Iterator

from app.migrations.bindings import ERRORS
from app.migrations.headers import Fault, Revision
from app.migrations.headers import parse as parse_header
from app.migrations.lean import NamedTuple, cached_property
from app.migrations.sources import bodies, calls, sql
from app.migrations.sources.columns import is_part
from app.migrations.sources.operations import QUIET, Kind, Operation
from app.migrations.sources.values import Batch, Function, Scope, dotted, evaluate, is_known, resolve
from app.migrations.sources.walker import Flow, Walker

RUNS_SQL = frozenset({"execute", "exec_driver_sql", "scalar", "scalars", "executemany"})
NOT_FOLLOWED = frozenset(
    {"create_all", "drop_all", "run_sync", "run_async", "add", "add_all", "merge", "bulk_save_objects"}
)
ENDS = frozenset({"commit", "rollback", "execution_options", "set_isolation_level", "set_session"})
"""After these nobody can tell from the file whether a transaction is open."""
PEELED = frozenset({"bindparams", "columns", "execution_options"})
OUTSIDE = ("sqlalchemy", "alembic")


class Direction(NamedTuple):
    """One of the two functions: `node` is None where there is none; `flow` is how it is certain to end.

    `known` is false where some of what it does cannot be read.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | None
    operations: tuple[Operation, ...] = ()
    flow: Flow = Flow.ON

    @property
    def line(self) -> int:
        """Return where it begins; 1 where it is missing."""
        return self.node.lineno if self.node else 1

    @property
    def known(self) -> bool:
        """Return whether everything that it does could be read."""
        return all(operation.kind is not Kind.UNKNOWN for operation in self.operations)

    @property
    def schema(self) -> list[Operation]:
        """Return what changes the schema."""
        return [operation for operation in self.operations if operation.changes_schema]

    @property
    def rows(self) -> list[Operation]:
        """Return what changes rows."""
        return [operation for operation in self.operations if operation.kind is Kind.ROWS]

    @property
    def effective(self) -> list[Operation]:
        """Return all but what only reads or sets."""
        return [operation for operation in self.operations if operation.kind not in QUIET]

    @property
    def empty(self) -> bool:
        """Return whether its body holds nothing but pass, a docstring, `...`, print and return; or it is missing."""
        return not self.operations if self.node is None else all(map(_does_nothing, self.node.body))


class Migration:
    """One revision file that parses. What its functions do is read when it is asked for."""

    def __init__(self, revision: Revision, source: str, tree: ast.Module) -> None:
        self.revision, self.source, self.tree = revision, source, tree
        self.lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.module: Scope = {}
        outer = Walker(lambda _call, _scope: (), self.module)
        outer.run(tree.body, self.module)

    @cached_property
    def upgrade(self) -> Direction:
        """What the upgrade does."""
        return self._direction("upgrade")

    @cached_property
    def downgrade(self) -> Direction:
        """What the downgrade does."""
        return self._direction("downgrade")

    @cached_property
    def new_tables(self) -> frozenset[str]:
        """The tables that the upgrade creates: nobody reads them yet."""
        found = {each.table for each in self.upgrade.operations if each.kind is Kind.CREATE_TABLE and each.table}
        renamed = {
            each.to for each in self.upgrade.operations if each.kind is Kind.RENAME_TABLE and each.table in found
        }
        return frozenset(found | renamed)

    def is_old(self, table: str) -> bool:
        """Tell whether a table is known, and was there before this revision."""
        return bool(table) and table not in self.new_tables

    def text(self, node: ast.AST) -> str:
        """Return the source of a node, on one line."""
        found = ast.get_source_segment(self.source, node) or ""
        return found if found and "\n" not in found else ast.unparse(node)

    def _direction(self, name: str) -> Direction:
        function = self.module.get(name)
        if not isinstance(function, Function):
            return Direction(None, () if function is None else (Operation(Kind.UNKNOWN),))
        walker = Walker(_read, self.module)
        flow = walker.run(function.node.body, dict(self.module))
        return Direction(function.node, tuple(_lasting(walker.operations)), flow)


def parse(path: str, source: bytes) -> Migration | Fault | None:
    """Return the migration in a file; None for a file that is no revision, or whose header cannot be read.

    A Fault is one that has the words of a revision and is no Python. Never raises, whatever the bytes are.
    """
    header = parse_header(path, source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            text = bodies.decoded(source)
            found = Migration(header, text, tree) if isinstance(header, Revision) else None
            _ = found and (found.upgrade, found.downgrade)
    except ERRORS as error:
        if not isinstance(error, SyntaxError) or header is None or b"down_revision" not in source:
            return None
        reason = f"Python cannot read this file: {error.msg}"
        return Fault(path, error.lineno or 1, "syntax-error", reason, "correct the file")
    return found


def _lasting(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Return the operations; what is done to a temporary table is a setting: it is gone with the session."""
    temporary = set[str]()
    for each in operations:
        if each.kind is Kind.SETTING and each.table:
            temporary.add(each.table)
        yield each._replace(kind=Kind.SETTING) if each.table and each.table in temporary else each


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return all(map(_does_nothing, [*statement.body, *statement.orelse]))
    if isinstance(statement, ast.Return):
        return statement.value is None or isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Expr):
        value = statement.value
        printed = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print"
        return printed or isinstance(value, ast.Constant)
    return isinstance(statement, ast.Pass)


def _read(node: ast.Call, scope: Scope) -> Iterable[Operation]:
    """Return what one call does to the database."""
    name = dotted(node.func, scope)
    owner, _, method = name.rpartition(".")
    if owner == "alembic.op" and method != "execute":
        return calls.read(method, node, scope)
    found = _method(node.func, node, scope) if isinstance(node.func, ast.Attribute) else None
    if found is None and _leads_away(name, node, scope):
        return [Operation(Kind.UNKNOWN, call=node)]
    return found or ()


def _method(function: ast.Attribute, node: ast.Call, scope: Scope) -> Iterable[Operation] | None:
    """Return what a method does, by its name and its owner; None for one that says nothing."""
    value, name = evaluate(function.value, scope), function.attr
    if isinstance(value, Batch) and name != "execute":
        return calls.read(name, node, scope, value.table)
    if name in RUNS_SQL and node.args:
        return _executed(node.args[0], node, scope)
    if name in {"create", "drop"}:
        return calls.of_type(name, node, scope)
    if name in ENDS:
        return [Operation(Kind.COMMIT, call=node)]
    if name in NOT_FOLLOWED and not is_known(value) and type(value) is not tuple:
        return [Operation(Kind.UNKNOWN, call=node)]
    return None


def _leads_away(name: str, node: ast.Call, scope: Scope) -> bool:
    """Tell whether a call hands `op` or a connection to code that is not in this file."""
    if name.startswith("."):
        return True
    if name.partition(".")[0] in OUTSIDE or not any(_reaches(argument, scope) for argument in node.args):
        return isinstance(scope.get(name), Function)
    return True


def _reaches(node: ast.expr, scope: Scope) -> bool:
    """Tell whether an argument is `op` or comes from it."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found, inner = resolve(part, scope)
            if dotted(found, inner).startswith(("alembic.op", "alembic.context")):
                return True
    return False


def _executed(argument: ast.expr, node: ast.Call, scope: Scope) -> Iterator[Operation]:
    """Return what SQL does that is handed to the database, as a text or as a construct of SQLAlchemy's."""
    argument, inner = _peeled(argument, scope)
    value = evaluate(argument, inner)
    if isinstance(value, str):
        found = list(sql.operations(value))
        yield from (operation._replace(call=node) for operation in found)
        return
    yield _construct(argument, inner)._replace(call=node)


def _peeled(node: ast.expr, scope: Scope) -> tuple[ast.expr, Scope]:
    """Return what is inside of `sa.text(...)`, with `.bindparams(...)` and the like taken off."""
    while True:
        found, inner = resolve(node, scope)
        node, scope = found, dict(inner)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PEELED:
            node = node.func.value
        elif isinstance(node, ast.Call) and is_part(node.func, scope, "text") and node.args:
            node = node.args[0]
        else:
            return node, scope


def _construct(node: ast.expr, scope: Scope) -> Operation:
    """Return what an expression such as `users.update().where(...)` does."""
    while isinstance(node, ast.Call):
        function = node.func
        for name in ("update", "insert", "delete"):
            if is_part(function, scope, name) and node.args:
                what = "values" if name == "insert" else ""
                return Operation(Kind.ROWS, calls.rows_of(node.args[0], scope), what=what)
            if isinstance(function, ast.Attribute) and function.attr == name and not node.args:
                what = "values" if name == "insert" else ""
                return Operation(Kind.ROWS, calls.rows_of(function.value, scope), what=what)
        if is_part(function, scope, "select"):
            return Operation(Kind.READ)
        if not isinstance(function, ast.Attribute):
            break
        found, inner = resolve(function.value, scope)
        node, scope = found, dict(inner)
    return Operation(Kind.UNKNOWN)
