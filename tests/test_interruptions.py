"""An upgrade that loses its connections, or is killed in its middle: where it stops, and how it goes on."""

import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from app.migrations import server
from app.migrations.errors import MigrationError, MigrationFailed
from app.migrations.programs import find_server_programs
from app.migrations.startup import Server
from tests import halts
from tests.clones import Clone, Done
from tests.halts import Halts, Stopped
from tests.migrations.chains import ask
from tests.proxy import Cut, Heard, Proxy, proxy
from tests.roads import by_task, target
from tests.stands import stand

pytestmark = pytest.mark.slow

HALF, LAST = "1d5a7e2c9b40", "e5a72b8c9d0f"
HISTORY = ["c3bee0e2b93b", "d4cf1a3e5f7c", "a91f6d2c4b7e", HALF, LAST]
UPGRADE = ("inv", "db.upgrade")
REPEATABLE = """
def upgrade():
    op.add_column("users", sa.Column("phone", sa.Text()), if_not_exists=True)
    with op.get_context().autocommit_block():
        op.drop_index("ix_users_phone", table_name="users", if_exists=True, postgresql_concurrently=True)
        op.create_index("ix_users_phone", "users", ["phone"], postgresql_concurrently=True)
    op.execute("COMMENT ON COLUMN users.phone IS 'E.164'")


def downgrade():
    pass
"""
ONCE = REPEATABLE.replace(", if_not_exists=True", "").replace(
    '        op.drop_index("ix_users_phone", table_name="users", if_exists=True, postgresql_concurrently=True)\n', ""
)


@pytest.fixture(autouse=True)
def _own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alembic puts the folder of the history on sys.path, for good."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "halts", raising=False)


