"""Which environment a database belongs to: compares what it has recorded with what it is. Decides; reads nothing.

A database's system identifier is made by initdb and kept by every physical copy; the oid of a database is kept by
those too, and by nothing else (PostgreSQL manual, "pg_controldata" and "pg_database").
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from app.migrations.database_names import set_aside


class Facts(NamedTuple):
    """What a database is, as seen now. `system` is None where pg_control_system() may not be called."""

    system: str | None
    oid: int
    host: str
    port: int
    database: str


class Identity(NamedTuple):
    """The one row of alembic_identity: whose database this is, and what it was when that was written."""

    environment: str
    protected: bool
    facts: Facts
    recorded_at: str


class Standing(Enum):
    """How a database relates to the environment that a command works under."""

    OURS = "ours"
    UNRECORDED = "unrecorded"
    ANOTHERS = "another's"
    COPY = "copy"
    ANOTHERS_COPY = "another's copy"


class Verdict(NamedTuple):
    """`reason` is for people, and empty where there is nothing to say; `protected` as the database has it."""

    standing: Standing
    protected: bool = False
    reason: str = ""
    next: str = ""

    @property
    def allows_change(self) -> bool:
        """Return whether this environment may change the database."""
        return self.standing in {Standing.OURS, Standing.UNRECORDED}


def judge(environment: str, recorded: Identity | None, seen: Facts) -> Verdict:
    """Say whose the database is for somebody who works as `environment` ("" for a URL without an environment)."""
    if recorded is None:
        return Verdict(Standing.UNRECORDED)
    owner, original = recorded.environment, is_original(recorded.facts, seen)
    if not environment:
        return Verdict(Standing.OURS, recorded.protected)
    if owner == environment:
        if original:
            return Verdict(Standing.OURS, recorded.protected)
        return Verdict(
            Standing.COPY,
            recorded.protected,
            f"this database says that it is {owner}, but it was {_words(recorded.facts)} when that was written and is "
            f"{_words(seen)} now: it is a copy of {owner}, or {owner} was moved or upgraded to another major version",
            f"make sure which of the two it is, then `inv env.claim --env={environment}`",
        )
    if original:
        return Verdict(
            Standing.ANOTHERS,
            recorded.protected,
            f"this database is {owner} (recorded {recorded.recorded_at}), and the command works as {environment}",
            f"--env={owner} if {owner} is meant; if this is a snapshot of it, `inv env.claim --env={environment}`",
        )
    return Verdict(
        Standing.ANOTHERS_COPY,
        recorded.protected,
        f"this database is a copy of {owner} (recorded {recorded.recorded_at} as {_words(recorded.facts)}), "
        f"and the command works as {environment}",
        f"`inv env.claim --env={environment}` makes the copy {environment}'s own",
    )


def is_original(recorded: Facts, seen: Facts) -> bool:
    """Is it the database that was recorded, or a physical copy of it (which cannot be told apart)?

    Without a system identifier on both sides the host has to do. What a restore has set aside by its name is no
    longer the original: it has changed its place with the restored one in one transaction.
    """
    if recorded.oid != seen.oid or (recorded.database != seen.database and set_aside(seen.database)):
        return False
    if recorded.system and seen.system:
        return recorded.system == seen.system
    return (recorded.host, recorded.port, recorded.database) == (seen.host, seen.port, seen.database)


def namesake(seen: Facts, others: Iterable[tuple[str, Facts]]) -> str | None:
    """Return the other environment whose file names this very host, port and database; None where there is none."""
    where = (seen.host, seen.port, seen.database)
    return next((name for name, facts in others if (facts.host, facts.port, facts.database) == where), None)


def _words(facts: Facts) -> str:
    system = f"system {facts.system}" if facts.system else f"on {facts.host}:{facts.port}"
    return f"{facts.database} (oid {facts.oid}, {system})"
