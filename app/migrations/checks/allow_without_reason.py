"""`allow-without-reason`: a comment silences a rule and does not say why.

Bad:
    def upgrade() -> None:
        op.drop_column("users", "name")  # allow: drop-column

Why: who reads it in a year cannot tell whether it was thought about, or whether the reason still holds. It silences
nothing.
https://www.postgresql.org/docs/current/sql-altertable.html

Instead:
    def upgrade() -> None:
        op.drop_column("users", "name")  # allow: drop-column -- no release has ever written to it

Way out: none.
"""

from collections.abc import Iterator

from app.migrations.checks import allowances
from app.migrations.checks.rule import Known, Problem, Rule
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the comments without a reason."""
    for allowance in allowances.read(migration):
        if not allowance.reason:
            said = f"# allow: {allowance.rule}"
            message = f"`{said}` gives no reason, and silences nothing."
            yield Problem(allowance.line, message, f"{said} -- why this is right here")


RULE = Rule("allow-without-reason", Severity.WARNING, find, "", __doc__ or "")
