"""Watches, from another connection, a statement that is a transaction of its own, and whose locks end with it.

What it is not seen to hold, as it was too quick, is added as the manual has it. Takes no lock that anybody waits for.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from psycopg2.extensions import cursor as RawCursor  # noqa: N812 -- the same

from app.migrations import trace_documented as documented
from app.migrations import trace_observation as observation
from app.migrations.lock_modes import covers, strength
from app.migrations.statements import words
from app.migrations.trace_drafts import LockDraft, RunDraft, StatementDraft, StepDraft
from app.migrations.trace_observation import State
from app.migrations.trace_values import DOCUMENTED

FLUSH = "SELECT pg_catalog.pg_stat_force_next_flush()"
"""Has the session report its counters when this statement ends.

https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-FUNCTIONS
"""
FLUSHES = 150000
"""The server version since which it is there."""
RESOLVE = "SELECT pg_catalog.to_regclass(%s)::oid::bigint"


class Subject(NamedTuple):
    """Who is watched: the connection, the statement that it is about to run, the revision at work."""

    run: RunDraft
    step: StepDraft
    draft: StatementDraft
    raw: RawConnection


class _Found(NamedTuple):
    """A lock, by oid; `page` is that of the manual for one that was not seen."""

    oid: int
    mode: str
    page: str = ""


@contextmanager
def watching(look: RawConnection, subject: Subject, sql: str) -> Iterator[None]:
    """Note in the draft, at the end of the block, what its statement locked and changed. `look` is in autocommit."""
    before = _state(look, subject.raw)
    subject.run.met(subject.step, before)
    claims = _claims(subject.raw, sql, before)
    seen: set[tuple[int, str]] = set()
    try:
        with sampled(look, subject.raw.info.backend_pid, seen):
            yield
    finally:
        with suppress(psycopg2.Error):  # the statement's own error says it
            after = _state(look, subject.raw)
            known = subject.step.known or frozenset()
            fresh = after.relations.keys() - known
            subject.draft.changes = observation.changes(before, after, fresh, empties(sql))
        _note_locks(subject, [_Found(*one) for one in seen] + claims, before)


@contextmanager
def sampled(look: RawConnection, pid: int, seen: set[tuple[int, str]]) -> Iterator[None]:
    """Add to `seen`, while the block runs, the locks that session `pid` is seen to hold; the last is there at its end.

    They are looked at as often as a query takes, some tenths of a millisecond. `look` is used by nobody else meanwhile,
    and keeps no snapshot between two looks: CREATE INDEX CONCURRENTLY would wait for it.
    """
    begun, over = threading.Event(), threading.Event()

    def watch() -> None:
        try:
            while not over.is_set():
                seen.update(observation.locks(look, pid))
                begun.set()
        except psycopg2.Error:  # the statement's own connection says what is wrong
            begun.set()

    thread = threading.Thread(target=watch, name="lock samples", daemon=True)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


def empties(sql: str) -> bool:
    """Tell whether a statement is a TRUNCATE."""
    return words(sql)[:1] == ["TRUNCATE"]


def order(mode: str) -> tuple[int, str]:
    """Return what sorts the strongest mode first."""
    return -strength(mode), mode


def _state(look: RawConnection, raw: RawConnection) -> State:
    """Read what is committed, and the scans, which the session is first made to report."""
    if raw.server_version >= FLUSHES and raw.info.transaction_status == TRANSACTION_STATUS_IDLE:
        with suppress(psycopg2.Error), RawCursor(raw) as cursor:
            cursor.execute(FLUSH)
    return observation.state(look, None, exact=False)


def _claims(raw: RawConnection, sql: str, state: State) -> list[_Found]:
    """Return what the manual says of the statement's locks on relations that are there by now."""
    found = []
    for claim in documented.claims(sql):
        with suppress(psycopg2.Error), RawCursor(raw) as cursor:
            cursor.execute(RESOLVE, (claim.name,))
            (oid,) = cursor.fetchone() or (None,)
            relation = state.relations.get(oid or 0)
            if relation is not None:
                found.append(_Found(relation.table if claim.of_table else oid, claim.mode, claim.page))
    return found


def _note_locks(subject: Subject, found: list[_Found], before: State) -> None:
    """Note the locks on what was there before, of each relation those that no other one covers, seen ones first."""
    began, ended = subject.draft.began, subject.draft.began + subject.draft.statement.ms
    kept: list[_Found] = []
    for one in sorted(found, key=lambda one: (one.oid, *order(one.mode), one.page)):
        covered = any(other.oid == one.oid and covers(other.mode, one.mode) for other in kept)
        lock = None if covered else subject.run.lock(subject.step, one.oid, one.mode, [before])
        if lock is not None:
            kept.append(one)
            lock = lock._replace(source=DOCUMENTED, page=one.page) if one.page else lock
            subject.draft.locks.append(LockDraft(lock, began, ended))
