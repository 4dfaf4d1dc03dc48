"""What can be wrong with a schema whose revision is known, or with its revisions' files. Decides; reads nothing."""

from collections.abc import Iterator

from app.migrations.diagnosis import Finding, Severity
from app.migrations.symptoms import Symptoms

SHOWN = 3


def invalid_index(seen: Symptoms) -> Iterator[Finding]:
    """Find indexes that no query uses and that every write pays for."""
    database = seen.database
    for index in database.invalid if database and not database.in_doubt else ():
        cause = f"index {index.name} of {index.table} is not valid: no query uses it, and every write pays for it"
        yield Finding("invalid-index", cause, seen.reach.inv("db.repair"), details=(index.definition,))


def edited_revision(seen: Symptoms) -> Iterator[Finding]:
    """Find revisions that were edited after they were applied: no database that has them gets the edit."""
    for one in seen.database.edited if seen.database else ():
        yield Finding(
            "edited-revision", f"{one.path} was edited after revision {one.revision} was applied ({one.applied_at})",
            seen.reach.inv("db.repair", f"--restore-file={one.revision}"),
            "write the change as a new revision: no database that has this one gets the edit",
            severity=Severity.WARNING,
        )  # fmt: skip


def unvalidated_constraint(seen: Symptoms) -> Iterator[Finding]:
    """Find constraints that the history validates and the database does not."""
    for words, statement in seen.database.drift.validate if seen.database and _quiet(seen) else ():
        cause = f"{words}: rows from before it may break it"
        yield Finding("unvalidated-constraint", cause, seen.reach.sql(statement), severity=Severity.WARNING)


def drift(seen: Symptoms) -> Iterator[Finding]:
    """Find a schema that is not what its revision builds."""
    found = seen.database.drift.differences if seen.database and _quiet(seen) else ()
    if found:
        count = f"{len(found)} {'difference' if len(found) == 1 else 'differences'}"
        at = ", ".join(seen.database.rows if seen.database else ())
        yield Finding(
            "drift", f"the schema is not what revision {at} builds: {count}",
            decide=f"{seen.reach.inv('db.verify')} lists them and what would mend each: decide which side is right",
            details=(*found[:SHOWN], *([f"and {len(found) - SHOWN} more"] if found[SHOWN:] else [])),
        )  # fmt: skip


def _quiet(seen: Symptoms) -> bool:
    """Return whether the schema should be that of its revision now: nothing is at work, nothing half done."""
    return seen.database is not None and not seen.database.in_doubt and not seen.database.begun
