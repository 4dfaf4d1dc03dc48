"""`irreversible`: the downgrade raises and the module does not say so, or says so and the downgrade does not raise.

Bad:
    def upgrade() -> None:
        op.drop_table("deprecated_sessions")


    def downgrade() -> None:
        raise NotImplementedError("the rows are gone")

Why: `inv db.downgrade` across a revision that declares it is refused before anything is undone, and names the backup.
Undeclared, the downgrade stops in the middle: the revisions above it are undone, it and the rest are not. Declared
without raising, plain `alembic downgrade` passes it in silence.
https://www.postgresql.org/docs/current/backup-dump.html

Instead:
    irreversible = "the rows are gone"


    def upgrade() -> None:
        op.drop_table("deprecated_sessions")


    def downgrade() -> None:
        raise NotImplementedError(irreversible)

Way out: none; this is the way out of `missing-downgrade`.
"""

import ast
from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.rule import Known, Problem, Rule
from app.migrations.findings import Severity
from app.migrations.sources.migration import Direction, Migration
from app.migrations.sources.walker import Flow

REASON = "say here why it cannot be undone"


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return what the header and the downgrade say differently."""
    reason, downgrade = migration.revision.irreversible, migration.downgrade
    raises = downgrade.flow is Flow.RAISES
    line = migration.upgrade.line if downgrade.node is None else downgrade.line
    if reason is None and raises:
        message = (
            f"downgrade() raises, and nothing says so beforehand: a downgrade across "
            f"{migration.revision.id} stops there, with the revisions above it undone."
        )
        yield Problem(line, message, snippets.irreversible(_said(downgrade) or REASON))
    elif reason is not None and not raises and (downgrade.node is None or downgrade.known):
        message = (
            f"irreversible says {snippets.text(reason)}, but downgrade() does not raise: plain `alembic downgrade` "
            f"passes {migration.revision.id}, and the schema is not what it is said to be."
        )
        yield Problem(line, message, snippets.irreversible(reason))


def _said(downgrade: Direction) -> str:
    """Return the reason that is raised, where it is written out."""
    for statement in downgrade.node.body if downgrade.node else ():
        if isinstance(statement, ast.Raise) and isinstance(statement.exc, ast.Call) and statement.exc.args:
            first = statement.exc.args[0]
            return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return ""


RULE = Rule(
    "irreversible",
    Severity.ERROR,
    find,
    "It can be undone? Write the downgrade, and leave `irreversible` out",
    __doc__ or "",
)
