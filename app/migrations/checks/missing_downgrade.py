"""`missing-downgrade`: the upgrade changes the schema, and the downgrade does nothing.

Bad:
    def upgrade() -> None:
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))


    def downgrade() -> None:
        pass

Why: `inv db.downgrade` succeeds and says that the revision is undone, while the schema is still the new one. The next
upgrade then fails, because what it creates is there already.
https://www.postgresql.org/docs/current/ddl-alter.html

Instead:
    def upgrade() -> None:
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))


    def downgrade() -> None:
        op.drop_column("users", "phone")

Way out: `irreversible = "reason"` at the left margin, and a downgrade that raises. A project that has no downgrades at
all says so once: `no_downgrades = true`.
"""

from collections.abc import Iterator

from app.migrations.checks import inverse, snippets
from app.migrations.checks.rule import Known, Problem, Rule
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind, Operation


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the downgrade that is missing; a constraint that was only validated may stay so."""
    downgrade = migration.downgrade
    changes = [each for each in migration.upgrade.schema if each.kind is not Kind.VALIDATE_CONSTRAINT]
    if not changes or not downgrade.empty or migration.revision.irreversible is not None:
        return
    told = "there is no downgrade()" if downgrade.node is None else "downgrade() does nothing"
    first = next((each for each in changes if not each.derived), changes[0])
    message = (
        f"{told}, but upgrade() changes the schema ({first.kind.value}, line {first.line}): "
        f"{migration.revision.id} would count as undone and still be there, and applying it again may fail."
    )
    line = migration.upgrade.line if downgrade.node is None else downgrade.line
    yield Problem(line, message, _instead(migration))


def _instead(migration: Migration) -> str:
    """Return the downgrade, where every operation can be undone; else what says that it cannot."""
    codes = [
        inverse.code(operation) for operation in reversed(migration.upgrade.effective) if not _goes_along(operation)
    ]
    if not all(codes) or any(operation.place.looped for operation in migration.upgrade.effective):
        return snippets.irreversible("what it changes cannot be brought back: restore a backup")
    body = "\n".join(f"    {line}" for code in dict.fromkeys(codes) for line in code.splitlines())
    return f"def downgrade() -> None:\n{body}"


def _goes_along(operation: Operation) -> bool:
    return operation.derived and operation.kind is not Kind.CREATE_TYPE


RULE = Rule(
    "missing-downgrade",
    Severity.ERROR,
    find,
    'It cannot be undone? Say why: `irreversible = "reason"`, and let downgrade() raise',
    __doc__ or "",
    of_downgrades=True,
)
