"""Where a target stands: its revision, what is pending, whose it is, what was done last. Changes nothing."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from app.migrations import guard, journal
from app.migrations.failures import NO_PERMISSION
from app.migrations.guard import Examination
from app.migrations.identity import Verdict
from app.migrations.journal import Entry
from app.migrations.targets import Target


class State(Enum):
    """The standing of a target; the value is the text shown."""

    AT_HEAD = "at head"
    BEHIND = "behind"
    EMPTY = "no revision applied"
    UNKNOWN = "at a revision that this checkout does not have"
    HALF_APPLIED = "half applied"


class Standing(NamedTuple):
    """The revisions of a target against the history; `pending` is what the target lacks, oldest first."""

    state: State
    revisions: tuple[str, ...]
    heads: tuple[str, ...]
    pending: tuple[Script, ...]
    half_applied: tuple[str, ...] = ()


class Status(NamedTuple):
    """All that was read from a target over one connection."""

    standing: Standing
    server: str
    seen: Examination
    verdict: Verdict
    last: Entry | None


def read(engine: Engine, script: ScriptDirectory, target: Target, root: Path) -> Status:
    """Read over one new connection in autocommit: several cheap queries, no lock that anybody waits for."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        revisions = MigrationContext.configure(connection).get_current_heads()
        server = str(connection.exec_driver_sql("SELECT split_part(version(), ' ', 2)").scalar_one())
        seen = guard.examine(connection)
        half_applied, last = _read_journal(connection, seen.schema)
    standing = compare(revisions, script, half_applied)
    return Status(standing, server, seen, guard.judge(target, seen, root), last)


def compare(revisions: Sequence[str], script: ScriptDirectory, half_applied: Sequence[str] = ()) -> Standing:
    """Compare the revisions of a target with the history."""
    pending = _pending(revisions, script)
    if pending is None:
        state = State.UNKNOWN
    elif half_applied:
        state = State.HALF_APPLIED
    elif not pending:
        state = State.AT_HEAD
    else:
        state = State.BEHIND if revisions else State.EMPTY
    heads = tuple(script.get_heads())
    return Standing(state, tuple(sorted(revisions)), heads, tuple(pending or ()), tuple(half_applied))


def _read_journal(connection: Connection, schema: str | None) -> tuple[Sequence[str], Entry | None]:
    try:
        entries = journal.read(connection, schema, limit=1)
        return journal.half_applied(connection, schema), entries[0] if entries else None
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != NO_PERMISSION:
            raise
        return (), None  # what it would say is then not shown


def _pending(revisions: Sequence[str], script: ScriptDirectory) -> list[Script] | None:
    """Return what `upgrade heads` would apply, oldest first; None when a revision is unknown."""
    try:
        scripts = list(script.iterate_revisions("heads", tuple(revisions) or "base", implicit_base=True))
    except (CommandError, RevisionError):
        return None
    return scripts[::-1]
