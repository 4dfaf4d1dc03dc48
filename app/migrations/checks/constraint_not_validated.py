"""`constraint-not-validated`: a constraint is added and every row checked against it under one lock.

Bad:
    def upgrade() -> None:
        op.create_foreign_key("fk_users_tenant_id_tenants", "users", "tenants", ["tenant_id"], ["id"])

Why: the whole table is read while writes wait (a foreign key: SHARE ROW EXCLUSIVE, on both tables) or reads too
(CHECK, SET NOT NULL: ACCESS EXCLUSIVE). With NOT VALID the lock is held for a moment; VALIDATE in a transaction of
its own lets everybody read and write. SET NOT NULL reads nothing where a validated CHECK says the same.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES

Instead:
    def upgrade() -> None:
        op.create_foreign_key(
            "fk_users_tenant_id_tenants", "users", "tenants", ["tenant_id"], ["id"], postgresql_not_valid=True
        )

Way out: `# allow: constraint-not-validated -- reason`, on a table that is small.
"""

import ast
from collections.abc import Iterator

from app.migrations.checks import not_null_without_default, snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind, Operation

CHECKED = frozenset({"foreign key", "check"})


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the constraints for which a table is read under its lock."""
    for operation in migration.upgrade.operations:
        if not migration.is_old(operation.table):
            continue
        if operation.kind is Kind.ADD_CONSTRAINT and operation.what in CHECKED:
            if operation.validated:
                yield at(operation, _message(operation), _instead(operation))
            elif _validated_at_once(operation, migration):
                yield at(operation, _message(operation), _apart(operation))
        elif operation.kind is Kind.SET_NOT_NULL and operation.name and not _is_prepared(operation, migration):
            name, table = snippets.shown(operation.table, operation.name), snippets.shown(operation.table)
            message = f"SET NOT NULL reads all of {table} to check {name}, and blocks reads and writes meanwhile."
            instead = "\n".join(not_null_without_default.not_null(operation.table, operation.name))
            yield at(operation, message, instead)


def _message(operation: Operation) -> str:
    table = snippets.shown(operation.table)
    if operation.what == "check":
        return f"All of {table} is read to check this constraint, and nobody can read or write it meanwhile."
    both = f" and {snippets.shown(operation.referent)}" if operation.referent else ""
    return f"All of {table} is read to check this foreign key, and writes to {table.rstrip()}{both} wait meanwhile."


def _validated_at_once(operation: Operation, migration: Migration) -> bool:
    """Tell whether VALIDATE follows in the same transaction, which still holds the lock of ADD CONSTRAINT."""
    segment = operation.place.segment
    return bool(operation.name) and any(
        each.kind is Kind.VALIDATE_CONSTRAINT
        and (each.table, each.name) == (operation.table, operation.name)
        and each.place.segment == segment
        and not each.place.autocommit
        for each in migration.upgrade.operations
    )


def _is_prepared(operation: Operation, migration: Migration) -> bool:
    """Tell whether a constraint of this table is validated or dropped here: what the recipe for SET NOT NULL does."""
    done = {Kind.VALIDATE_CONSTRAINT, Kind.DROP_CONSTRAINT, Kind.ADD_COLUMN}
    return any(each.kind in done and each.table == operation.table for each in migration.upgrade.operations)


def _instead(operation: Operation) -> str:
    """Return the constraint with NOT VALID, and its validation in another revision."""
    if operation.derived:
        return _of_column(operation)
    name = operation.name or _invented(operation)
    if operation.sql:
        added = snippets.execute(f"{operation.sql} NOT VALID")
    else:
        added = snippets.with_argument(_named(operation, name), "postgresql_not_valid", "True")
    known = bool(operation.name) or not operation.sql
    after = snippets.validate(operation.table, name) if known else "# ALTER TABLE ... VALIDATE CONSTRAINT ..."
    return f"{added}\n{snippets.NEXT}\n{after}"


def _named(operation: Operation, name: str) -> Operation:
    """Return the operation with its name taken as it is, and not as a part of one that the conventions make."""
    node = snippets.copied(operation.call) if operation.call else None
    if node is not None and node.args:
        node.args[0] = ast.parse(f"op.f({snippets.text(name)})", mode="eval").body
    return operation._replace(call=node)


def _invented(operation: Operation) -> str:
    kind = "fk" if operation.what == "foreign key" else "ck"
    return "_".join(filter(None, [kind, operation.table.rpartition(".")[2], *operation.columns, operation.referent]))


def _of_column(operation: Operation) -> str:
    """Return a new column with its foreign key: in one statement nothing is read, since no row has a value yet."""
    column = operation.column
    if column is None or column.default == "":
        return snippets.with_argument(operation, "inline_references", "True")
    name = _invented(operation)
    own, schema = snippets.owner(operation.table)
    other, of = snippets.owner(column.referent)
    schemas = schema.replace("schema", "source_schema") + of.replace("schema", "referent_schema")
    key = (
        f"op.create_foreign_key(op.f({snippets.text(name)}), {own}, {other}, [{snippets.text(column.name)}], "
        f"[{snippets.text(column.referenced)}]{schemas}, postgresql_not_valid=True)"
    )
    return f"{_without_key(operation)}\n{key}\n{snippets.NEXT}\n{snippets.validate(operation.table, name)}"


def _without_key(operation: Operation) -> str:
    node = snippets.copied(operation.call) if operation.call else None
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Call):
            part.args = [each for each in part.args if not _is_key(each)]
    return snippets.written(node) if node is not None else ""


def _is_key(node: ast.expr) -> bool:
    function = node.func if isinstance(node, ast.Call) else None
    return ast.unparse(function).rpartition(".")[2] == "ForeignKey" if function is not None else False


def _apart(operation: Operation) -> str:
    added = snippets.execute(operation.sql) if operation.sql else snippets.written(operation.call or ast.Tuple([]))
    return f"{added}\n{snippets.NEXT}\n{snippets.validate(operation.table, operation.name)}"


RULE = Rule(
    "constraint-not-validated",
    Severity.WARNING,
    find,
    allowed("constraint-not-validated", "The table is small?"),
    __doc__ or "",
)
