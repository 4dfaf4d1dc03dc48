"""One migration at a time: sixteen at once, killed holders, waiting that ends, poolers."""

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from app.migrations.advisory import KEY, Caller, cut, exclusive
from app.migrations.errors import Refused
from app.migrations.failures import Place
from tests.migrations.chains import Chain, ask, finished, session, until

pytestmark = pytest.mark.slow

CONCURRENTLY = (
    "with op.get_context().autocommit_block():",
    '    op.create_index("ix", "t", ["a"], postgresql_concurrently=True)',
)
COUNTED = "op.execute(\"INSERT INTO counted VALUES ('{0}')\")"
PGBOUNCER = shutil.which("pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
ASLEEP = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
SOON = timedelta(seconds=0.3)


@pytest.fixture
def chain(tmp_path: Path, database: str) -> Iterator[Chain]:
    ask(database, "CREATE TABLE t (a int)")
    ask(database, "CREATE TABLE counted (revision text)")
    with closing(Chain(tmp_path, database)) as chain:
        yield chain


def caller(said: list[str]) -> Caller:
    return Caller(Place("shop (db.example:5432/shop)", "prod"), "massacorp-migrations/prod", said.append)


def take(url: str, said: list[str], wait: timedelta = SOON) -> None:
    with exclusive(create_engine(url, poolclass=NullPool), wait, caller(said)):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("concurrently", [False, True], ids=["plain revisions", "an index built concurrently"])
def test_sixteen_at_once_apply_each_revision_once(chain: Chain, database: str, concurrently: bool) -> None:
    chain.revision("r1", COUNTED.format("r1"))
    chain.revision("r2", COUNTED.format("r2"), *(CONCURRENTLY if concurrently else ()))
    chain.revision("r3", COUNTED.format("r3"))
    done = [finished(process) for process in [chain.start() for _ in range(16)]]
    assert [(one.code, one.err) for one in done if one.code] == []
    assert ask(database, "SELECT revision FROM counted ORDER BY 1") == [("r1",), ("r2",), ("r3",)]
    assert ask(database, "SELECT version_num FROM alembic_version") == [("r3",)]
    assert ask(database, "SELECT indexrelid FROM pg_index WHERE NOT indisvalid") == []


def test_the_next_one_goes_on_when_the_holder_is_killed(chain: Chain, tmp_path: Path, database: str) -> None:
    holder = chain.revision("r1", 'op.execute("SELECT pg_sleep(60)")').start()
    until(lambda: ask(database, ASLEEP), "the holder is busy")
    with closing(Chain(tmp_path / "next", database)) as following:
        waiter = following.revision("r1", COUNTED.format("r1")).start()
        assert waiter.stderr is not None
        said = waiter.stderr.readline()
        holder.send_signal(signal.SIGKILL)
        assert finished(waiter, within=30).code == 0
    assert said.startswith("waiting for another migration of this database, massacorp-migrations/test (pid ")
    assert ask(database, "SELECT revision FROM counted") == [("r1",)]
    assert ask(database, ASLEEP) == []


def test_what_a_killed_migration_left_running_is_waited_for(database: str) -> None:
    said: list[str] = []
    with session(database, "massacorp-migrations/test/ab12"), pytest.raises(Refused) as refused:
        take(database, said)
    assert "for a statement of a migration that was killed, massacorp-migrations/test/ab12 (pid " in str(refused.value)
    assert said[0].startswith("waiting for a statement of a migration that was killed")
    take(database, said)


def test_the_wait_ends_and_names_the_holder(database: str) -> None:
    said: list[str] = []
    with session(database, "massacorp-migrations/prod/lock") as holder:
        holder.execute("SELECT pg_advisory_lock(%s), pg_backend_pid()", (KEY,))
        pid = holder.fetchone()[1]
        holder.connection.commit()
        with pytest.raises(Refused) as refused:
            take(database, said)
    assert re.sub(r"connected for [^;)]+", "connected for 0 ms", str(refused.value)).splitlines() == [
        "error: shop (db.example:5432/shop): waited 300 ms for another migration of this database, "
        f"massacorp-migrations/prod (pid {pid}, user postgres, connected for 0 ms); nothing was changed",
        "  next: `inv db.status --env=prod` shows where it stands; wait for its end and repeat the command, "
        f"or end it: SELECT pg_terminate_backend({pid})",
    ]
    assert len(said) == 1
    take(database, said)


def test_the_wait_ends_with_exit_code_2(chain: Chain, database: str) -> None:
    chain.revision("r1")
    with exclusive(create_engine(database, poolclass=NullPool), SOON, caller([])):
        done = chain.upgrade(UPGRADE_WAIT="0.5")
    assert (done.code, done.err.splitlines()[-2].split(" for ")[0]) == (
        2,
        "error: the test database: waited 500 ms",
    )
    assert ask(database, "SELECT to_regclass('alembic_version')") == [(None,)]


def test_the_lock_of_one_database_is_not_that_of_another(database: str, scratch_admin: str) -> None:
    with exclusive(create_engine(database, poolclass=NullPool), SOON, caller([])):
        take(scratch_admin, [])


def test_the_lock_is_given_back_when_the_block_fails(database: str) -> None:
    engine = create_engine(database, poolclass=NullPool)
    with pytest.raises(ZeroDivisionError), exclusive(engine, SOON, caller([])):
        raise ZeroDivisionError
    take(database, [])


def test_a_name_is_cut_to_what_the_server_keeps() -> None:
    assert cut("é" * 40) == "é" * 31
    assert cut("short") == "short"


@contextmanager
def pooled(database: str, folder: Path, mode: str) -> Iterator[str]:
    """The URL of the database behind a pgbouncer."""
    url = make_url(database)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "users.txt").write_text('"postgres" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={url.query['host']} port={url.query['port']}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {folder}/users.txt\n"
        f"pool_mode = {mode}\nlogfile = {folder}/log\nserver_idle_timeout = 1\n"
        "ignore_startup_parameters = extra_float_digits\n"
    )
    namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
    command = [*namespace, str(PGBOUNCER), "-q", str(folder / "pgbouncer.ini")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        pool = f"postgresql+psycopg2://postgres@127.0.0.1:{port}/{url.database}"
        try:
            until(lambda: process.poll() is not None or _listens(port), "pgbouncer listens")
            assert process.poll() is None, (folder / "log").read_text() if (folder / "log").exists() else "no log"
            yield pool
        finally:
            process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed (apt-get install pgbouncer)")
def test_a_pooler_in_transaction_mode_is_refused(database: str, tmp_path: Path) -> None:
    with pooled(database, tmp_path, "transaction") as url, pytest.raises(Refused) as refused:
        take(url, [])
    assert "through a connection pooler in transaction mode" in refused.value.message
    assert refused.value.hint.startswith("name the server itself, or the pooler's session mode: DATABASE_URL")


@pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed (apt-get install pgbouncer)")
def test_a_pooler_in_session_mode_is_accepted(database: str, tmp_path: Path) -> None:
    with pooled(database, tmp_path, "session") as url, closing(Chain(tmp_path / "project", url)) as chain:
        assert chain.revision("r1", 'op.execute("CREATE TABLE t (a int)")').upgrade() == (0, "", "")
        assert ask(database, "SELECT version_num FROM alembic_version") == [("r1",)]
        take(url, [])
        take(database, [])
