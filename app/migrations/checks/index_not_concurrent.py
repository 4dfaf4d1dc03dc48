"""`index-not-concurrent`: an index of a table that is in use is built or dropped without CONCURRENTLY.

Bad:
    def upgrade() -> None:
        op.create_index("ix_users_email", "users", ["email"])

Why: CREATE INDEX takes a SHARE lock, which blocks every write to the table until the index is built; DROP INDEX and
the index behind UNIQUE and PRIMARY KEY take ACCESS EXCLUSIVE, which blocks reading too.
https://www.postgresql.org/docs/current/explicit-locking.html

Instead:
    def upgrade() -> None:
        with op.get_context().autocommit_block():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)

Way out: `# allow: index-not-concurrent -- reason`, on a table that is small.
"""

import re
from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.quoting import quoted as sql_name
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind, Operation

_INDEX = re.compile(r"\bINDEX\b", re.I)


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the indexes of tables that were there before."""
    for operation in migration.upgrade.operations:
        table = snippets.shown(operation.table) if operation.table else "its table"
        old, plain = migration.is_old(operation.table), operation.concurrently is False
        if operation.kind is Kind.CREATE_INDEX and plain and old:
            message = f"{_doing('Creating', operation)} blocks writes to {table} until it is built."
            yield at(operation, message, _built(operation))
        elif operation.kind is Kind.DROP_INDEX and plain and _is_old(operation, migration):
            message = f"{_doing('Dropping', operation)} blocks reads and writes of {table}, even while it waits."
            yield at(operation, message, _dropped(operation))
        elif _is_unique(operation) and old:
            message = (
                f"The index of this {operation.what} constraint blocks reads and writes of {table} until it is built."
            )
            yield at(operation, message, _attached(operation))


def _doing(verb: str, operation: Operation) -> str:
    return f"{verb} {f'the index {snippets.shown(operation.name)}' if operation.name else 'this index'}"


def _is_old(operation: Operation, migration: Migration) -> bool:
    """Tell whether an index that is dropped is one of a table in use; by its name alone nobody can tell the table."""
    if operation.table:
        gone = {each.table for each in migration.upgrade.operations if each.kind is Kind.DROP_TABLE}
        return migration.is_old(operation.table) and operation.table not in gone
    others = {Kind.DROP_TABLE, Kind.CREATE_INDEX, Kind.CREATE_TABLE}
    return all(each.kind not in others for each in migration.upgrade.operations)


def _is_unique(operation: Operation) -> bool:
    return operation.kind is Kind.ADD_CONSTRAINT and operation.what in {"unique", "primary key"} and not operation.using


def _built(operation: Operation) -> str:
    if operation.sql:
        return snippets.autocommit(snippets.execute(_INDEX.sub("INDEX CONCURRENTLY", operation.sql, count=1)))
    if not operation.derived:
        return snippets.autocommit(snippets.with_argument(operation, "postgresql_concurrently", "True"))
    return f"{_plain(operation, 'index')}\n{snippets.NEXT}\n{_index(operation, f'ix_{_end(operation)}', '')}"


def _dropped(operation: Operation) -> str:
    if operation.sql:
        return snippets.autocommit(snippets.execute(f"DROP INDEX CONCURRENTLY {snippets.sql_table(operation.name)}"))
    return snippets.autocommit(snippets.with_argument(operation, "postgresql_concurrently", "True"))


def _attached(operation: Operation) -> str:
    """Return how a constraint gets an index that was built beside the traffic."""
    name = operation.name or f"uq_{_end(operation)}"
    added = (
        f"ALTER TABLE {snippets.sql_table(operation.table)} ADD CONSTRAINT {sql_name(name)} {operation.what.upper()} "
        f"USING INDEX {sql_name(name)}"
    )
    before = f"{_plain(operation, 'unique')}\n{snippets.NEXT}\n" if operation.derived and not operation.sql else ""
    return f"{before}{_index(operation, name, ', unique=True')}\n{snippets.NEXT}\n{snippets.execute(added)}"


def _index(operation: Operation, name: str, unique: str) -> str:
    own, schema = snippets.owner(operation.table)
    columns = ", ".join(map(snippets.text, operation.columns)) or '"..."'
    call = f"op.create_index({snippets.text(name)}, {own}, [{columns}]{unique}{schema}, postgresql_concurrently=True)"
    return snippets.autocommit(call)


def _plain(operation: Operation, argument: str) -> str:
    """Return the call that adds the column, without its index."""
    written = snippets.written(operation.call) if operation.call else ""
    return re.sub(rf",\s*{argument}=True", "", written)


def _end(operation: Operation) -> str:
    return "_".join([operation.table.rpartition(".")[2], *operation.columns])


RULE = Rule(
    "index-not-concurrent",
    Severity.WARNING,
    find,
    allowed("index-not-concurrent", "The table is small?"),
    __doc__ or "",
)
