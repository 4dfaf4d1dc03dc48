"""The two roads of a change, run in this process: as a task runs Alembic, and as plain `alembic` does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from app.migrations import guard, runner, urls
from app.migrations.environments import Environment
from app.migrations.targets import Target

CHANGES = {"upgrade": "head", "downgrade": "-1", "stamp": "base"}
"""Every command that changes a database, and a goal for one that is at the head."""


def target(url: str, name: str = "docker", protected: bool = False) -> Target:
    """The database at `url` as that of an environment."""
    return Target(Environment(name, url, protected=protected), url, urls.described(url))


def by_task(root: Path, meant: Target, action: str, to: str) -> None:
    """Change the database as `inv db.ACTION` does after its questions."""
    runner.run(root, meant, runner.Goal(action, to), guard.Request(guard.ASKED), runner.history(root))


def by_alembic(root: Path, meant: Target, action: str, to: str, unguarded: bool = False) -> None:
    """Change the database as `alembic ACTION` does."""
    request = guard.Request(guard.PLAIN, unguarded)
    getattr(command, action)(runner.config(root, meant, request=request), to)


ROADS = {"inv": by_task, "alembic": by_alembic}


def ask(url: str, query: str, **values: object) -> list[tuple[Any, ...]]:
    """The rows of one query, in a transaction of its own."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        result = connection.execute(text(query), values)
        return [tuple(row) for row in result] if result.returns_rows else []


def journal(url: str, columns: str = "revision, action") -> Sequence[tuple[Any, ...]]:
    """The rows of the journal, oldest first."""
    return ask(url, f"SELECT {columns} FROM alembic_journal ORDER BY id")


def version(url: str) -> list[str]:
    """The revisions of the database."""
    return [row[0] for row in ask(url, "SELECT version_num FROM alembic_version")]
