"""What stands around a change of a database, on every road: whose database it is, and the journal of what was done."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

from alembic.runtime.migration import MigrationInfo
from alembic.script import Script
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.migrations import (
    journal,
    locking,
    ownership,
    provenance,
    recorder,
    termination,
    version_rows,
    way_back,
)
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.failures import NO_PERMISSION
from app.migrations.plan import PlannedStep, refuse_what_cannot_be_undone
from app.migrations.recorder import Desk, Done, Recorder
from app.migrations.redaction import redact
from app.migrations.targets import Target

ASKED, PLAIN = "inv", "alembic"
FAMILY = "massacorp-migrations"
"""How application_name begins: the environment and the revision follow."""


class Request(NamedTuple):
    """How a change was asked for: `road` is ASKED where the plan was shown and accepted, else PLAIN.

    `detail` is said by every row that the run writes into the journal, such as the name of the backup.
    """

    road: str = PLAIN
    unguarded: bool = False
    progress: Callable[[Done], None] | None = None
    detail: Mapping[str, object] = MappingProxyType({})


class Change(NamedTuple):
    """A change that is about to be made to `target`, with the code at `root`."""

    root: Path
    target: Target
    request: Request


class Attempt(Protocol):
    """Runs Alembic on the connection; the recorder has to be attached to Alembic's context."""

    def __call__(self, recorder: Recorder, *, connection: Connection) -> None:
        """Run it once."""


def run(change: Change, engine: Engine, attempt: Attempt) -> None:
    """Run `attempt` alone on the database, and again where locks of others make it necessary.

    Identity and journal are kept on the connection that holds the migration lock. Nothing is written before the
    first step is due; a step counts when its version row can be read there; a failed one is written down after its
    rollback.
    Raises as `locking.guarded` does.
    """
    place, environment = change.target.place, change.target.environment
    limits = locking.Limits(
        environment.lock_timeout, environment.lock_retry_for, environment.upgrade_wait, environment.statement_timeout
    )
    caller = caller_of(change.target)
    with termination.heard(place) as told, locking.exclusive(engine, limits.upgrade_wait, caller) as side:
        if journal.home(side) is None:
            raise ownership.no_schema(change.target)
        written = Recorder(
            side,
            lambda step: _open_desk(change, side, step),
            lambda heads: locking.verify_version(side, heads, place),
            told.reported(change.request.progress),
            lambda steps: _refuse_without_way_back(change, steps),
        )
        once = told.working()(partial(attempt, written))
        try:
            with closing(written), version_rows.written_directly():
                locking.retried(engine, side, limits, caller, lambda connection: once(connection=connection))
        except BaseException as error:
            if not isinstance(error, Refused | ConfigurationError):
                with suppress(SQLAlchemyError):
                    written.failed(error)
            raise


def caller_of(target: Target) -> locking.Caller:
    """Return who changes `target`, as its sessions and messages name it; lines are said on stderr."""
    return locking.Caller(target.place, f"{FAMILY}/{target.environment.name or 'url'}", _say)


def _say(line: str) -> None:
    print(redact(line), file=sys.stderr, flush=True)  # noqa: T201


def is_change(goal: Callable[[], object]) -> bool:
    """Return whether the running command may change the database; `goal` is `context.get_revision_argument`.

    upgrade, downgrade and stamp have a goal; current, check, history and autogenerate have none.
    """
    try:
        goal()
    except KeyError:
        return False
    except CommandError:  # a goal that is not known: the command itself will say so
        return True
    return True


def _open_desk(change: Change, side: Connection, step: MigrationInfo) -> Desk | None:
    """Decide, before the first step, whether the run may begin; return where its journal is kept."""
    seen = ownership.examine(side)
    target = change.target
    verdict = ownership.judge(target, seen, change.root)
    ownership.refuse_unless_ours(target, verdict)
    if change.request.road == PLAIN and (target.environment.protected or verdict.protected):
        _plain_on_protected(change, step)
    if seen.schema is None:  # it was there a moment ago
        raise ownership.no_schema(target)
    if seen.facts.system is None:
        _warn_without_identifier(target)
    try:
        journal.create(side, seen.schema)
        half_applied = journal.half_applied(side, seen.schema)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != NO_PERMISSION:
            raise
        _warn_without_tables(target, str(error.orig).strip().splitlines()[0])
        return None
    name = target.environment.name or None
    return Desk(
        seen.schema,
        provenance.actor(change.root, name, change.request.road),
        lambda connection: _remember(connection, target, seen),
        half_applied,
        change.request.detail,
    )


def _refuse_without_way_back(change: Change, steps: Sequence[MigrationInfo]) -> None:
    """Raise Refused where the run would undo a revision that says it cannot be undone; `inv` has looked before."""
    down = [step for step in steps if not step.is_upgrade and not step.is_stamp]
    scripts = [script for step in down if isinstance(script := step.up_revision, Script)]
    planned = [PlannedStep(one.revision, one.doc, irreversible=way_back.barrier(one, "downgrade")) for one in scripts]
    environment = change.target.environment
    refuse_what_cannot_be_undone(
        planned,
        environment.name,
        lambda revision: way_back.backup_before(change.root, environment, down[0].revision_map, revision),
    )


def _remember(connection: Connection, target: Target, seen: ownership.Examination) -> None:
    """Record the identity where none is, or where the file has changed its mind about protection."""
    environment, recorded = target.environment, seen.recorded
    known = recorded is not None and recorded.protected == environment.protected
    if environment.name and not known and seen.schema is not None:
        journal.record_identity(connection, seen.schema, environment.name, environment.protected, seen.facts)


def _plain_on_protected(change: Change, step: MigrationInfo) -> None:
    described, name = change.target.place.described, change.target.environment.name
    if step.is_upgrade and not step.is_stamp:
        print(f"notice: {described} is protected; plain alembic asks nothing and backs up nothing", file=sys.stderr)  # noqa: T201
    elif not change.request.unguarded:
        action = recorder.action_of(step)
        raise Refused(
            f"{described} is protected; plain `alembic {action}` asks and backs up nothing: nothing was changed",
            f"inv db.{action} --env={name or 'NAME'}, or `alembic -x unguarded=yes {action} ...`",
        )


def _warn_without_identifier(target: Target) -> None:
    print(  # noqa: T201
        f"warning: {target.place.described}: this user may not call pg_control_system(), so a copy of the database is "
        "told by its oid, host and port alone\n  next: GRANT EXECUTE ON FUNCTION pg_control_system() TO this user",
        file=sys.stderr,
    )


def _warn_without_tables(target: Target, reason: str) -> None:
    print(  # noqa: T201
        f"warning: {target.place.described}: {reason}: alembic_journal and alembic_identity cannot be created or read, "
        "so nothing records who changes this database, and nothing but the files says which environment it is",
        file=sys.stderr,
    )
