"""What the calls of `op` and of a batch do, as operations. Knows Alembic's signatures, never its code."""

import ast
from collections.abc import Callable, Iterator, Mapping

from app.migrations.lean import NamedTuple
from app.migrations.sources.columns import column, enum_name, is_part, type_of
from app.migrations.sources.operations import Kind, Operation, table_name
from app.migrations.sources.values import Expression, dotted, evaluate, is_known, resolve, text

PARAMETERS = {
    "create_table": ("table_name",), "drop_table": ("table_name",),
    "rename_table": ("old_table_name", "new_table_name"),
    "add_column": ("table_name", "column"), "drop_column": ("table_name", "column_name"),
    "alter_column": ("table_name", "column_name"), "create_index": ("index_name", "table_name", "columns"),
    "drop_index": ("index_name", "table_name"),
    "create_foreign_key": ("constraint_name", "source_table", "referent_table", "local_cols", "remote_cols"),
    "create_check_constraint": ("constraint_name", "table_name", "condition"),
    "create_unique_constraint": ("constraint_name", "table_name", "columns"),
    "create_primary_key": ("constraint_name", "table_name", "columns"),
    "create_exclude_constraint": ("constraint_name", "table_name"),
    "drop_constraint": ("constraint_name", "table_name", "type_"),
    "create_table_comment": ("table_name",), "drop_table_comment": ("table_name",), "bulk_insert": ("table", "rows"),
}  # fmt: skip
TABLE_PARAMETERS = frozenset({"table_name", "source_table"})
CONSTRAINTS = {
    "create_foreign_key": "foreign key", "create_check_constraint": "check", "create_unique_constraint": "unique",
    "create_primary_key": "primary key", "create_exclude_constraint": "exclude",
}  # fmt: skip
HARMLESS = frozenset({"get_bind", "get_context", "f", "batch_alter_table", "inline_literal"})


class Call(NamedTuple):
    """A call of one of the methods of `op`, its arguments by name; `table` is the batch's, "" outside of one."""

    node: ast.Call
    scope: Mapping[str, object]
    arguments: Mapping[str, ast.expr]
    spread: bool
    batch: str | None

    def text(self, name: str) -> str:
        """Return an argument that is a text, "" where it is not known."""
        return text(self.arguments.get(name), self.scope)

    def is_true(self, name: str) -> bool:
        """Return whether an argument is true for certain."""
        return name in self.arguments and evaluate(self.arguments[name], self.scope) is True

    def texts(self, name: str) -> tuple[str, ...]:
        """Return an argument that is a list of texts; () where any of it is not known."""
        value = evaluate(self.arguments[name], self.scope) if name in self.arguments else ()
        known = type(value) is tuple and all(isinstance(item, str) for item in value)
        return tuple(str(item) for item in value) if known and isinstance(value, tuple) else ()

    @property
    def table(self) -> str:
        """Return the table that is worked on."""
        if self.batch is not None:
            return self.batch
        name = self.text("table_name") or self.text("source_table") or self.text("old_table_name")
        return table_name(name, self.text("schema") or self.text("source_schema"))


def read(method: str, node: ast.Call, scope: Mapping[str, object], batch: str | None = None) -> Iterator[Operation]:
    """Return what a call does; what this cannot tell is one operation of the kind UNKNOWN."""
    if method in HARMLESS:
        return
    reader = _READERS.get(method)
    if reader is None:
        yield Operation(Kind.UNKNOWN, call=node)
        return
    names = PARAMETERS.get(method, ())
    if batch is not None:
        names = tuple(name for name in names if name not in TABLE_PARAMETERS)
    arguments = dict(zip(names, node.args, strict=False))
    arguments.update({word.arg: word.value for word in node.keywords if word.arg})
    spread = any(word.arg is None for word in node.keywords)
    spread = spread or any(isinstance(argument, ast.Starred) for argument in node.args)
    call = Call(node, scope, arguments, spread, batch)
    yield from (operation._replace(call=node) for operation in reader(method, call))


