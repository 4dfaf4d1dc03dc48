"""What people see of a forecast, on one screen where that is possible. Prints; decides nothing."""

import sys
from typing import TYPE_CHECKING

from app.migrations.findings import Severity
from scripts.tasks.lines import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.migrations.findings import Finding
    from app.migrations.forecast import Forecast
    from app.migrations.kept_plan import Accepted
    from app.migrations.plan_report import TableLock
    from app.migrations.trace import Step

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "dim"}
TABLES_SHOWN = 8
INSTEAD_SHOWN = 12
"""Lines of code that are shown of what to write instead."""


def forecast(found: "Forecast", accepted: "Sequence[Accepted]" = ()) -> None:
    """Print what each revision does, and what is wrong with it."""
    from app.migrations.plan_report import findings

    if found.figures is None:
        say(("not weighed", "bold yellow"), f" by the size of tables: {found.unweighed}")
    told = findings(found, [rule for rule, _ in accepted])
    for step in found.trace.steps:
        _step(found, step)
        for cause, one in zip(found.causes, told, strict=True):
            if cause.revision == step.revision:
                _finding(one)
    for rule, reason in accepted:
        say(("accepted  ", "dim"), f"{rule}: {reason}")


def _step(found: "Forecast", step: "Step") -> None:
    from app.migrations.plan_report import duration, expected, table_locks

    count = len(step.statements)
    here = f"{count} statement{'' if count == 1 else 's'}, {duration(step.ms / 1000)} on a scratch database"
    elsewhere = "; ".join(expected(found, step))
    say((step.revision, "bold"), f"  {step.title}")
    say(("  " + here + (f"; expect {elsewhere}" if elsewhere else ""), "dim"))
    rows = table_locks(step)
    for row in rows[:TABLES_SHOWN]:
        _table(found, row)
    if len(rows) > TABLES_SHOWN:
        say(f"  and {len(rows) - TABLES_SHOWN} more tables: --json names them all")


def _table(found: "Forecast", row: "TableLock") -> None:
    from app.migrations.appraisal import effect

    known = (found.figures or {}).get(row.table)
    name = f"{row.table} ({known})" if known else row.table
    anew = ", and writes it anew" if row.rewritten else ""
    say("  ", (row.lock.mode, "bold"), f" ({row.lock.source}) {effect(row.lock.mode)} {name}{anew}")


def _finding(told: "Finding") -> None:
    where = f"{told.path}:{told.line}" if told.line else told.path
    say("  ", (told.severity.value, STYLES[told.severity]), f"  {told.rule}  {where}")
    say(f"    {told.message}")
    if told.severity is Severity.NOTE or not told.instead:
        return
    lines = told.instead.splitlines()
    say(("    Instead:", "dim"))
    for line in lines[:INSTEAD_SHOWN]:
        say(f"      {line}")
    if len(lines) > INSTEAD_SHOWN:
        say(("      ... --json has it whole", "dim"))


def conclusion(name: str, found: "Forecast", errors: "Sequence[str]") -> None:
    """Say whether the plan may be carried out, and with which command."""
    if not found.trace.steps:
        say(f"nothing to apply on {name}")
    elif errors:
        say(("no", "bold red"), f": {', '.join(errors)} must be put right, or accepted")
        say(f'  next: correct the revision, or `inv db.plan --accept="{errors[0]}: why it may stand"`')
    else:
        say(("yes", "bold green"), f": nothing stands against it\n  next: inv db.upgrade --env={name}")


def kept(path: str) -> None:
    """Say where the plan was kept, and how it is carried out as it stands there."""
    print(f"kept in {path}\n  next: inv db.upgrade --plan={path}", file=sys.stderr)
