"""Readiness under load, through a restart, and before a database that does not answer: within two seconds, always."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from app.api.probe import WITHIN
from app.migrations import postmaster, server
from app.migrations.programs import find_server_programs
from app.migrations.startup import Server
from tests.api.serving import Answer, served
from tests.clones import build_head
from tests.migrations.chains import ask, dsn
from tests.migrations.private_servers import quick_server
from tests.proxy import Heard, Proxy, proxy

ROOT = Path(__file__).resolve().parents[2]
SLACK = 0.7
"""Seconds that a busy machine may add."""
SOON = 0.5
"""A shorter limit, to save time: one test keeps the real one."""
SILENT = "unreachable: no answer"
OTHERS = """pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'"""


@pytest.fixture(scope="module")
def own(pg: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A private server of these tests alone, and a database at the head."""
    place = tmp_path_factory.mktemp("own")
    private = quick_server(place, find_server_programs(major=pg))
    url = server.open_database(private, "app")
    build_head(ROOT, url)
    yield private, url
    server.stop_all(place)


def in_time(answer: Answer, within: float = SOON) -> bool:
    return answer.seconds < within + SLACK


@contextmanager
def stalled(standing: Proxy) -> Iterator[None]:
    """What is sent is dropped, and nobody is told; later ones pass, and a connection that was held stays dead."""

    def hold(_: Heard) -> None:
        threading.Event().wait(30)

    standing.rule = hold
    try:
        yield
    finally:
        standing.rule = lambda _: None


@contextmanager
def stopped(private: Server) -> Iterator[None]:
    """The server's processes do not run, and its sockets still accept."""
    pids = list(postmaster.processes(private.data))
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_fifty_probes_at_once_share_a_connection_and_its_query(migrated: str) -> None:
    queries: list[Heard] = []
    with proxy(migrated) as (standing, url), served(url) as app:
        app.ask()
        app.ask()
        standing.rule = lambda heard: queries.append(heard) if heard.text else None
        app.ask()
        assert [heard.text.count("FROM alembic_version") for heard in queries] == [1]
        answers = app.at_once(50)
        assert [answer.code for answer in answers] == [200] * 50
        assert ask(migrated, f"SELECT count(*) FROM {OTHERS}") == [(1,)]
        assert len(queries) <= 1 + 50


def test_a_restart_of_the_server_is_seen_and_survived(own: tuple[Server, str]) -> None:
    private, url = own
    with served(url) as app:
        assert app.ask().code == 200
        server.stop(private)
        away = app.ask()
        assert (away.code, away.body["standing"]) == (503, "unreachable: no socket")
        server.open_database(private, "app")
        assert app.ask().code == 200
        server.stop(private)
        server.open_database(private, "app")  # between two probes: the connection that was kept is dead
        assert app.ask().code == 200


def test_a_session_that_was_ended_costs_no_probe(migrated: str) -> None:
    end = f"SELECT pg_terminate_backend(pid) FROM {OTHERS}"
    with served(migrated) as app:
        for _ in range(3):
            assert app.ask().code == 200
            ask(migrated, end)


def test_a_server_that_hangs_is_given_up_in_time_and_found_again(own: tuple[Server, str]) -> None:
    private, url = own
    with served(url, SOON) as app:
        assert app.ask().code == 200
        with stopped(private):
            for _ in range(2):  # first the connection that was kept hangs, then a new one
                answer = app.ask()
                assert (answer.code, answer.body["standing"], in_time(answer)) == (503, SILENT, True)
            answers = app.at_once(50)
            assert [(one.code, in_time(one)) for one in answers] == [(503, True)] * 50
        app.until(200, within=5)


def test_a_network_that_drops_is_given_up_in_time_and_found_again(migrated: str) -> None:
    with proxy(migrated) as (standing, url), served(url) as app:
        assert app.ask().code == 200
        with stalled(standing):
            answer = app.ask()
            assert (answer.code, answer.body["standing"], in_time(answer, WITHIN)) == (503, SILENT, True)
        app.until(200, within=5)


def test_who_accepts_and_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"postgresql+psycopg2://someone@127.0.0.1:{mute.getsockname()[1]}/app"
        with served(url, SOON) as app:
            answer = app.ask()
    assert (answer.code, answer.body["state"], in_time(answer)) == (503, "unreachable", True)


def test_live_does_not_wait_for_the_database(own: tuple[Server, str]) -> None:
    private, url = own
    with served(url, SOON) as app, stopped(private):
        waiting = threading.Thread(target=app.at_once, args=(50,))
        waiting.start()
        while waiting.is_alive():
            assert app.ask("/health/live").seconds < 1
            time.sleep(0.05)
        waiting.join()


def test_a_locked_version_table_is_given_up_and_piles_up_no_sessions(migrated: str) -> None:
    with served(migrated) as app, closing(psycopg2.connect(dsn(migrated))) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE alembic_version")
        answer = app.ask()
        assert (answer.code, answer.body["standing"], in_time(answer, WITHIN)) == (503, SILENT, True)
        cursor.execute(f"SELECT count(*) FROM {OTHERS}")
        assert cursor.fetchone() == (1,)
        other.rollback()
        assert app.ask().code == 200


def test_what_a_probe_sets_stays_in_its_query(migrated: str) -> None:
    """Behind a pooler the next client gets the same session."""
    heard: list[str] = []
    with proxy(migrated) as (standing, url), served(url) as app:
        standing.rule = lambda one: heard.append(one.text) if one.text else None
        for _ in range(3):
            app.ask()
    with closing(psycopg2.connect(dsn(migrated))) as pooled, pooled.cursor() as cursor:
        pooled.autocommit = True
        settings = "SELECT name, setting FROM pg_settings WHERE context = 'user' ORDER BY 1"
        cursor.execute(settings)
        before = cursor.fetchall()
        for query in heard:
            cursor.execute(query)
        cursor.execute(settings)
        assert cursor.fetchall() == before
    assert any("SET LOCAL" in query for query in heard)