def _create_table(_: str, call: Call) -> Iterator[Operation]:
    parts = [_part(argument, call) for argument in call.node.args[1:]]
    foreign = tuple(part.referent for part in parts if part.referent)
    columns = tuple(part.name for part in parts if part.kind is Kind.ADD_COLUMN)
    for part in parts:
        if part.column is not None and part.column.enum:
            yield Operation(Kind.CREATE_TYPE, name=part.column.enum, derived=True)
    yield Operation(Kind.CREATE_TABLE, call.table, columns=columns, referent=" ".join(foreign))


def _part(node: ast.expr, call: Call) -> Operation:
    """Return a column or constraint of a new table."""
    found = column(node, call.scope)
    if found is not None:
        return Operation(Kind.ADD_COLUMN, name=found.name, column=found, referent=found.referent)
    node, scope = resolve(node, call.scope)
    if isinstance(node, ast.Call) and dotted(node.func, scope).endswith("ForeignKeyConstraint") and len(node.args) > 1:
        remote = evaluate(node.args[1], scope)
        first = remote[0] if type(remote) is tuple and remote else ""
        return Operation(Kind.ADD_CONSTRAINT, referent=first.rpartition(".")[0] if isinstance(first, str) else "")
    return Operation(Kind.OTHER)


def _drop_table(_: str, call: Call) -> Iterator[Operation]:
    yield Operation(Kind.DROP_TABLE, call.table)


def _rename_table(_: str, call: Call) -> Iterator[Operation]:
    new = table_name(call.text("new_table_name"), call.text("schema"))
    yield Operation(Kind.RENAME_TABLE, call.table, name=call.table, to=new)


def _add_column(_: str, call: Call) -> Iterator[Operation]:
    found = column(call.arguments["column"], call.scope) if "column" in call.arguments else None
    if found is None:
        yield Operation(Kind.ADD_COLUMN, call.table)
        return
    added = Operation(
        Kind.ADD_COLUMN, call.table, found.name, column=found, referent=found.referent, columns=(found.name,)
    )
    yield added
    derived = Operation(Kind.ADD_CONSTRAINT, call.table, columns=(found.name,), column=found, derived=True)
    if found.referent:
        inline = call.is_true("inline_references")
        skipped = inline and found.default == ""
        yield derived._replace(what="foreign key", referent=found.referent, validated=not skipped)
    if found.unique:
        yield derived._replace(what="unique")
    elif found.indexed:
        yield derived._replace(kind=Kind.CREATE_INDEX)


def _drop_column(_: str, call: Call) -> Iterator[Operation]:
    yield Operation(Kind.DROP_COLUMN, call.table, call.text("column_name"))


def _alter_column(_: str, call: Call) -> Iterator[Operation]:
    base = Operation(Kind.OTHER, call.table, call.text("column_name"))
    old, found = type_of(call.arguments.get("existing_type"), call.scope), 0
    if "type_" in call.arguments and not _is_none(call, "type_"):
        new = type_of(call.arguments["type_"], call.scope)
        written = ast.unparse(call.arguments["type_"]).replace("'", '"')
        using = bool(call.arguments.get("postgresql_using"))
        yield base._replace(kind=Kind.CHANGE_TYPE, type=new, old_type=old, using=using, to=written)
        found = 1
    if "nullable" in call.arguments:
        value = evaluate(call.arguments["nullable"], call.scope)
        if isinstance(value, bool):
            yield base._replace(kind=Kind.DROP_NOT_NULL if value else Kind.SET_NOT_NULL)
            found = 1
    if "server_default" in call.arguments:
        yield base._replace(kind=Kind.CHANGE_DEFAULT)
        found = 1
    if "new_column_name" in call.arguments and not _is_none(call, "new_column_name"):
        node = call.arguments.get("existing_type")
        written = "" if node is None else ast.unparse(node).replace("'", '"')
        yield base._replace(kind=Kind.RENAME_COLUMN, to=call.text("new_column_name"), what=written)
        found = 1
    if not found:
        yield base if not call.spread else Operation(Kind.UNKNOWN)


