"""Where a target stands: its revision, what is pending, whether the code knows it. Changes nothing."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine


class State(Enum):
    """The standing of a target; the value is the text shown."""

    AT_HEAD = "at head"
    BEHIND = "behind"
    EMPTY = "no revision applied"
    UNKNOWN = "at a revision that this checkout does not have"


class Status(NamedTuple):
    """What was read: revision ids from the target, and the revisions of the code that it lacks, oldest first."""

    state: State
    revisions: tuple[str, ...]
    heads: tuple[str, ...]
    pending: tuple[Script, ...]
    server: str


def read(engine: Engine, script: ScriptDirectory) -> Status:
    """Read the version table over one new connection, in a transaction that is rolled back."""
    with engine.connect() as connection:
        revisions = MigrationContext.configure(connection).get_current_heads()
        server = str(connection.exec_driver_sql("SELECT split_part(version(), ' ', 2)").scalar_one())
    return judge(revisions, script, server)


def judge(revisions: Sequence[str], script: ScriptDirectory, server: str = "") -> Status:
    """Compare the revisions of a target with the history."""
    heads = tuple(script.get_heads())
    pending = _pending(revisions, script)
    if pending is None:
        state = State.UNKNOWN
    elif not pending:
        state = State.AT_HEAD
    else:
        state = State.BEHIND if revisions else State.EMPTY
    return Status(state, tuple(sorted(revisions)), heads, tuple(pending or ()), server)


def _pending(revisions: Sequence[str], script: ScriptDirectory) -> list[Script] | None:
    """Return what `upgrade heads` would apply, oldest first; None when a revision is unknown."""
    try:
        scripts = list(script.iterate_revisions("heads", tuple(revisions) or "base", implicit_base=True))
    except CommandError:
        return None
    return scripts[::-1]
