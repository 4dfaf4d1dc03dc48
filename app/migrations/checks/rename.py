"""`rename`: a table or a column gets another name while code runs that knows the old one.

Bad:
    def upgrade() -> None:
        op.rename_table("sessions", "logins")

Why: a migration and the code that fits it are never live at the same moment. From the commit on, every query of the
running code that names the old one fails.
https://www.postgresql.org/docs/current/sql-altertable.html

Instead:
    def upgrade() -> None:
        op.rename_table("sessions", "logins")
        op.execute("CREATE VIEW sessions AS TABLE logins")

Way out: `# allow: rename -- reason`. Renaming to deprecated_... and back is the first step of dropping, and fine.
"""

from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.drop_column import DEPRECATED
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind, Operation


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the names that running code will look for in vain."""
    made = {
        each.name for each in migration.upgrade.operations if each.kind is Kind.CREATE_OTHER and each.what == "view"
    }
    made |= {each.name for each in migration.upgrade.operations if each.kind is Kind.ADD_COLUMN}
    for operation in migration.upgrade.operations:
        names = [name.rpartition(".")[2] for name in (operation.name, operation.to)]
        if not all(names) or any(name.startswith(DEPRECATED) for name in names) or operation.name in made:
            continue
        if operation.kind is Kind.RENAME_TABLE and migration.is_old(operation.table):
            yield at(operation, _message("table " + snippets.shown(operation.table)), _with_view(operation))
        elif operation.kind is Kind.RENAME_COLUMN and migration.is_old(operation.table):
            name = snippets.shown(operation.table, operation.name)
            yield at(operation, _message(name), _beside(operation))


def _message(name: str) -> str:
    return (
        f"From this commit on, the code that is still running finds no {name}: its queries fail until it is replaced."
    )


def _with_view(operation: Operation) -> str:
    """Return the same with a view of the old name, through which rows can be read and written."""
    schema, _, name = operation.to.rpartition(".")
    renamed = snippets.call("rename_table", operation.table, snippets.text(name))
    old, new = snippets.sql_table(operation.table), snippets.sql_table(f"{schema}.{name}" if schema else name)
    view = snippets.execute(f"CREATE VIEW {old} AS TABLE {new}")
    return f"{renamed}\n{view}\n{snippets.LATER}\n{snippets.execute(f'DROP VIEW {old}')}"


def _beside(operation: Operation) -> str:
    """Return the new column beside the old one; the type is the one of the old column, where the call says it."""
    table, new = operation.table, operation.to
    added = f"sa.Column({snippets.text(new)}, {operation.what or 'sa.Text()'}, nullable=True)"
    note = "" if operation.what else f"  # the type of {operation.name}"
    retired = snippets.rename_column(table, operation.name, DEPRECATED + operation.name)
    return f"{snippets.call('add_column', table, added)}{note}\n{snippets.BACKFILL}\n{retired}"


RULE = Rule("rename", Severity.WARNING, find, allowed("rename", "No running code uses it?"), __doc__ or "")
