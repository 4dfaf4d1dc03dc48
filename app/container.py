"""The first process of a container: waits for the database, upgrades it, then becomes the command that it was given.

`python -m app.container COMMAND ...`. Asks nothing and backs up nothing: it is plain `alembic upgrade head`, with the
locks of `alembic/env.py`, so that replicas may start together. What serves afterwards has never loaded Alembic.
"""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from decouple import Config, RepositoryEmpty
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.core import config, engine
from app.migrations import durations, failures, reporting, targets
from app.migrations.errors import ConfigurationError, Interrupted, MigrationError, Unreachable
from app.migrations.targets import Target

WAIT_KEY, WAIT_DEFAULT = "DATABASE_WAIT", "1min"
"""How long to wait for the database, and where that is said: in the container's environment."""
POLL = 0.5
"""Seconds between two tries."""
HOPELESS = frozenset({"wrong password", "no such role", "no such database", "no CONNECT", "pg_hba.conf", "TLS"})
"""What waiting does not cure, as `failures.CAUSES` calls it."""
CONNECT_TIMEOUT = 3


def main(command: Sequence[str]) -> NoReturn:
    """Wait, upgrade, become `command`; where that cannot be, end with an exit code of ours and serve nothing."""
    signal.signal(signal.SIGTERM, _stop)
    with reporting.exit_codes():
        if not command:
            raise ConfigurationError("no command was given; nothing was changed", "docker-entrypoint.sh COMMAND ...")
        target = targets.resolve(config.settings(), config.ROOT)
        wait_for(target, _wait(), lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
        upgrade()
        become(command)


def wait_for(target: Target, seconds: float, say: Callable[[str], None]) -> None:
    """Return when the database answers; what keeps it from that is said once for each cause.

    Raises Unreachable when the time is over, and at once for what waiting does not cure.
    """
    url = targets.impatient(target.url, CONNECT_TIMEOUT)
    deadline, said = time.monotonic() + seconds, ""
    while (problem := _try(url, target)) is not None:
        cause = failures.cause(problem.message)
        if cause is not None and cause.words in HOPELESS:
            raise problem
        if time.monotonic() >= deadline:
            raise Unreachable(f"{problem.message}; it was given {seconds:g} s, nothing is served", problem.hint)
        if problem.message != said:
            said = problem.message
            say(f"waiting for the database: {said}")
        time.sleep(POLL)


def upgrade() -> None:
    """Run `alembic upgrade head`, as on its own command line. Raises SystemExit where that fails."""
    from alembic.config import main as alembic  # noqa: PLC0415 -- not before there is a database

    alembic(["-c", str(config.ROOT / "alembic.ini"), "upgrade", "head"], prog="alembic")


def become(command: Sequence[str]) -> NoReturn:
    """Turn this process into `command`. Raises ConfigurationError where there is no such program."""
    sys.stdout.flush()
    try:
        os.execvp(command[0], list(command))  # noqa: S606 -- what the image or its user has named
    except OSError as error:
        raise ConfigurationError(
            f"{shlex.quote(command[0])} cannot be run: {os.strerror(error.errno or 0)}; nothing is served",
            "name a program of the image, such as `uvicorn` or `alembic`",
        ) from error


def _try(url: str, target: Target) -> MigrationError | None:
    try:
        with engine.make_engine(url, NullPool).connect():
            return None
    except DBAPIError as error:
        return failures.unreachable(error, target.place)


def _wait() -> float:
    text = str(Config(RepositoryEmpty())(WAIT_KEY, default="")) or WAIT_DEFAULT
    try:
        return durations.parse_duration(text).total_seconds()
    except ValueError as error:
        raise ConfigurationError(f"{WAIT_KEY}={text}: {error}; nothing was changed", f"{WAIT_KEY}=1min") from error


def _stop(*_: object) -> NoReturn:
    raise Interrupted("stopped by SIGTERM; nothing is served", "start it again: it goes on from where it is")


if __name__ == "__main__":
    main(sys.argv[1:])
