"""The environment that was named and its database, for what has to work with a broken history too.

Loads no Alembic: each backup would wait for it, for nothing.
"""

import sys
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.pool import NullPool

from app.core.config import variables
from app.core.engine import make_engine
from app.migrations import environments, failures, ownership, targets
from app.migrations.identity import Verdict
from scripts.tasks.command import ROOT


class Reached(NamedTuple):
    """An environment and its database, running when it is a private server. The history is not looked at."""

    target: targets.Target
    engine: Engine

    def identify(self) -> None:
        """Warn, over a new connection, where the database is not this environment's."""
        with failures.explained(self.target.place), self.engine.connect() as connection:
            seen = ownership.examine(connection.execution_options(isolation_level="AUTOCOMMIT"))
        warn(ownership.judge(self.target, seen, ROOT))


def warn(verdict: Verdict) -> None:
    """Say on stderr that the database is not this environment's, where it is not."""
    if not verdict.allows_change:
        print(f"warning: {verdict.reason}\n  next: {verdict.next}", file=sys.stderr)


def reach(env: str) -> Reached:
    """Load the environment and find its database, for what has to work with a broken history too.

    Raises ConfigurationError, Refused or Unreachable. No connection stays open.
    """
    target = targets.resolve(environments.for_tasks(ROOT, env, variables()), ROOT)
    return Reached(target, make_engine(target.url, NullPool))
