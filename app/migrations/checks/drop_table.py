"""`drop-table`: a table is dropped that running code may still read, and that cannot be brought back.

Bad:
    def upgrade() -> None:
        op.drop_table("sessions")

Why: the rows are gone at once, and every query that names the table fails. Renamed first, it can be renamed back.
https://www.postgresql.org/docs/current/sql-droptable.html

Instead:
    def upgrade() -> None:
        op.rename_table("sessions", "deprecated_sessions")

Way out: `# allow: drop-table -- reason`. A table that is called deprecated_... can be dropped.
"""

from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.drop_column import DEPRECATED
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the tables that go without warning."""
    for operation in migration.upgrade.operations:
        table, name = operation.table, operation.table.rpartition(".")[2]
        if operation.kind is Kind.DROP_TABLE and migration.is_old(table) and not name.startswith(DEPRECATED):
            message = f"Dropping {snippets.shown(table)} loses its rows, and breaks the code that still reads it."
            new = DEPRECATED + name
            renamed = snippets.call("rename_table", table, snippets.text(new))
            later = snippets.call("drop_table", table[: -len(name)] + new)
            yield at(operation, message, f"{renamed}\n{snippets.LATER}\n{later}")


RULE = Rule(
    "drop-table",
    Severity.WARNING,
    find,
    allowed("drop-table", "No running code reads it, nobody needs it?"),
    __doc__ or "",
)
