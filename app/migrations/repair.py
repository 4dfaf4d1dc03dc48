"""Cures what can be cured without a risk: plans, then acts under the migration lock. Never touches a row of a table.

Every action is written into the journal, as `repaired`.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from enum import Enum
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from app.migrations import (
    code_symptoms,
    doctor,
    failures,
    file_recovery,
    guard,
    halfway,
    index_repair,
    index_symptoms,
    journal,
    maintenance,
    ownership,
    provenance,
)
from app.migrations.advisory import Caller, exclusive
from app.migrations.build_inputs import Inputs
from app.migrations.catalog import Catalog, Key
from app.migrations.doctor import Practice
from app.migrations.errors import MigrationError, Refused
from app.migrations.halfway import Extent, Halfway, Surveyed
from app.migrations.journal import Actor, Row
from app.migrations.symptoms import Database, InvalidIndex, Symptoms
from app.migrations.targets import Target

REPAIRED = "repaired"
"""The action of the journal's rows."""


class Kind(Enum):
    """What an action does; the value is the text shown and kept in the journal."""

    DROP = "drop index"
    REBUILD = "rebuild index"
    CLOSE = "close revision"
    SWEEP = "drop half-built database"


class Action(NamedTuple):
    """One cure. `why` says what it rests on; `invalid` or `halfway` is there where the kind is about one."""

    kind: Kind
    subject: str
    why: str
    invalid: InvalidIndex | None = None
    halfway: Halfway | None = None


class Plan(NamedTuple):
    """What will be done, in order, and what will not be, with the reason and what to do instead."""

    actions: tuple[Action, ...]
    left: tuple[str, ...]


class Job(NamedTuple):
    """The target of a repair, the code, and an engine that does not pool."""

    practice: Practice
    target: Target
    engine: Engine

    @property
    def caller(self) -> Caller:
        """Return how the repair is named to the server and to people."""
        name = f"{guard.FAMILY}/{self.target.environment.name or 'url'}"
        return Caller(self.target.place, name, self.practice.say)


def plan(job: Job, close: Collection[str] = ()) -> Plan:
    """Look at everything, and decide; `close` are half-applied revisions of which the operator says: dealt with.

    Raises Refused for another's database, for a revision of `close` that is not half applied, or of which a part is
    still there; and what keeps the database from being read.
    """
    seen = doctor.symptoms_of(job.practice, job.target)
    database = _readable(job, seen)
    begun = {trace.revision for trace in database.begun}
    for revision in close:
        if revision not in begun:
            raise Refused(
                f"{job.target.place.described}: revision {revision} is not half applied; nothing was changed",
                seen.reach.inv("db.doctor"),
            )
    surveyed, why_not = _survey(job, seen, database)
    done, left = list[Action](), list[str]()
    for index in database.invalid:
        decided = decide(index, surveyed and _wanted(surveyed), why_not)
        done.append(decided) if isinstance(decided, Action) else left.append(decided)
    for trace in database.begun:
        if trace.revision not in close:
            again = seen.reach.inv("db.repair", f"--close={trace.revision}")
            left.append(f"revision {trace.revision} stays half applied: when it is dealt with, {again}")
            continue
        found = halfway.look(surveyed, trace) if surveyed else Halfway(trace, Extent.UNKNOWN, why=why_not)
        done.append(_closing(job, found))
    if database.leftovers:
        done.append(Action(Kind.SWEEP, ", ".join(database.leftovers), "a restore that was killed has left it"))
    return Plan(tuple(done), tuple(left))


def decide(index: InvalidIndex, wanted: Catalog | None, why_not: str) -> Action | str:
    """Say what becomes of an invalid index; a sentence where that cannot be known.

    `wanted` is what the history builds at the database's revision, None where that is not known: `why_not`.
    """
    if index_symptoms.is_leftover(index):
        return Action(Kind.DROP, index.name, "a REINDEX CONCURRENTLY that failed has left it", index)
    if index.bound:
        return Action(Kind.REBUILD, index.name, "a constraint or a partitioned index needs it", index)
    if wanted is None:
        return (
            f"whether index {index.name} is meant cannot be told ({why_not}): DROP INDEX CONCURRENTLY {index.name} if a"
            f" later revision makes it, else REINDEX INDEX CONCURRENTLY {index.name}"
        )
    if Key("index", index.key) in wanted.objects:
        return Action(Kind.REBUILD, index.name, "the history has it at this revision", index)
    return Action(
        Kind.DROP, index.name, "a build that failed has left it: the history has none at this revision", index
    )


