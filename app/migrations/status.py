"""Where a target stands: its revision, what is pending, whose it is, what was done last. Changes nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from app.migrations import advisory, journal, ownership
from app.migrations.failures import NO_PERMISSION
from app.migrations.identity import Verdict
from app.migrations.journal import Entry
from app.migrations.ownership import Examination
from app.migrations.standing import Standing, State, decide
from app.migrations.targets import Target

__all__ = ["Standing", "State", "Status", "compare", "read"]


class Status(NamedTuple):
    """All that was read from a target over one connection; `running`: somebody holds its migration lock."""

    standing: Standing
    server: str
    seen: Examination
    verdict: Verdict
    last: Entry | None
    running: bool = False


def read(engine: Engine, script: ScriptDirectory, target: Target, root: Path) -> Status:
    """Read over one new connection in autocommit: several cheap queries, no lock that anybody waits for."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        revisions = MigrationContext.configure(connection).get_current_heads()
        server = str(connection.exec_driver_sql("SELECT split_part(version(), ' ', 2)").scalar_one())
        seen = ownership.examine(connection)
        half_applied, last = _read_journal(connection, seen.schema)
        running = bool(connection.scalar(advisory.IS_HELD))
    standing = compare(revisions, script, half_applied)
    return Status(standing, server, seen, ownership.judge(target, seen, root), last, running)


def compare(revisions: Sequence[str], script: ScriptDirectory, half_applied: Sequence[str] = ()) -> Standing:
    """Compare the revisions of a target with the history."""
    return decide(revisions, script.get_heads(), _pending(revisions, script), half_applied)


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
