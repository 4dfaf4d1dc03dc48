"""`type-change`: a column gets a type for which PostgreSQL writes the whole table anew.

Bad:
    def upgrade() -> None:
        op.alter_column("users", "age", type_=sa.BigInteger(), existing_type=sa.Integer())

Why: the table and all its indexes are written anew under an ACCESS EXCLUSIVE lock: nobody reads or writes it
meanwhile. A longer varchar, text in place of varchar, or a numeric with more digits before the point costs nothing of
that.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES

Instead:
    def upgrade() -> None:
        op.add_column("users", sa.Column("age_bigint", sa.BigInteger(), nullable=True))

Way out: `# allow: type-change -- reason`, on a table that is small.
"""

from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.drop_column import DEPRECATED
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.quoting import quoted as sql_name
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind, Operation, Type

REWRITING = frozenset({
    "integer", "bigint", "smallint", "boolean", "double precision", "real", "uuid", "date", "bytea", "jsonb", "json",
})  # fmt: skip
"""Types that no other type becomes without being written anew."""
TEXTS = frozenset({"varchar", "text"})
COERCED = frozenset({
    ("cidr", "inet"), ("varchar", "text"), ("text", "varchar"),
    ("varchar", "citext"), ("text", "citext"), ("citext", "varchar"), ("citext", "text"),
})  # fmt: skip
"""Types with the same bytes: those of the extension citext are cast WITHOUT FUNCTION."""


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the changes that are known to rewrite."""
    for operation in migration.upgrade.operations:
        if operation.kind is not Kind.CHANGE_TYPE or not migration.is_old(operation.table) or not operation.name:
            continue
        if rewrites(operation.old_type, operation.type, operation.using):
            old = f" from {operation.old_type}" if operation.old_type.name else ""
            name, table = snippets.shown(operation.table, operation.name), snippets.shown(operation.table)
            message = (
                f"Changing {name}{old} to {operation.type} writes {table} anew; nobody can read or write it meanwhile."
            )
            yield at(operation, message, _instead(operation))


def rewrites(old: Type, new: Type, using: bool = False) -> bool:
    """Tell whether it is certain that PostgreSQL writes the table anew, or reads all of it."""
    if old == new and old.name:
        return False
    if not old.name:
        return new.name in REWRITING
    if not new.name or "enum" in (old.name + new.name).split() or using:
        return bool(new.name) and old.name != new.name and (old.name, new.name) not in COERCED
    if old.name != new.name:
        return (old.name, new.name) not in COERCED or bool(new.modifiers)
    return not _widens(old, new)


def _widens(old: Type, new: Type) -> bool:
    """Tell whether every value of a type fits into the same type with other modifiers."""
    if not new.modifiers:
        return True
    if not old.modifiers or new.name in {"char", "bit"}:
        return False
    if new.name == "numeric":
        return (*old.modifiers, 0)[1] == (*new.modifiers, 0)[1] and new.modifiers[0] >= old.modifiers[0]
    return new.modifiers[0] >= old.modifiers[0]


def _instead(operation: Operation) -> str:
    table, name = operation.table, operation.name
    new = f"{name}_{operation.type.name.split()[0]}"
    if operation.sql:
        added = f"ALTER TABLE {snippets.sql_table(table)} ADD COLUMN {sql_name(new)} {operation.type}"
        code = snippets.execute(added)
    else:
        code = snippets.call("add_column", table, f"sa.Column({snippets.text(new)}, {operation.to}, nullable=True)")
    return f"{code}\n{snippets.BACKFILL}\n{snippets.rename_column(table, name, DEPRECATED + name)}"


RULE = Rule("type-change", Severity.WARNING, find, allowed("type-change", "The table is small?"), __doc__ or "")
