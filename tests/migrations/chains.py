"""A small Alembic project in a folder of its own, whose env.py goes through locking.guarded, and its commands."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2

ROOT = Path(__file__).resolve().parents[2]

ENV = """
import os
import sys
from datetime import timedelta
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from app.migrations import failures, locking, reporting

place = failures.Place("the test database", None)


def seconds(name, default):
    return timedelta(seconds=float(os.environ.get(name, default)))


def attempt(connection, lock):
    heads = []
    context.configure(
        connection=connection,
        transaction_per_migration=True,
        on_version_apply=lambda heads, **_: seen.append(heads),
    )
    seen = heads
    current = context.get_context()
    planned = current._migrations_fn

    def verified(*arguments):
        for step in planned(*arguments):
            yield step
            locking.verify_version(lock, heads[-1], place)

    current._migrations_fn = verified
    with context.begin_transaction():
        context.run_migrations()


with reporting.two_lines(), failures.explained(place):
    limits = locking.Limits(
        seconds("LOCK_TIMEOUT", 0.25), seconds("LOCK_RETRY_FOR", 60), seconds("UPGRADE_WAIT", 60),
        seconds("STATEMENT_TIMEOUT", 0),
    )
    engine = create_engine(os.environ["TEST_URL"], poolclass=NullPool)
    caller = locking.Caller(place, "massacorp-migrations/test", lambda line: print(line, file=sys.stderr, flush=True))
    locking.guarded(engine, limits, caller, attempt)
"""
PLAIN_ENV = """
import os
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

with create_engine(os.environ["TEST_URL"], poolclass=NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = '''"""{revision}"""
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {parent!r}


def upgrade():
{body}


def downgrade():
    pass
'''


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Chain:
    """One project. `revision` appends to it; `upgrade` runs `alembic upgrade head` in a process of its own."""

    def __init__(self, folder: Path, url: str, env: str = ENV) -> None:
        self.folder = folder
        self.url = url
        self.last: str | None = None
        self.started: list[subprocess.Popen[str]] = []
        (folder / "chain/versions").mkdir(parents=True)
        (folder / "chain/env.py").write_text(env)
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = chain\npath_separator = os\n")

    def revision(self, name: str, *lines: str) -> "Chain":
        body = "\n".join(f"    {line}" for line in lines)
        text = REVISION.format(revision=name, parent=self.last, body=body or "    pass")
        (self.folder / f"chain/versions/{name}.py").write_text(text)
        self.last = name
        return self

    def start(self, *command: str, **settings: str) -> "subprocess.Popen[str]":
        environment = {**os.environ, "TEST_URL": self.url, "PYTHONPATH": str(ROOT), **settings}
        process = subprocess.Popen(
            [sys.executable, "-m", "alembic", *(command or ("upgrade", "head"))],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        """End what still runs."""
        for process in self.started:
            process.kill()
            with process:
                pass

    def upgrade(self, **settings: str) -> Done:
        return finished(self.start(**settings))


def finished(process: "subprocess.Popen[str]", within: float = 90) -> Done:
    """Wait for a process to end."""
    out, err = process.communicate(timeout=within)
    return Done(process.returncode, out, err)


@contextmanager
def session(url: str, name: str = "psql") -> Iterator[Any]:
    """A cursor of a session of its own, not in autocommit."""
    connection = psycopg2.connect(dsn(url), application_name=name)
    try:
        yield connection.cursor()
    finally:
        connection.close()


def preset(url: str, setting: str, value: str) -> None:
    """Give the sessions of a database a setting to begin with."""
    command = f"ALTER DATABASE %I SET {setting} = {value}"
    ask(url, f"DO $do$ BEGIN EXECUTE format($c${command}$c$, current_database()); END $do$")


def ask(url: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows of one query, in autocommit."""
    connection = psycopg2.connect(dsn(url))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def until(true: Callable[[], object], what: str, within: float = 30) -> None:
    """Wait until `true()` holds."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"waited {within} s until {what}"
        time.sleep(0.02)


def dsn(url: str) -> str:
    """libpq's form of an SQLAlchemy URL."""
    return url.replace("postgresql+psycopg2://", "postgresql://", 1)
