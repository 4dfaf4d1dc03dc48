"""`stale-allow`: a comment silences a rule that finds nothing there.

Bad:
    def upgrade() -> None:
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))  # allow: drop-column -- nobody reads it

Why: the code was changed and the comment stayed, or the rule's name is misspelt. The next one who writes something
dangerous on that line is not told.
https://www.postgresql.org/docs/current/sql-altertable.html

Instead:
    def upgrade() -> None:
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))

Way out: none.
"""

from collections.abc import Iterator

from app.migrations.checks.rule import Known, Problem, Rule
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration


def find(_: Migration, __: Known) -> Iterator[Problem]:
    """Return nothing: which comments are stale is known when all other rules have spoken; see `rules.py`."""
    yield from ()


def problem(line: int, rule: str, known: bool) -> Problem:
    """Return the comment at `line`, of which nobody needs anything."""
    why = "finds nothing here" if known else "is no rule"
    return Problem(
        line, f"`# allow: {rule}` silences nothing: {rule} {why}.", "delete the comment, or correct its rule"
    )


RULE = Rule("stale-allow", Severity.WARNING, find, "", __doc__ or "")
