"""`volatile-default`: a column is added whose value is another one for every row that is there.

Bad:
    def upgrade() -> None:
        op.add_column("users", sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))

Why: a constant, and now() too, is kept once for all old rows; a volatile function has to be called for each, so the
table and its indexes are written anew under ACCESS EXCLUSIVE. Identity, serial and stored generated columns do the
same.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES

Instead:
    def upgrade() -> None:
        op.add_column("users", sa.Column("token", sa.Uuid(), nullable=True))
        op.alter_column("users", "token", server_default=sa.text("gen_random_uuid()"))

Way out: `# allow: volatile-default -- reason`, on a table that is small.
"""

import re
from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.quoting import literal
from app.migrations.quoting import quoted as sql_name
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Column, Kind, Operation

VOLATILE = re.compile(
    r"\b(gen_random_uuid|gen_random_bytes|uuid_generate_v[14]\w*|uuidv[47]|random|random_normal|clock_timestamp|timeofday"
    r"|nextval)\s*\(",
    re.I,
)


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the columns for which a table in use is written anew."""
    for operation in migration.upgrade.operations:
        column = operation.column
        if operation.kind is not Kind.ADD_COLUMN or column is None or not migration.is_old(operation.table):
            continue
        if why := _reason(column):
            table = snippets.shown(operation.table)
            name = snippets.shown(operation.table, operation.name)
            message = f"{name} {why}: {table} is written anew, and nobody can read or write it meanwhile."
            yield at(operation, message, _instead(operation, column))


def _reason(column: Column) -> str:
    called = VOLATILE.search(column.default or "")
    if called and not (column.default or "").startswith("'"):
        return f"gets another value from {called[1].lower()}() for every row"
    if column.identity:
        return "gets a number for every row"
    return "is computed and stored for every row" if column.computed == "stored" else ""


def _instead(operation: Operation, column: Column) -> str:
    """Return the column without values for the old rows, and a default for the new ones."""
    table, name = operation.table, operation.name
    own = f"ALTER TABLE {snippets.sql_table(table)}"
    if operation.sql:
        lines = [snippets.execute(f"{own} ADD COLUMN {sql_name(name)} {column.type.name or 'bigint'}")]
    else:
        kind = column.written or "sa.BigInteger()"
        lines = [snippets.call("add_column", table, f"sa.Column({snippets.text(name)}, {kind}, nullable=True)")]
    default = column.default or ""
    if column.identity:
        sequence = f"{table}_{name}_seq"
        lines.append(snippets.execute(f"CREATE SEQUENCE {snippets.sql_table(sequence)}"))
        default = f"nextval({literal(snippets.sql_table(sequence))})"
    if default:
        lines.append(snippets.execute(f"{own} ALTER COLUMN {sql_name(name)} SET DEFAULT {default}"))
        return "\n".join([*lines, "# then give the old rows their values in batches"])
    return "\n".join(
        [*lines, "# let the code, or a trigger, compute it; then give the old rows their values in batches"]
    )


RULE = Rule(
    "volatile-default", Severity.WARNING, find, allowed("volatile-default", "The table is small?"), __doc__ or ""
)
