"""What a task needs before it can begin: the environment that was named, its database, the history."""

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.pool import NullPool

from app.core.config import variables
from app.core.engine import make_engine
from app.migrations import environments, failures, guard, runner, targets
from app.migrations.errors import MigrationError
from app.migrations.identity import Verdict
from app.migrations.status import Status, read
from scripts.tasks.command import ROOT

if TYPE_CHECKING:
    from app.migrations.archives import Archive


class Reached(NamedTuple):
    """An environment and its database, running when it is a private server. The history is not looked at."""

    target: targets.Target
    engine: Engine

    def identify(self) -> None:
        """Warn, over a new connection, where the database is not this environment's."""
        with failures.explained(self.target.place), self.engine.connect() as connection:
            seen = guard.examine(connection.execution_options(isolation_level="AUTOCOMMIT"))
        _warn(guard.judge(self.target, seen, ROOT))


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
        _warn(seen.verdict)
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
        guard.refuse_unless_ours(self.target, seen.verdict)
        return seen


def _warn(verdict: Verdict) -> None:
    if not verdict.allows_change:
        print(f"warning: {verdict.reason}\n  next: {verdict.next}", file=sys.stderr)


def reach(env: str) -> Reached:
    """Load the environment and find its database, for what has to work with a broken history too.

    Raises ConfigurationError, Refused or Unreachable. No connection stays open.
    """
    target = targets.resolve(environments.for_tasks(ROOT, env, variables()), ROOT)
    return Reached(target, make_engine(target.url, NullPool))


def enter(env: str) -> Workplace:
    """Load the environment, find its database and read the history; starts a private server when it is one.

    Raises ConfigurationError, Refused or Unreachable. No connection stays open.
    """
    environment = environments.for_tasks(ROOT, env, variables())
    script = runner.history(ROOT)
    target = targets.resolve(environment, ROOT)
    return Workplace(target, make_engine(target.url, NullPool), script)
