"""What people and programs see of the doctor's findings, and of repairs. Prints; decides nothing and reads nothing."""

from typing import TYPE_CHECKING

from scripts.tasks.lines import say

if TYPE_CHECKING:
    from app.migrations.diagnosis import Finding
    from app.migrations.doctor import Report
    from app.migrations.repair import Action, Job, Plan
    from scripts.tasks.documents import Document

STYLES = {"error": "bold red", "warning": "bold yellow", "notice": "bold"}


def report(found: "Report") -> None:
    """Print the findings in the order in which to cure them; nothing is folded, so that commands can be pasted."""
    where = f": {found.described}" if found.described else ""
    say((found.environment, "bold"), where + (f", PostgreSQL {found.server}" if found.server else ""))
    for number, one in enumerate(found.findings, 1):
        _finding(number, one)
    for note in found.notes:
        say(f"note: {note}")
    if not found.findings:
        say(("healthy", "bold green"), ": nothing is wrong")
    elif len(found.findings) > 1:
        say(f"{len(found.findings)} findings: cure them from the top, and look again")


def _finding(number: int, one: "Finding") -> None:
    say(f"{number}. ", (one.severity.value, STYLES[one.severity.value]), f" {one.case}: {one.cause}")
    for detail in one.details:
        say(f"     {detail}")
    if one.decide:
        say(f"   {'first' if one.command else 'by hand'}: {one.decide}")
    if one.command:
        say("   cure: ", (one.command, "bold"))


def document(found: "Report") -> "Document":
    """Return what `db.doctor` answers."""
    return {
        "environment": found.environment,
        "database": found.described or None,
        "server": found.server or None,
        "healthy": not found.findings,
        "findings": [
            {
                "case": one.case,
                "severity": one.severity.value,
                "cause": one.cause,
                "details": list(one.details),
                "decide": one.decide or None,
                "command": one.command or None,
            }
            for one in found.findings
        ],
        "notes": list(found.notes),
    }


def plan(job: "Job", planned: "Plan") -> None:
    """Say what a repair will do, and what it leaves alone and why."""
    say((job.target.environment.name, "bold"), f": {job.target.described}")
    for action in planned.actions:
        say(f"  will {action.kind.value}  {action.subject}  ({action.why})")
    for words in planned.left:
        say(f"  left alone: {words}")


def done(action: "Action") -> None:
    """Print one line for an action that is committed."""
    verb = {"drop": "dropped", "rebuild": "rebuilt", "close": "closed"}[action.kind.value.split()[0]]
    say("  ", (verb, "green"), f"  {action.subject}")


def conclusion(job: "Job", planned: "Plan") -> None:
    """Say what comes next."""
    from app.migrations.halfway import Extent

    suffix = f" --env={job.target.environment.name}" if job.target.environment.name else ""
    if not planned.actions:
        say(f"nothing to repair; inv db.doctor{suffix} says what else is wrong")
    for action in planned.actions:
        half = action.halfway
        if half is None:
            continue
        if half.extent is Extent.WHOLE:
            say(f"next: inv db.stamp --to={action.subject}{suffix}, which records that {action.subject} is applied")
        else:
            say(f"next: inv db.{half.trace.action}{suffix}, which runs {action.subject} from its start")
