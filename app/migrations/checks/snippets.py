"""Code for findings, with the names of the migration at hand. Writes text, runs nothing."""

import ast

from app.migrations.quoting import quoted as sql_name
from app.migrations.sources.operations import Operation

NEXT = "# in the next revision:"
LATER = "# in a later revision, when no running code uses it:"
BACKFILL = "# let the code write both, give the old rows their values in batches, let it read the new one;\n" + LATER
POSITION = {"create_index": 1, "drop_index": 1, "create_foreign_key": 1, "create_check_constraint": 1}


def text(value: str) -> str:
    """Return a text as Python writes it, in the quotes that need no backslash."""
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n")
    return "'" + escaped + "'" if '"' in value and "'" not in value else '"' + escaped.replace('"', '\\"') + '"'


def owner(table: str) -> tuple[str, str]:
    """Return a table as an argument, and the argument for its schema, if it has one."""
    schema, _, name = table.rpartition(".")
    return text(name), f", schema={text(schema)}" if schema else ""


def sql_table(table: str) -> str:
    """Return a table as SQL."""
    return ".".join(map(sql_name, table.split(".")))


def shown(table: str, column: str = "") -> str:
    """Return a table or a column of it as a message names it."""
    return f'"{table}"."{column}"' if column else f'"{table}"'


def call(name: str, table: str, *arguments: str) -> str:
    """Return `op.name("table", ...)`."""
    own, schema = owner(table)
    return f"op.{name}({', '.join([own, *arguments])}{schema})"


def execute(statement: str) -> str:
    """Return `op.execute("...")`."""
    return f"op.execute({text(' '.join(statement.split()))})"


def rename_column(table: str, old: str, new: str) -> str:
    """Return the call that renames a column."""
    return call("alter_column", table, text(old), f"new_column_name={text(new)}")


def autocommit(code: str) -> str:
    """Return code in an autocommit block."""
    inside = "\n".join(f"    {line}" for line in code.splitlines())
    return f"with op.get_context().autocommit_block():\n{inside}"


def validate(table: str, name: str) -> str:
    """Return the call that checks the rows that are there against a constraint."""
    return execute(f"ALTER TABLE {sql_table(table)} VALIDATE CONSTRAINT {sql_name(name)}")


def irreversible(reason: str) -> str:
    """Return the lines of a revision that cannot be undone."""
    return f"irreversible = {text(reason)}\n\n\ndef downgrade() -> None:\n    raise NotImplementedError(irreversible)"


def written(node: ast.AST) -> str:
    """Return code on one line, in double quotes where that changes nothing."""
    found = ast.unparse(node)
    return found if '"' in found or "\\" in found else found.replace("'", '"')


def copied(node: ast.Call) -> ast.Call:
    """Return a call that can be changed, and the first one stays as it is."""
    from copy import deepcopy  # noqa: PLC0415 -- 5 ms that a file without a finding need not pay

    return deepcopy(node)


def with_argument(operation: Operation, name: str, value: str) -> str:
    """Return the call of an operation with one more argument; a call of a batch becomes one of `op`."""
    if operation.call is None:
        return ""
    node = copied(operation.call)
    if isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id == "op"
    ):
        method = node.func.attr
        if method in POSITION and not _names_table(node, operation):
            node.args.insert(POSITION[method], ast.Constant(operation.table.rpartition(".")[2]))
        node.func = ast.Attribute(ast.Name("op"), method)
    node.keywords = [word for word in node.keywords if word.arg != name]
    node.keywords.append(ast.keyword(name, ast.parse(value, mode="eval").body))
    return written(node)


def _names_table(node: ast.Call, operation: Operation) -> bool:
    known = operation.table.rpartition(".")[2]
    return any(isinstance(each, ast.Constant) and each.value == known for each in node.args[1:2])