def apply(job: Job, planned: Plan, done: Callable[[Action], None]) -> None:
    """Carry the plan out under the migration lock; `done` hears of each action that was committed.

    What the plan rests on is looked at again under the lock: what is no longer so is passed over. Raises Refused,
    MigrationFailed, Unreachable, ConfigurationError; the actions before that stay done.
    """
    environment, place = job.target.environment, job.target.place
    with failures.explained(place), exclusive(job.engine, environment.upgrade_wait, job.caller) as lock:
        seen = ownership.examine(lock)
        ownership.refuse_unless_ours(job.target, ownership.judge(job.target, seen, job.practice.root))
        if seen.schema is None:
            raise ownership.no_schema(job.target)
        journal.create(lock, seen.schema)
        actor = provenance.actor(job.practice.root, environment.name or None, guard.ASKED)
        for action in planned.actions:
            began = time.monotonic()
            if _act(job, lock, action):
                _write(lock, seen.schema, actor, action, time.monotonic() - began)
                done(action)


def restore_files(job: Job, revision: str) -> list[str]:
    """Write the file of `revision`, and of missing parents, as the journal says they were applied; return the paths."""
    code = code_symptoms.read(job.practice.root)
    with (
        failures.explained(job.target.place),
        job.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        return file_recovery.recover(job.practice.root, connection, code, revision)


def _readable(job: Job, seen: Symptoms) -> Database:
    for error in (seen.silent, seen.pooled):
        if error is not None:
            raise error
    if seen.database is None or seen.database.verdict is None:
        raise Refused(
            f"{job.target.place.described} cannot be examined; nothing was changed", seen.reach.inv("db.doctor")
        )
    ownership.refuse_unless_ours(job.target, seen.database.verdict)
    return seen.database


def _survey(job: Job, seen: Symptoms, database: Database) -> tuple[Surveyed | None, str]:
    """Read the schema where something depends on it; where that does not work, say why."""
    if not database.begun and not database.invalid:
        return None, ""
    unknown = [row for row in database.rows if row not in seen.code.history]
    if not seen.code.is_whole or unknown:
        return None, "the history in the code is not whole" if not seen.code.is_whole else f"{unknown[0]} is not known"
    try:
        inputs = Inputs(job.practice.root)
        surveyed = halfway.survey(job.target, job.engine, inputs, database.rows, job.practice.say)
        _wanted(surveyed)
    except MigrationError as error:
        return None, error.message
    return surveyed, ""


def _wanted(surveyed: Surveyed) -> Catalog:
    return halfway.expected_on_target(surveyed, surveyed.rows)


def _closing(job: Job, found: Halfway) -> Action:
    revision = found.trace.revision
    if found.extent is Extent.PART:
        raise Refused(
            f"{job.target.place.described}: a part of {revision} is there ({'; '.join(found.there)}) and a part is not"
            f" ({'; '.join(found.missing)}); nothing was changed",
            "undo the one or finish the other by hand, then the same command",
        )
    why = f"{found.extent.value}{f' ({found.why})' if found.why else ''}"
    return Action(Kind.CLOSE, revision, why, halfway=found)


def _act(job: Job, lock: Connection, action: Action) -> bool:
    """Do it; False where it is no longer due."""
    environment = job.target.environment
    if action.invalid is not None:
        if action.invalid not in index_symptoms.invalid(lock):
            return False
        act = index_repair.drop if action.kind is Kind.DROP else index_repair.rebuild
        act(job.engine, environment, job.caller, action.invalid)
    elif action.kind is Kind.SWEEP:
        return bool(_sweep(job, lock))
    return True


def _sweep(job: Job, lock: Connection) -> Sequence[str]:
    name = str(lock.exec_driver_sql("SELECT current_database()").scalar_one())
    with (
        maintenance.explained(job.target.place),
        closing(maintenance.connect(job.target.url, name, job.target.place)) as admin,
    ):
        return maintenance.mend(admin, name)


def _write(lock: Connection, schema: str, actor: Actor, action: Action, seconds: float) -> None:
    """Write the row, and close the revision in the same transaction where that is the action."""
    revision = action.subject if action.kind is Kind.CLOSE else "repair"
    row = Row(revision, REPAIRED, seconds, detail=dict(_detail(action)))
    journal.add(lock, schema, actor, row, closes=action.kind is Kind.CLOSE)


def _detail(action: Action) -> Iterator[tuple[str, str]]:
    yield from {"did": action.kind.value, "subject": action.subject, "why": action.why}.items()
    if action.invalid is not None:
        yield "definition", action.invalid.definition
    if action.halfway is not None:
        yield "extent", action.halfway.extent.value
