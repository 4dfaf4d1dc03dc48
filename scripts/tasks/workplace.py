"""What a task needs before it can begin: the environment that was named, its database, the history."""

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.pool import NullPool

from app.core.config import variables
from app.core.engine import make_engine
from app.migrations import environments, failures, ownership, runner, targets
from app.migrations.errors import MigrationError
from app.migrations.status import Status, read
from scripts.tasks.command import ROOT
from scripts.tasks.reaching import warn

if TYPE_CHECKING:
    from app.migrations.archives import Archive


class Workplace(NamedTuple):
    """An environment, its database (running, when it is a private server) and the loaded history."""

    target: targets.Target
    engine: Engine
    script: ScriptDirectory

    @property
    def name(self) -> str:
        """Return the environment's name."""
        return self.target.place.environment or ""

    def status(self) -> Status:
        """Read where the database stands, over a new connection; warn where it is not this environment's."""
        with failures.explained(self.target.place):
            seen = read(self.engine, self.script, self.target, ROOT)
        warn(seen.verdict)
        return seen

    def last_backup(self) -> "Archive | None":
        """Return the newest backup of this environment; None where there is none that can be read."""
        from app.migrations import archives

        with suppress(MigrationError):
            home = archives.resolve_dir(ROOT, self.target.environment.backup_dir)
            return next(iter(archives.listed(home, self.name)), None)
        return None

    def status_before_change(self) -> Status:
        """Read where the database stands. Raises Refused where this environment may not change it."""
        with failures.explained(self.target.place):
            seen = read(self.engine, self.script, self.target, ROOT)
        ownership.refuse_unless_ours(self.target, seen.verdict)
        return seen


def enter(env: str) -> Workplace:
    """Load the environment, find its database and read the history; starts a private server when it is one.

    Raises ConfigurationError, Refused or Unreachable. No connection stays open.
    """
    environment = environments.for_tasks(ROOT, env, variables())
    script = runner.history(ROOT)
    target = targets.resolve(environment, ROOT)
    return Workplace(target, make_engine(target.url, NullPool), script)
