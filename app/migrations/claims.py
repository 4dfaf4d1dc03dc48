"""Makes a database that was copied or moved an environment's own. Touches nothing but identity and journal."""

from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.migrations import failures, guard, journal, locking, ownership, provenance
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.identity import Facts, Identity, Standing, Verdict
from app.migrations.journal import Row
from app.migrations.ownership import Examination
from app.migrations.targets import Target

CLAIMED = "claimed"
READ_ONLY = "25006"


class Kind(Enum):
    """What claiming means for a database."""

    OURS = "it is ours already"
    UNRECORDED = "nothing is recorded yet"
    MOVED = "what is recorded is not what is seen: a copy, or a moved database"
    PHYSICAL = "a physical copy, or the original itself: these cannot be told apart"


class Claim(NamedTuple):
    """What a claim would do, before it is done."""

    kind: Kind
    target: Target
    seen: Examination
    verdict: Verdict


def examine(engine: Engine, target: Target, root: Path) -> Claim:
    """Read whose the database is and say what claiming it means. Raises Refused, ConfigurationError, Unreachable."""
    with (
        failures.explained(target.place),
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        seen = ownership.examine(connection)
    if seen.unreadable:
        raise ConfigurationError(
            f"{target.place.described}: {seen.unreadable}: whose database this is cannot be read; nothing was changed",
            f"have its owner GRANT SELECT ON {seen.schema}.{journal.IDENTITY} to this user",
        )
    verdict = ownership.judge(target, seen, root)
    return Claim(kind_of(target, seen.recorded, verdict), target, seen, verdict)


def kind_of(target: Target, recorded: Identity | None, verdict: Verdict) -> Kind:
    """Decide what claiming means. Raises Refused where the files themselves name one database twice."""
    if recorded is None:
        ownership.refuse_unless_ours(target, verdict)
        return Kind.UNRECORDED
    if verdict.standing is Standing.OURS:
        return Kind.OURS
    return Kind.PHYSICAL if verdict.standing is Standing.ANOTHERS else Kind.MOVED


def check_recorded(claim: Claim, given: str) -> None:
    """Compare the name that was typed back with the recorded one. Raises Refused where they differ."""
    recorded = claim.seen.recorded
    if recorded is not None and given != recorded.environment:
        raise Refused(
            f'{claim.target.place.described} is recorded as {recorded.environment}, not as "{given}"; '
            "nothing was changed",
            f"--env={recorded.environment} if {recorded.environment} is meant",
        )


def apply(claim: Claim, engine: Engine, root: Path) -> None:
    """Record the environment and what is seen now, and add the row `claimed` to the journal, in one transaction.

    Holds the migration lock meanwhile, so that no migration sees one half of it. Raises Refused when a migration does
    not end in time or somebody else recorded something meanwhile, ConfigurationError without the right to write.
    """
    target, seen = claim.target, claim.seen
    if seen.schema is None:
        raise ownership.no_schema(target)
    try:
        with (
            failures.explained(target.place),
            locking.exclusive(engine, target.environment.upgrade_wait, guard.caller_of(target)) as side,
        ):
            journal.create(side, seen.schema)
            with engine.begin() as connection:
                _record(connection, claim, seen.schema, root)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != READ_ONLY:
            raise
        raise ConfigurationError(
            f"{target.place.described} is read-only (a standby?); nothing was changed", "claim the primary"
        ) from error


def _record(connection: Connection, claim: Claim, schema: str, root: Path) -> None:
    target, seen = claim.target, claim.seen
    environment = target.environment
    connection.execute(text(f"LOCK TABLE {schema}.{journal.IDENTITY} IN SHARE ROW EXCLUSIVE MODE"))
    if journal.identity(connection, schema) != seen.recorded:
        raise Refused(
            f"{target.place.described} was recorded anew by somebody else just now; nothing was changed",
            f"inv env.claim --env={environment.name}",
        )
    revisions = MigrationContext.configure(connection).get_current_heads()
    journal.record_identity(connection, schema, environment.name, environment.protected, seen.facts)
    row = Row(", ".join(sorted(revisions)) or "base", CLAIMED, detail=detail(seen.recorded, seen.facts))
    journal.add(connection, schema, provenance.actor(root, environment.name, guard.ASKED), row)


def detail(recorded: Identity | None, seen: Facts) -> dict[str, Any]:
    """Return the old identity (null where there was none) and the new facts, for the journal."""
    was = None
    if recorded is not None:
        was = {**recorded._asdict(), "facts": recorded.facts._asdict()}
    return {"was": was, "is": seen._asdict()}
