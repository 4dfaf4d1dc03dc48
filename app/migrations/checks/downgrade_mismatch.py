"""`downgrade-mismatch`: the downgrade does not mention something that the upgrade creates, or drops.

Bad:
    def upgrade() -> None:
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.add_column("users", sa.Column("fax", sa.Text(), nullable=True))


    def downgrade() -> None:
        op.drop_column("users", "phone")

Why: what is left behind makes the next upgrade fail ("already exists"), or lives on where nobody expects it. An enum
type is the usual case: CREATE TABLE makes it, and dropping the table does not drop it.
https://www.postgresql.org/docs/current/sql-droptype.html

Instead:
    def upgrade() -> None:
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.add_column("users", sa.Column("fax", sa.Text(), nullable=True))


    def downgrade() -> None:
        op.drop_column("users", "fax")
        op.drop_column("users", "phone")

Way out: `# allow: downgrade-mismatch -- reason` at the operation of the upgrade.
"""

import ast
import re
from collections.abc import Iterator, Sequence

from app.migrations.checks import inverse, snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind, Operation
from app.migrations.sources.walker import Flow

CREATES = {
    Kind.CREATE_TABLE: "table", Kind.ADD_COLUMN: "column", Kind.CREATE_INDEX: "index",
    Kind.ADD_CONSTRAINT: "constraint", Kind.CREATE_TYPE: "type", Kind.CREATE_OTHER: "",
    Kind.RENAME_TABLE: "table", Kind.RENAME_COLUMN: "column",
}  # fmt: skip
DROPS = {
    Kind.DROP_TABLE: "table", Kind.DROP_COLUMN: "column", Kind.DROP_INDEX: "index", Kind.DROP_CONSTRAINT: "constraint",
    Kind.DROP_TYPE: "type", Kind.DROP_OTHER: "",
}  # fmt: skip
OF_A_TABLE = frozenset({Kind.ADD_COLUMN, Kind.CREATE_INDEX, Kind.ADD_CONSTRAINT, Kind.RENAME_COLUMN})
RENAMES = frozenset({Kind.RENAME_TABLE, Kind.RENAME_COLUMN})
_IF_NOT_EXISTS = re.compile(r"\bIF\s+NOT\s+EXISTS\b", re.IGNORECASE)
"""An extension that is made so may have been there before, and others may use it: a downgrade had better leave it."""
_WORD = re.compile(r"[^\W\d][\w$]*")


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return what the downgrade never mentions, where all that it does is known."""
    upgrade, downgrade = migration.upgrade, migration.downgrade
    if downgrade.empty or not downgrade.known or downgrade.flow is Flow.RAISES or _nameless(downgrade.operations):
        return
    mentioned = _mentioned(migration)
    made = {_name(each) for each in upgrade.operations if each.kind in CREATES}
    gone = {_name(each) for each in upgrade.operations if each.kind in DROPS}
    gone |= {_old_name(each) for each in upgrade.operations if each.kind in RENAMES} & made
    for operation in upgrade.operations:
        name = _name(operation)
        if not name or name in mentioned or operation.place.conditional:
            continue
        if operation.kind in CREATES and name not in gone and not _goes_along(operation, migration):
            if operation.what == "extension" and _IF_NOT_EXISTS.search(operation.sql):
                continue
            yield at(operation, _left(operation, migration.revision.id), _undone(operation))
        elif operation.kind in DROPS and name not in made and not _comes_along(operation, migration):
            yield at(
                operation, _lost(operation), snippets.irreversible(f"{_what(operation)} is gone: restore a backup")
            )


def _name(operation: Operation) -> str:
    """Return what is created or dropped, without its schema; "" where that is not known, or comes along."""
    if operation.kind in {Kind.RENAME_TABLE, Kind.RENAME_COLUMN}:
        return operation.to.rpartition(".")[2]
    if operation.kind in {Kind.CREATE_TABLE, Kind.DROP_TABLE}:
        return operation.table.rpartition(".")[2]
    derived = operation.derived and operation.kind is not Kind.CREATE_TYPE
    return "" if derived else operation.name.rpartition(".")[2]


def _old_name(operation: Operation) -> str:
    """Return what a renamed table or column was called before, without its schema."""
    return (operation.name if operation.kind is Kind.RENAME_COLUMN else operation.table).rpartition(".")[2]


def _nameless(operations: Sequence[Operation]) -> bool:
    """Tell whether anything is dropped or made whose name is computed."""
    changing = (each for each in operations if (each.kind in DROPS or each.kind in CREATES) and not each.derived)
    return any(not _name(each) for each in changing)


def _mentioned(migration: Migration) -> set[str]:
    """Return every name in the downgrade, also in its SQL and its texts."""
    found = set[str]()
    for each in migration.downgrade.operations:
        names = (each.table, each.name, each.to, *each.columns)
        found.update(part for name in names for part in [name, name.rpartition(".")[2]])
        found.update(_WORD.findall(each.sql))
    for node in ast.walk(migration.downgrade.node) if migration.downgrade.node else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update([node.value, *_WORD.findall(node.value)])
    return found


def _goes_along(operation: Operation, migration: Migration) -> bool:
    """Tell whether what is created goes with something else that the downgrade drops."""
    if operation.kind not in OF_A_TABLE:
        return False
    undone = migration.downgrade.operations
    if operation.table in {each.table for each in undone if each.kind is Kind.DROP_TABLE} or not operation.table:
        return True
    columns = {each.name for each in undone if each.kind is Kind.DROP_COLUMN and each.table == operation.table}
    indexed = operation.kind in {Kind.CREATE_INDEX, Kind.ADD_CONSTRAINT}
    return indexed and bool(columns) and (not operation.columns or not columns.isdisjoint(operation.columns))


def _comes_along(operation: Operation, migration: Migration) -> bool:
    """Tell whether what is dropped may come back with a table or a column that the downgrade makes."""
    if operation.kind not in {Kind.DROP_INDEX, Kind.DROP_CONSTRAINT}:
        return False
    back = [each for each in migration.downgrade.operations if each.kind in {Kind.CREATE_TABLE, Kind.ADD_COLUMN}]
    return any(not operation.table or each.table == operation.table for each in back)


def _what(operation: Operation) -> str:
    kind = {**CREATES, **DROPS}[operation.kind] or operation.what
    name = operation.to or operation.name or operation.table
    of = f" of {snippets.shown(operation.table)}" if operation.table and operation.table != name else ""
    return f"{kind} {snippets.shown(name)}{of}"


def _left(operation: Operation, revision: str) -> str:
    return (
        f"downgrade() never mentions the {_what(operation)}, which upgrade() creates: it stays behind when "
        f"{revision} is undone, and applying it again fails or finds it there."
    )


def _lost(operation: Operation) -> str:
    return f"upgrade() drops the {_what(operation)}, and downgrade() does not bring it back: older code will miss it."


def _undone(operation: Operation) -> str:
    code = inverse.code(operation) or f"# drop the {_what(operation)} here"
    body = "\n".join(f"    {line}" for line in code.splitlines())
    return f"def downgrade() -> None:\n    ...  # what is there\n{body}"


RULE = Rule(
    "downgrade-mismatch",
    Severity.WARNING,
    find,
    allowed("downgrade-mismatch", "It goes away by itself, or is meant to stay?"),
    __doc__ or "",
    of_downgrades=True,
)
