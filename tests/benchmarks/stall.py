"""How long ordinary traffic stands still while a column is added behind a transaction that does not end.

Plain Alembic, blind retries and `locking.guarded`, side by side in one run: `python -m tests.benchmarks.stall`.
A stall is one statement of a client that took longer than 50 ms; every latency is kept.
"""

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2

from app.migrations import scratch
from tests.migrations.chains import ENV, PLAIN_ENV, ROOT, Chain, ask, dsn, finished

READERS, WRITERS = 4, 2
PERIOD = 0.02
"""Seconds from one statement of a client to the next."""
STALLED = 0.05
LOCK_TIMEOUT = 0.25
OVERLAP = 0.5
"""Seconds for which one blocker and the next hold the table together."""
READ = "SELECT filler FROM items WHERE id = %s"
WRITE = "UPDATE items SET touched = touched + 1 WHERE id = %s"
BLIND_ENV = """
import os
import random
import time
from alembic import context
from sqlalchemy import create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

engine = create_engine(os.environ["TEST_URL"], poolclass=NullPool)


@event.listens_for(engine, "begin")
def short(connection):
    connection.connection.cursor().execute("SET LOCAL lock_timeout = '250ms'")


def attempt():
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


pause = 0.1
while True:
    try:
        attempt()
        break
    except OperationalError as error:
        if error.orig.pgcode != "55P03":
            raise
    time.sleep(pause * random.uniform(0.5, 1))
    pause = min(pause * 2, 1)
"""


class Road(NamedTuple):
    """One way to migrate, and the transactions in its way: how long each lasts; they overlap."""

    name: str
    env: str
    blockers: tuple[float, ...]


class Figures(NamedTuple):
    """What one road did to the clients, in seconds; `stalls` is the largest sum of one client."""

    name: str
    p50: float
    p99: float
    longest: float
    stalls: float
    done_after: float
    complaint: str = ""


def roads(seconds: float) -> tuple[Road, ...]:
    """The roads compared: one blocker for all, and for ours also several that overlap without a gap."""
    piece = seconds / 4 + OVERLAP
    return (
        Road("plain alembic", PLAIN_ENV, (seconds,)),
        Road("blind retries", BLIND_ENV, (seconds,)),
        Road("guarded", ENV, (seconds,)),
        Road("guarded, overlapping", ENV, (piece,) * 4),
    )


def measure(road: Road, url: str) -> Figures:
    """Run one road under load on a table that is made anew; returns what the clients felt."""
    ask(url, "DROP TABLE IF EXISTS alembic_version")
    ask(url, "ALTER TABLE items DROP COLUMN IF EXISTS added")
    with tempfile.TemporaryDirectory() as folder:
        chain = Chain(Path(folder), url, road.env)
        chain.revision("r1", 'op.execute("SELECT 1")')
        assert chain.upgrade().code == 0
        chain.revision("r2", 'op.add_column("items", sa.Column("added", sa.Integer))')
        with load(url) as latencies, blocked(url, road.blockers) as blockers:
            process = chain.start()
            code, _, err = finished(process)
            ended = time.monotonic()
            blockers.join()
    perceived = latencies()
    every = sorted(latency for client in perceived for latency in client)
    percent = statistics.quantiles(every, n=100)
    stalls = max(sum(one for one in client if one > STALLED) for client in perceived)
    complaint = err.strip() if code else ""
    return Figures(road.name, percent[49], percent[98], every[-1], stalls, ended - blockers.ended, complaint)


@contextmanager
def load(url: str) -> Iterator[Callable[[], list[list[float]]]]:
    """Readers and writers at a steady rate while the block runs; afterwards the latencies of each can be had."""
    spawn = multiprocessing.get_context("spawn")
    over, ready, results = spawn.Event(), spawn.Barrier(READERS + WRITERS + 1), spawn.Queue()
    queries = [READ] * READERS + [WRITE] * WRITERS
    clients = [
        spawn.Process(target=client, args=(url, query, number, ready, over, results))
        for number, query in enumerate(queries)
    ]
    for one in clients:
        one.start()
    ready.wait(60)
    gathered: list[list[float]] = []
    try:
        yield lambda: gathered
    finally:
        over.set()
        gathered += [results.get(timeout=60) for _ in clients]
        for one in clients:
            one.join()


