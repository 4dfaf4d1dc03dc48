"""`data-and-schema-mixed`: rows are changed in the transaction that changes the schema of a table in use.

Bad:
    def upgrade() -> None:
        op.add_column("users", sa.Column("active", sa.Boolean(), nullable=True))
        op.execute("UPDATE users SET active = true")

Why: ALTER TABLE takes an ACCESS EXCLUSIVE lock, and keeps it until the transaction ends: nobody reads or writes the
table while the rows are changed. Where the rows come first, they stay locked while ALTER TABLE waits for its lock, and
each try that does not get it undoes them. Apart, the lock is held for a moment, and rows can be changed in batches.
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES

Instead:
    def upgrade() -> None:
        op.execute("UPDATE users SET active = true")

Way out: `# allow: data-and-schema-mixed -- reason`, where the rows are few.
"""

from collections.abc import Iterator, Sequence

from app.migrations.checks import snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind, Operation

WITHOUT_STRONG_LOCK = frozenset({Kind.CREATE_TABLE, Kind.CREATE_OTHER, Kind.CREATE_TYPE, Kind.VALIDATE_CONSTRAINT})
VALUES = "values"


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the first rows of each transaction that are changed under a lock of its own schema changes."""
    operations = migration.upgrade.operations
    for segment in dict.fromkeys(each.place.segment for each in operations if not each.place.autocommit):
        own = [each for each in operations if each.place.segment == segment]
        rows = [each for each in own if each.kind is Kind.ROWS and each.what != VALUES and migration.is_old(each.table)]
        locked = [each for each in own if _locks(each, migration)]
        if rows and locked and rows[0].place.settled:
            before = own.index(rows[-1]) < own.index(locked[0])
            yield at(rows[0], _told(rows[0], locked[0], before), _instead(migration.upgrade.effective))


def _told(rows: Operation, locked: Operation, before: bool) -> str:
    """Return what follows; `before` tells that all rows are changed before the first lock is taken."""
    table, change = snippets.shown(rows.table), f"{locked.kind.value} (line {locked.line})"
    if before:
        return (
            f"The rows of {table} are changed in the transaction of {change}: they stay locked until that has got "
            "its own lock, and are changed anew with every try that does not get it."
        )
    return (
        f"The rows of {table} are changed in the transaction that holds the lock of {change}: nobody can use "
        f"{snippets.shown(locked.table)} until it ends."
    )


def _locks(operation: Operation, migration: Migration) -> bool:
    strong = operation.changes_schema and operation.kind not in WITHOUT_STRONG_LOCK
    return strong and migration.is_old(operation.table) and not operation.concurrently


def _instead(operations: Sequence[Operation]) -> str:
    """Return the same statements, schema and rows in revisions of their own."""
    parts: list[dict[str, None]] = []
    before: bool | None = None
    for operation in operations:
        rows = operation.kind is Kind.ROWS
        if rows is not before:
            parts.append({})
        before = rows
        if operation.call is not None:
            code = snippets.written(operation.call)
            parts[-1][snippets.autocommit(code) if operation.place.autocommit else code] = None
    return f"\n{snippets.NEXT}\n".join("\n".join(part) for part in parts)


RULE = Rule(
    "data-and-schema-mixed",
    Severity.WARNING,
    find,
    allowed("data-and-schema-mixed", "The rows are few?"),
    __doc__ or "",
)
