"""An autovacuum in the way: real workers, slowed down, on a server of these tests' own."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.migrations import server
from app.migrations.programs import find_server_programs
from app.migrations.startup import Server
from tests.migrations.chains import Chain, ask, finished, session, until

pytestmark = pytest.mark.slow

ADD = 'op.add_column("t", sa.Column("b", sa.Integer))'
SLOW = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1"
"""A tenth of a second for each page."""
WORKER = "SELECT pid FROM pg_stat_progress_vacuum WHERE relid = 't'::regclass"
AGE = """
CREATE TABLE ages (i int);
DO $$ BEGIN FOR i IN 1..110000 LOOP
    BEGIN INSERT INTO ages VALUES (i); EXCEPTION WHEN division_by_zero THEN NULL; END;
END LOOP; END $$
"""
"""One subtransaction after the other, until a table is as old as autovacuum_freeze_max_age allows."""


@pytest.fixture(scope="module")
def busy(pg: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose autovacuum looks every second."""
    own = Server(tmp_path_factory.mktemp("busy") / "data", find_server_programs("", pg), durable=False)
    url = server.maintenance_url(own)
    ask(url, "ALTER SYSTEM SET autovacuum_naptime = '1s'")
    ask(url, "SELECT pg_reload_conf()")
    yield own
    server.stop(own)


@pytest.fixture
def url(busy: Server) -> str:
    """A database of its owner, an ordinary role; its table `t` has many pages."""
    name = f"db_{secrets.token_hex(4)}"
    url = server.open_database(busy, name)
    ask(url, f"CREATE ROLE {name} LOGIN; GRANT ALL ON SCHEMA public TO {name}; SET ROLE {name}; CREATE TABLE t (a int)")
    ask(url, "ALTER TABLE t SET (autovacuum_enabled = false)")
    ask(url, "INSERT INTO t SELECT generate_series(1, 200000)")
    return make_url(url).set(username=name).render_as_string(hide_password=False)


@pytest.fixture
def chain(tmp_path: Path, url: str) -> Iterator[Chain]:
    with closing(Chain(tmp_path, url)) as chain:
        yield chain


def begun(busy: Server, url: str, **parameters: object) -> int:
    """The pid of the worker that vacuums `t`, which has just begun."""
    settings = "".join(f", {name} = {value}" for name, value in parameters.items())
    ask(url, f"ALTER TABLE t SET (autovacuum_enabled = true, {SLOW}{settings})")
    admin = by_superuser(url)
    until(lambda: ask(admin, WORKER), "autovacuum begins")
    return int(ask(admin, WORKER)[0][0])


def by_superuser(url: str) -> str:
    return make_url(url).set(username="postgres").render_as_string(hide_password=False)


def lives(url: str, pid: int) -> bool:
    return ask(url, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid) == [(1,)]


def test_it_is_cancelled_and_nobody_queues_meanwhile(busy: Server, url: str, chain: Chain) -> None:
    ask(url, "DELETE FROM t WHERE a % 2 = 0")
    worker = begun(busy, url, autovacuum_vacuum_threshold=0, autovacuum_vacuum_scale_factor=0)
    process = chain.revision("r1", ADD).start()
    rounds = 0
    with session(url) as other:
        while process.poll() is None:
            other.execute("SET LOCAL lock_timeout = '600ms'; SELECT a FROM t LIMIT 1; UPDATE t SET a = a WHERE a = 1")
            other.connection.rollback()
            rounds += 1
    done = finished(process)
    assert done.code == 0, done
    assert f"r1 needs t: waiting, without blocking anybody, for pid {worker}, an autovacuum worker, what it" in done.err
    assert rounds > 10
    assert not lives(url, worker)
    assert ask(url, "SELECT autovacuum_count FROM pg_stat_user_tables WHERE relname = 't'") == [(0,)]


def test_one_that_prevents_wraparound_is_named_and_left_alone(busy: Server, url: str, chain: Chain) -> None:
    ask(url, AGE)
    worker = begun(busy, url, autovacuum_freeze_max_age=100000)
    chain.url = by_superuser(url)
    done = chain.revision("r1", ADD).upgrade(LOCK_RETRY_FOR="3")
    assert done.code == 5
    assert f"pid {worker}, an autovacuum worker, since " in done.err
    assert "public.t (to prevent wraparound); the server does not cancel this one" in done.err
    assert lives(url, worker)
