"""`data-not-undone`: the upgrade changes only rows, and the downgrade does nothing.

Bad:
    def upgrade() -> None:
        op.execute("UPDATE users SET email = lower(email)")


    def downgrade() -> None:
        pass

Why: after a downgrade the rows are still the changed ones, while the code of that time expects the others. Often that
is harmless; then it can be said.
https://www.postgresql.org/docs/current/sql-update.html

Instead:
    irreversible = "the old values of users are not kept: restore a backup"


    def upgrade() -> None:
        op.execute("UPDATE users SET email = lower(email)")


    def downgrade() -> None:
        raise NotImplementedError(irreversible)

Way out: `# allow: data-not-undone -- reason` at the downgrade.
"""

from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the rows that no downgrade brings back."""
    upgrade, downgrade = migration.upgrade, migration.downgrade
    silent = bool(upgrade.schema) or not upgrade.rows or not upgrade.known
    if silent or not downgrade.empty or migration.revision.irreversible is not None:
        return
    tables = dict.fromkeys(snippets.shown(each.table) for each in upgrade.rows if each.table)
    of = ", ".join(tables) or "a table"
    line = upgrade.line if downgrade.node is None else downgrade.line
    message = f"upgrade() changes rows of {of}, and downgrade() leaves them so: older code will meet the new values."
    reason = (
        f"the old values of {', '.join(dict.fromkeys(each.table for each in upgrade.rows if each.table)) or 'the rows'}"
    )
    yield Problem(line, message, snippets.irreversible(f"{reason} are not kept: restore a backup"))


RULE = Rule(
    "data-not-undone",
    Severity.WARNING,
    find,
    allowed("data-not-undone", "Older code works with the new values?"),
    __doc__ or "",
    of_downgrades=True,
)