def client(url: str, query: str, number: int, ready: Barrier, over: Event, results: Any) -> None:
    """Run `query` on rows of its own every PERIOD, and hand in all latencies at the end."""
    connection = psycopg2.connect(dsn(url))
    connection.autocommit = True
    latencies: list[float] = []
    row = number
    with connection.cursor() as cursor:
        cursor.execute(query, (row,))
        ready.wait(60)
        while not over.is_set():
            row = (row + 7919 * 6) % 900_000 + number
            began = time.monotonic()
            cursor.execute(query, (row,))
            latencies.append(time.monotonic() - began)
            time.sleep(max(0.0, PERIOD - latencies[-1]))
    results.put(latencies)


class Blockers:
    """Transactions that each read the table and stay open, one after the other, overlapping."""

    def __init__(self, url: str, lasting: Sequence[float]) -> None:
        self.ended = 0.0
        self.began = threading.Event()
        self.thread = threading.Thread(target=self._hold, args=(url, lasting))
        self.thread.start()

    def join(self) -> None:
        self.thread.join()

    def _hold(self, url: str, lasting: Sequence[float]) -> None:
        former = None
        for seconds in lasting:
            connection = psycopg2.connect(dsn(url), application_name="report")
            connection.cursor().execute(READ, (1,))
            self.began.set()
            if former is not None:
                time.sleep(OVERLAP)
                former.close()
            former = connection
            time.sleep(seconds - (OVERLAP if len(lasting) > 1 else 0))
        if former is not None:
            former.close()
        self.ended = time.monotonic()


@contextmanager
def blocked(url: str, lasting: Sequence[float]) -> Iterator[Blockers]:
    """Hold the table by open transactions; yields when the first one does."""
    blockers = Blockers(url, lasting)
    blockers.began.wait(10)
    try:
        yield blockers
    finally:
        blockers.join()


def judge(figures: Sequence[Figures]) -> list[str]:
    """Compare with what is promised; returns what was missed."""
    plain, _, ours, overlapping = figures
    promises = [(f"{one.name} ended with: {one.complaint}", not one.complaint) for one in figures]
    promises += [
        ("longest stall at most 1.2 x LOCK_TIMEOUT + 50 ms", ours.longest <= 1.2 * LOCK_TIMEOUT + 0.05),
        ("longest stall at least 20 times shorter than plain alembic's", ours.longest * 20 <= plain.longest),
        ("stalls of a client at most 2 x LOCK_TIMEOUT in all", ours.stalls <= 2 * LOCK_TIMEOUT),
        ("done within 0.5 s of the blocker's end", ours.done_after <= 0.5),
        ("overlapping: stalls of a client at most 3 x LOCK_TIMEOUT", overlapping.stalls <= 3 * LOCK_TIMEOUT),
        ("overlapping: done within 0.5 s of the last one's end", overlapping.done_after <= 0.5),
    ]
    return [promise for promise, kept in promises if not kept]


def run(url: str, seconds: float = 10, rows: int = 1_000_000) -> int:
    """Measure every road on a table made in the database `url`, print the figures; 1 when a promise is not kept."""
    ask(url, "CREATE TABLE items (id bigint PRIMARY KEY, touched int NOT NULL DEFAULT 0, filler text)")
    ask(url, f"INSERT INTO items SELECT n, 0, repeat('x', 60) FROM generate_series(0, {rows}) n")
    ask(url, "ALTER TABLE items SET (autovacuum_enabled = false)")
    ask(url, "VACUUM ANALYZE items")
    say(f"{'':22}{'p50':>10}{'p99':>10}{'longest':>10}{'stalls':>10}{'done after':>12}")
    figures = []
    for road in roads(seconds):
        found = measure(road, url)
        figures.append(found)
        times = "".join(f"{value * 1000:>7.0f} ms" for value in found[2:5])
        say(f"{found.name:22}{found.p50 * 1000:>7.1f} ms{times}{found.done_after * 1000:>9.0f} ms")
    missed = judge(figures)
    for promise in missed:
        say(f"missed: {promise}")
    return 1 if missed else 0


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run on a scratch database of the private server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="how long the blocker stays")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pg", type=int, default=18, choices=(16, 18))
    given = parser.parse_args()
    with scratch.database(scratch.admin_url(ROOT, scratch.EMBEDDED, major=given.pg)) as url:
        return run(url, given.seconds, given.rows)


if __name__ == "__main__":
    raise SystemExit(main())