@pytest.fixture(scope="module")
def own(pg: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A durable server of these tests alone: it will be killed. Only its initdb does not wait for the disk."""
    place = tmp_path_factory.mktemp("own")
    durable = server.private_server(place, find_server_programs(major=pg))
    server.maintenance_url(durable._replace(durable=False))
    server.stop(durable)
    server.maintenance_url(durable)
    yield durable
    server.stop_all(place)


@pytest.fixture
def new(own: Server) -> Callable[[], str]:
    """Makes one more empty database on that server."""
    return lambda: server.open_database(own, f"db_{secrets.token_hex(4)}")


@pytest.fixture
def docker(clone: Clone) -> Clone:
    """The clone with five revisions, the fourth of which is not atomic; its commands can be made to stop."""
    clone.environment |= {"APP_ENV": "docker"}
    clone.write_revision(HALF, HISTORY[2], REPEATABLE)
    last = next(clone.versions.glob(f"{LAST}_*.py"))
    last.write_text(last.read_text().replace(f'= "{HISTORY[2]}"', f'= "{HALF}"'))
    return halts.prepare(clone, "alembic/env.py")


@pytest.fixture
def halting() -> Iterator[Halts]:
    with halts.halts() as halting:
        yield halting


def interrupted_at(clone: Clone, url: str, halting: Halts, statement: str) -> tuple[Done, Stopped | None]:
    """Run an upgrade, and kill the process when it has run `statement`."""
    running = halting.start(clone, *UPGRADE, at=statement, DATABASE_URL=url)
    return _interrupted(halting, running, lambda stopped: os.kill(stopped.process, signal.SIGKILL))


def _interrupted(
    halting: Halts, running: "Future[Done]", kill: Callable[[Stopped], None]
) -> tuple[Done, Stopped | None]:
    stopped = halting.stopped()
    if stopped is not None:
        kill(stopped)
        halting.go()
        assert halting.stopped() is None
    halting.go()
    return running.result(), stopped


@pytest.fixture
def through(own: Server, new: Callable[[], str]) -> Iterator[tuple[Proxy, str, str]]:
    """A proxy, the URL of a new database through it, and its own."""
    url = new()
    with proxy(url) as (standing, remote):
        yield standing, remote, url


def says(word: str) -> Callable[[Heard], bool]:
    return lambda heard: heard.of_the_migration and word in heard.text


def looks(heard: Heard) -> bool:
    return heard.of_the_lock and "version_num" in heard.text


ALTER = "ALTER TABLE sessions ADD COLUMN updated_at"
PLACES = {
    "the lock is asked for": (lambda heard: "pg_try_advisory_lock" in heard.text, Cut.BEFORE, ""),
    "the lock was given": (lambda heard: "pg_try_advisory_lock" in heard.text, Cut.AFTER, ""),
    "a statement is sent": (says(ALTER), Cut.BEFORE, HALF),
    "a statement was done": (says(ALTER), Cut.AFTER, HALF),
    "the lock's connection looks": (
        lambda heard: heard.of_the_lock and "version_num" in heard.text,
        Cut.BEFORE,
        HISTORY[0],
    ),
    "an index is built": (says("CREATE INDEX CONCURRENTLY"), Cut.BEFORE, HISTORY[2]),
    "an index was built": (says("CREATE INDEX CONCURRENTLY"), Cut.AFTER, HISTORY[2]),
}


EVERYTHING = pytest.mark.parametrize("everything", [False, True], ids=["of one connection", "of every connection"])


@EVERYTHING
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_cut_is_explained_and_the_next_run_goes_on(
    place: tuple[Callable[[Heard], bool], Cut, str], everything: bool, docker: Clone, through: tuple[Proxy, str, str]
) -> None:
    rule, cut, revision = place
    standing, remote, url = through
    standing.cut_once(rule, cut, everything)
    with pytest.raises(MigrationError) as raised:
        by_task(docker.folder, target(remote), "upgrade", "head")
    assert standing.cuts
    assert stand(url).revision == revision
    assert raised.value.exit_code == (5 if revision else 4)
    assert revision in raised.value.message
    assert "correct alembic/" not in raised.value.hint
    goes_on(docker, url)


def goes_on(clone: Clone, url: str) -> None:
    by_task(clone.folder, target(url), "upgrade", "head")
    assert (stand(url).revision, stand(url).begun) == (LAST, [])
    with_index = ask(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_users_phone'::regclass")
    assert with_index == [(True,)]


KEPT = "but the step was kept; the database is at {}"
NOTHING = "nothing of {} was kept; the database is at {}"
HALF_APPLIED = f"{HALF} is half applied ("
COMMITS: dict[tuple[int, Cut], str] = {
    (1, Cut.BEFORE): NOTHING.format("the revision", "base"),
    (1, Cut.AFTER): KEPT.format(HISTORY[0]),
    (2, Cut.BEFORE): NOTHING.format(HISTORY[1], HISTORY[0]),
    (2, Cut.AFTER): KEPT.format(HISTORY[1]),
    (4, Cut.BEFORE): f"{HALF_APPLIED}may have left something: ALTER TABLE users ADD COLUMN",
    (4, Cut.AFTER): f"{HALF_APPLIED}may have left something: ALTER TABLE users ADD COLUMN",
    (5, Cut.BEFORE): f"{HALF_APPLIED}committed: ALTER TABLE users ADD COLUMN",
    (5, Cut.AFTER): KEPT.format(HALF),
    (6, Cut.BEFORE): NOTHING.format(LAST, HALF),
    (6, Cut.AFTER): KEPT.format(LAST),
}


@EVERYTHING
@pytest.mark.parametrize(("number", "cut"), COMMITS, ids=[f"COMMIT {n}, {cut.value}" for n, cut in COMMITS])
def test_a_commit_without_an_answer_is_looked_up(
    number: int, cut: Cut, everything: bool, docker: Clone, through: tuple[Proxy, str, str]
) -> None:
    standing, remote, url = through
    commits: list[Heard] = []

    def is_the_one(heard: Heard) -> bool:
        commits.extend([heard] if heard.of_the_migration and heard.text == "COMMIT" else [])
        return len(commits) == number

    standing.cut_once(is_the_one, cut, everything)
    with pytest.raises(MigrationFailed) as raised:
        by_task(docker.folder, target(remote), "upgrade", "head")
    assert COMMITS[number, cut] in raised.value.message
    assert raised.value.hint.endswith("repeat the command")
    goes_on(docker, url)


ENDS_ITSELF = """
def upgrade():
    op.execute("CREATE TABLE extra (id int)")
    op.get_bind().{}()
    {}


def downgrade():
    pass
"""
AFTERWARDS = {"last": "", "and goes on": 'op.execute("CREATE TABLE more (id int)")'}


@pytest.mark.parametrize("afterwards", AFTERWARDS.values(), ids=AFTERWARDS)
@pytest.mark.parametrize("ending", ["commit", "rollback"])
@pytest.mark.parametrize("command", [("alembic", "upgrade", "head"), ("inv", "db.upgrade")], ids=["alembic", "inv"])
def test_success_means_that_the_version_is_there(
    command: tuple[str, ...], ending: str, afterwards: str, docker: Clone, new: Callable[[], str]
) -> None:
    url, revision = new(), "2f6b8d3e0a51"
    docker.write_revision(revision, LAST, ENDS_ITSELF.format(ending, afterwards))
    done: Done = getattr(docker, command[0])(*command[1:], ok=False, DATABASE_URL=url)
    assert (done.code == 0) == (stand(url).revision == revision), done
    assert done.code in (0, 5), done
    assert "Traceback" not in done.err


def test_a_half_applied_revision_is_cured_by_hand(docker: Clone, new: Callable[[], str], halting: Halts) -> None:
    """Where its statements cannot be repeated: undo what was committed, then the same command."""
    url = new()
    docker.write_revision(HALF, HISTORY[2], ONCE)
    _, stopped = interrupted_at(docker, url, halting, "CREATE INDEX CONCURRENTLY")
    assert stopped is not None
    assert (stand(url).revision, stand(url).begun) == (HISTORY[2], [HALF])
    refused = docker.inv("db.upgrade", ok=False, DATABASE_URL=url)
    assert refused.code == 5
    assert 'column "phone" of relation "users" already exists' in refused.err
    assert f"an earlier run has committed a part of {HALF}" in refused.err
    assert "see what that has done, finish or undo it by hand, then the same command" in refused.err
    ask(url, "DROP INDEX ix_users_phone")
    ask(url, "ALTER TABLE users DROP COLUMN phone")
    docker.inv("db.upgrade", DATABASE_URL=url)
    assert (stand(url).revision, stand(url).begun) == (LAST, [])
