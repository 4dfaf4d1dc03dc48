"""`not-null-without-default`: a column that must have a value is added to a table that may have rows.

Bad:
    def upgrade() -> None:
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=False))

Why: the rows that are there have no value for it, so PostgreSQL refuses (23502), and the migration fails on every
database but an empty one.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-COLUMN

Instead:
    def upgrade() -> None:
        op.add_column("users", sa.Column("phone", sa.Text(), server_default="", nullable=False))

Way out: `# allow: not-null-without-default -- reason`, on a table that has no row anywhere.
"""

from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.quoting import quoted as sql_name
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind, Operation


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the columns that rows cannot have."""
    for operation in migration.upgrade.operations:
        column = operation.column
        if operation.kind is not Kind.ADD_COLUMN or column is None or not migration.is_old(operation.table):
            continue
        if column.nullable is False and column.default == "" and not column.identity and not column.computed:
            name, table = snippets.shown(operation.table, column.name), snippets.shown(operation.table)
            message = f"{name} is NOT NULL and has no default: this fails as soon as {table} has a row."
            yield at(operation, message, _instead(operation))


def _instead(operation: Operation) -> str:
    """Return the column without NOT NULL, and how it gets it when every row has a value."""
    table, name = operation.table, operation.name
    column = operation.column
    kind = (column.written or "sa.Text()") if column and not operation.sql else ""
    added = snippets.call("add_column", table, f"sa.Column({snippets.text(name)}, {kind}, nullable=True)")
    if operation.sql:
        added = snippets.execute(
            f"ALTER TABLE {snippets.sql_table(table)} ADD COLUMN {sql_name(name)} {column.type if column else ''}"
        )
    return "\n".join(
        [
            added,
            "# let the code write it, give the old rows a value in batches;",
            snippets.LATER,
            *not_null(table, name),
        ]
    )


def not_null(table: str, column: str) -> list[str]:
    """Return the lines that make a column NOT NULL without a scan under a lock that stops anybody, in two revisions."""
    own, check = snippets.sql_table(table), f"ck_{table.rpartition('.')[2]}_{column}_not_null"
    return [
        snippets.execute(
            f"ALTER TABLE {own} ADD CONSTRAINT {sql_name(check)} CHECK ({sql_name(column)} IS NOT NULL) NOT VALID"
        ),
        snippets.NEXT,
        snippets.validate(table, check),
        snippets.call("alter_column", table, snippets.text(column), "nullable=False"),
        snippets.execute(f"ALTER TABLE {own} DROP CONSTRAINT {sql_name(check)}"),
    ]


RULE = Rule(
    "not-null-without-default",
    Severity.WARNING,
    find,
    allowed("not-null-without-default", "The table has no row anywhere?"),
    __doc__ or "",
)
