"""`concurrently-in-transaction`: CONCURRENTLY inside the transaction of the migration.

Bad:
    def upgrade() -> None:
        op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)

Why: PostgreSQL refuses it (25001: cannot run inside a transaction block), so the migration fails wherever it is run.
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY

Instead:
    def upgrade() -> None:
        with op.get_context().autocommit_block():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)

Way out: `# allow: concurrently-in-transaction -- reason`, where the connection commits by itself for another reason.
"""

from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind, Operation


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return what will be refused, on the way up and on the way down."""
    for operation in (*migration.upgrade.operations, *migration.downgrade.operations):
        inside = operation.place.settled and not operation.place.autocommit
        if operation.concurrently and (inside or operation.together):
            yield at(operation, _message(operation), _instead(operation))


def _message(operation: Operation) -> str:
    what = f"{_doing(operation)} CONCURRENTLY"
    if operation.together and operation.place.autocommit:
        return (
            f"{what} is sent together with other statements, which makes them one transaction: PostgreSQL refuses it."
        )
    return (
        f"{what} inside the migration's transaction is refused by PostgreSQL: this revision fails wherever it is run."
    )


def _doing(operation: Operation) -> str:
    verb = {Kind.CREATE_INDEX: "Creating", Kind.DROP_INDEX: "Dropping"}.get(operation.kind)
    if verb is None:
        return (
            "REINDEX"
            if operation.kind is Kind.SETTING
            else f"Detaching a partition of {snippets.shown(operation.table)}"
        )
    return f"{verb} the index {snippets.shown(operation.name)}" if operation.name else f"{verb} an index"


def _instead(operation: Operation) -> str:
    if operation.sql:
        return snippets.autocommit(snippets.execute(operation.sql))
    return snippets.autocommit(snippets.with_argument(operation, "postgresql_concurrently", "True"))


RULE = Rule(
    "concurrently-in-transaction",
    Severity.ERROR,
    find,
    allowed("concurrently-in-transaction", "The connection commits by itself here?"),
    __doc__ or "",
)
