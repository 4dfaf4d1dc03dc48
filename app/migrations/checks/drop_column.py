"""`drop-column`: a column is dropped that running code may still read, and that cannot be brought back.

Bad:
    def upgrade() -> None:
        op.drop_column("users", "name")

Why: the values are gone at once, and every query that names the column fails, which is what the code does that is
still running while this is applied. Renamed first, it can be renamed back.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DROP-COLUMN

Instead:
    def upgrade() -> None:
        op.alter_column("users", "name", new_column_name="deprecated_name")

Way out: `# allow: drop-column -- reason`. A column that is called deprecated_... can be dropped.
"""

from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind

DEPRECATED = "deprecated_"


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the columns that go without warning."""
    added = {(each.table, each.name) for each in migration.upgrade.operations if each.kind is Kind.ADD_COLUMN}
    for operation in migration.upgrade.operations:
        table, name = operation.table, operation.name
        old = operation.kind is Kind.DROP_COLUMN and migration.is_old(table) and (table, name) not in added
        if old and name and not name.startswith(DEPRECATED):
            message = (
                f"Dropping {snippets.shown(table, name)} loses its values, and breaks the code that still reads it."
            )
            new = DEPRECATED + name
            later = snippets.call("drop_column", table, snippets.text(new))
            yield at(operation, message, f"{snippets.rename_column(table, name, new)}\n{snippets.LATER}\n{later}")


RULE = Rule(
    "drop-column",
    Severity.WARNING,
    find,
    allowed("drop-column", "No running code reads it, nobody needs it?"),
    __doc__ or "",
)
