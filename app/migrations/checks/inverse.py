"""What undoes an operation, as code. Nothing where the file does not say it."""

from app.migrations.checks import snippets
from app.migrations.quoting import quoted as sql_name
from app.migrations.sources.operations import Kind, Operation


def code(operation: Operation) -> str:
    """Return the code that undoes an operation; "" where that is not known, or where nothing can."""
    table, name = operation.table, operation.name
    if operation.derived and operation.kind is not Kind.CREATE_TYPE:
        return ""
    if operation.kind is Kind.CREATE_TABLE and table:
        return snippets.call("drop_table", table)
    if operation.kind is Kind.CREATE_TYPE and name:
        return snippets.execute(f"DROP TYPE {snippets.sql_table(name)}")
    if operation.kind is Kind.CREATE_OTHER and name and operation.what in {"view", "materialized view", "sequence"}:
        return snippets.execute(f"DROP {operation.what.upper()} {snippets.sql_table(name)}")
    return _of_table(operation) if table and name else ""


def _of_table(operation: Operation) -> str:
    table, name, kind = operation.table, operation.name, operation.kind
    if kind is Kind.CREATE_INDEX:
        return _drop_index(operation)
    if kind is Kind.RENAME_COLUMN and operation.to:
        return snippets.rename_column(table, operation.to, name)
    if kind is Kind.RENAME_TABLE and operation.to:
        return snippets.call("rename_table", operation.to, snippets.text(name.rpartition(".")[2]))
    dropped = snippets.execute(f"ALTER TABLE {snippets.sql_table(table)} DROP CONSTRAINT {sql_name(name)}")
    return {
        Kind.ADD_COLUMN: snippets.call("drop_column", table, snippets.text(name)),
        Kind.ADD_CONSTRAINT: dropped,
        Kind.SET_NOT_NULL: snippets.call("alter_column", table, snippets.text(name), "nullable=True"),
    }.get(kind, "")


def _drop_index(operation: Operation) -> str:
    own, schema = snippets.owner(operation.table)
    arguments = f"{snippets.text(operation.name)}, table_name={own}{schema}"
    if operation.concurrently:
        return snippets.autocommit(f"op.drop_index({arguments}, postgresql_concurrently=True)")
    return f"op.drop_index({arguments})"