def _is_none(call: Call, name: str) -> bool:
    return evaluate(call.arguments[name], call.scope) is None


def _create_index(_: str, call: Call) -> Iterator[Operation]:
    what, columns = "unique" if call.is_true("unique") else "", call.texts("columns")
    name, concurrently = call.text("index_name"), _concurrently(call)
    yield Operation(Kind.CREATE_INDEX, call.table, name, what=what, columns=columns, concurrently=concurrently)


def _concurrently(call: Call) -> bool | None:
    """Tell whether CONCURRENTLY is said; None where that is not known."""
    node = call.arguments.get("postgresql_concurrently")
    value = evaluate(node, call.scope) if node is not None else False
    return None if call.spread or not is_known(value) else bool(value)


def _drop_index(_: str, call: Call) -> Iterator[Operation]:
    yield Operation(Kind.DROP_INDEX, call.table, call.text("index_name"), concurrently=_concurrently(call))


def _create_constraint(method: str, call: Call) -> Iterator[Operation]:
    node = call.arguments.get("postgresql_not_valid")
    validated = not call.spread and (node is None or evaluate(node, call.scope) in (False, None))
    columns = call.texts("local_cols") or call.texts("columns")
    referent = table_name(call.text("referent_table"), call.text("referent_schema"))
    yield Operation(
        Kind.ADD_CONSTRAINT, call.table, call.text("constraint_name"), what=CONSTRAINTS[method], columns=columns,
        referent=referent, validated=validated,
    )  # fmt: skip


def _drop_constraint(_: str, call: Call) -> Iterator[Operation]:
    what = {"foreignkey": "foreign key", "primary": "primary key"}.get(call.text("type_"), call.text("type_"))
    yield Operation(Kind.DROP_CONSTRAINT, call.table, call.text("constraint_name"), what=what)


def _comment(_: str, call: Call) -> Iterator[Operation]:
    yield Operation(Kind.OTHER, call.table)


def _bulk_insert(_: str, call: Call) -> Iterator[Operation]:
    table = rows_of(call.arguments["table"], call.scope) if "table" in call.arguments else ""
    yield Operation(Kind.ROWS, table, what="values")


def rows_of(node: ast.expr, scope: Mapping[str, object]) -> str:
    """Return the table that `sa.table(...)`, `sa.Table(...)` or a name for one of them stands for."""
    node, scope = resolve(node, scope)
    if isinstance(node, ast.Call) and is_part(node.func, scope, "table") and node.args:
        schema = next((text(word.value, scope) for word in node.keywords if word.arg == "schema"), "")
        return table_name(text(node.args[0], scope), schema)
    return ""


def of_type(method: str, node: ast.Call, scope: Mapping[str, object]) -> Iterator[Operation]:
    """Return what `.create(...)` or `.drop(...)` of an Enum does; nothing for any other owner."""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else node
    name = enum_name(owner, scope)
    if name:
        yield Operation(Kind.CREATE_TYPE if method == "create" else Kind.DROP_TYPE, name=name, call=node)
    elif not is_known(evaluate(owner, scope)) or isinstance(evaluate(owner, scope), Expression):
        yield Operation(Kind.UNKNOWN, call=node)


_READERS: dict[str, Callable[[str, Call], Iterator[Operation]]] = {
    "create_table": _create_table, "drop_table": _drop_table, "rename_table": _rename_table,
    "add_column": _add_column, "drop_column": _drop_column, "alter_column": _alter_column,
    "create_index": _create_index, "drop_index": _drop_index, **dict.fromkeys(CONSTRAINTS, _create_constraint),
    "drop_constraint": _drop_constraint, "create_table_comment": _comment, "drop_table_comment": _comment,
    "bulk_insert": _bulk_insert,
}  # fmt: skip
