"""What statements do to names: assignments, imports, arguments, `with ... as`. Runs nothing."""

import ast
from collections.abc import Iterator

from app.migrations.sources.operations import table_name
from app.migrations.sources.values import UNKNOWN, Batch, Imported, Scope, dotted, evaluate, text

AUTOCOMMIT = object()
"""What `op.get_context().autocommit_block()` gives."""


def bind(statement: ast.stmt, scope: Scope) -> None:
    """Note what a simple statement binds, or forget what it may bind."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        bind_import(statement, scope)
    elif isinstance(statement, ast.Assign):
        value = evaluate(statement.value, scope)
        for target in statement.targets:
            assign(target, value, scope)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        assign(statement.target, evaluate(statement.value, scope), scope)
    elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        name = ast.Name(statement.target.id, ast.Load())
        scope[name.id] = evaluate(ast.BinOp(name, statement.op, statement.value), scope)
    else:
        for name_ in assigned(statement):
            scope[name_] = UNKNOWN
    for node in ast.walk(statement):
        if isinstance(node, ast.NamedExpr) and isinstance(node.target, ast.Name):
            scope[node.target.id] = UNKNOWN


def bind_import(statement: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    """Note what an import gives a name to; a relative one begins with a dot."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            scope[alias.asname or whole] = Imported(whole)
        return
    module = "." * statement.level + (statement.module or "")
    for alias in statement.names:
        if alias.name != "*":
            scope[alias.asname or alias.name] = Imported(f"{module}.{alias.name}")


def assign(target: ast.expr, value: object, scope: Scope) -> None:
    """Give a value to a name, or to several; parts of something else make that unknown."""
    if isinstance(target, ast.Name):
        scope[target.id] = value
    elif isinstance(target, (ast.Tuple, ast.List)):
        several = value if type(value) is tuple and len(value) == len(target.elts) else (UNKNOWN,) * len(target.elts)
        starred = any(isinstance(each, ast.Starred) for each in target.elts)
        for each, item in zip(target.elts, several, strict=True):
            assign(each, UNKNOWN if starred else item, scope)
    else:
        forget(target, scope)


def forget(target: ast.expr, scope: Scope) -> None:
    """Make every name in a target unknown."""
    for node in ast.walk(target):
        if isinstance(node, ast.Name):
            scope[node.id] = UNKNOWN


def assigned(statement: ast.stmt) -> Iterator[str]:
    """Return the names that a statement may bind, at any depth."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name


def sets_autocommit(statement: ast.stmt) -> bool:
    """Tell whether a connection is told here to commit by itself."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(isinstance(each, ast.Attribute) and each.attr in {"autocommit", "isolation_level"} for each in targets)


def arguments(function: ast.FunctionDef | ast.AsyncFunctionDef, call: ast.Call, scope: Scope) -> dict[str, object]:
    """Return what the parameters of a function are in a call."""
    parameters = [*function.args.posonlyargs, *function.args.args]
    names = [each.arg for each in [*parameters, *function.args.kwonlyargs]]
    found = dict.fromkeys(names, UNKNOWN)
    for extra in (function.args.vararg, function.args.kwarg):
        if extra is not None:
            found[extra.arg] = UNKNOWN
    if function.args.defaults:
        for parameter, default in zip(parameters[-len(function.args.defaults) :], function.args.defaults, strict=True):
            found[parameter.arg] = evaluate(default, scope)
    for keyword, default_ in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if default_ is not None:
            found[keyword.arg] = evaluate(default_, scope)
    if any(isinstance(each, ast.Starred) for each in call.args) or any(word.arg is None for word in call.keywords):
        return dict.fromkeys(found, UNKNOWN)
    for parameter, argument in zip(parameters, call.args, strict=False):
        found[parameter.arg] = evaluate(argument, scope)
    found.update({word.arg: evaluate(word.value, scope) for word in call.keywords if word.arg in found and word.arg})
    return found


def entered(node: ast.expr, scope: Scope) -> object:
    """Return what `with node as ...` gives."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "autocommit_block":
            return AUTOCOMMIT
        if dotted(node.func, scope) == "alembic.op.batch_alter_table":
            named = {word.arg: word.value for word in node.keywords}
            table = text(node.args[0] if node.args else named.get("table_name"), scope)
            return Batch(table_name(table, text(named.get("schema"), scope)))
    return UNKNOWN


def decoded(source: bytes) -> str:
    """Return a file as Python reads it; raises SyntaxError or UnicodeDecodeError where it cannot."""
    if b"coding" not in source[:200]:
        try:
            return source.decode()
        except UnicodeDecodeError:
            pass
    from importlib.util import decode_source  # noqa: PLC0415 -- most files are plain UTF-8

    return decode_source(source)
