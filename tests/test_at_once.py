"""Many commands that change one database at the same moment: each revision is applied once, and nobody fails."""

from collections.abc import Iterator
from itertools import cycle, islice

import pytest

from tests import halts
from tests.clones import Clone, Done
from tests.halts import Halts
from tests.roads import ask, journal, version

pytestmark = pytest.mark.slow

COMMANDS = {"alembic": ("upgrade", "head"), "inv": ("db.upgrade",)}
PROCESSES = 16
HISTORY = ["c3bee0e2b93b", "d4cf1a3e5f7c", "a91f6d2c4b7e", "e5a72b8c9d0f"]
INDEX = "1d5a7e2c9b40"
INDEX_CONCURRENTLY = """
def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("ix_users_name", "users", ["name"], postgresql_concurrently=True)


def downgrade():
    pass
"""


@pytest.fixture
def docker(clone: Clone, database: str) -> Clone:
    """The clone, with an empty database; its commands wait until they are let go."""
    clone.environment |= {"DATABASE_URL": database, "APP_ENV": "docker"}
    return halts.prepare(clone, "alembic/env.py", "tasks.py")


@pytest.fixture
def starting() -> Iterator[Halts]:
    with halts.halts(PROCESSES) as halting:
        yield halting


def at_once(clone: Clone, starting: Halts) -> list[Done]:
    """Let 16 commands of both roads go at the same moment, each before its first statement."""
    running = [starting.start(clone, road, *COMMANDS[road]) for road in islice(cycle(COMMANDS), PROCESSES)]
    assert all(starting.stopped() for _ in running), [future.result() for future in running if future.done()]
    starting.go()
    return [future.result() for future in running]


def test_each_revision_is_applied_once(docker: Clone, starting: Halts, database: str) -> None:
    ended = at_once(docker, starting)
    assert [done.code for done in ended] == [0] * PROCESSES, ended
    assert journal(database) == [(revision, "upgrade") for revision in HISTORY]
    assert version(database) == HISTORY[-1:]
    assert any("waiting for another migration of this database, massacorp-" in done.err for done in ended)


def test_an_index_is_built_concurrently_once(docker: Clone, starting: Halts, database: str) -> None:
    docker.write_revision(INDEX, HISTORY[-1], INDEX_CONCURRENTLY)
    ended = at_once(docker, starting)
    assert [done.code for done in ended] == [0] * PROCESSES, ended
    assert journal(database) == [(revision, "upgrade") for revision in [*HISTORY, INDEX]]
    assert ask(database, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid") == []
