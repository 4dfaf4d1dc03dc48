"""Finds out what each statement of a traced connection does, before it goes on to the next. Never alters one.

In a transaction the server is asked on the same connection, as nobody else sees what is not committed: after the
statement, under a savepoint, so that a question which fails leaves the transaction as it was, and not before one that
has to be the first (SET TRANSACTION) or in an aborted transaction. A statement that is a transaction of its own is
watched from another connection (trace_onlooker.py).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import (
    STATUS_BEGIN,
    TRANSACTION_STATUS_IDLE,
    TRANSACTION_STATUS_INERROR,
    TRANSACTION_STATUS_INTRANS,
)
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from psycopg2.extensions import cursor as RawCursor  # noqa: N812 -- the same

from app.migrations import trace_observation as observation
from app.migrations import trace_onlooker as onlooker
from app.migrations.lock_modes import covers
from app.migrations.statements import words
from app.migrations.trace_drafts import LockDraft, RunDraft, StatementDraft, StepDraft
from app.migrations.trace_observation import Held, State
from app.migrations.trace_session import Call, written
from app.migrations.trace_values import Statement

QUIET = frozenset(
    {"SET", "RESET", "SHOW", "SAVEPOINT", "RELEASE", "BEGIN", "START", "COMMIT", "END", "ABORT", "ROLLBACK"}
)
"""They lock and change nothing, and SET TRANSACTION has to come before any question."""
CHATTER = frozenset({"show transaction isolation level"})
"""What SQLAlchemy asks by itself when a connection changes to autocommit."""
SAVEPOINT = "massacorp_trace"


class Session:
    """One traced connection: the locks of its transaction, and the database as that sees it."""

    def __init__(self, run: RunDraft, look: Callable[[], RawConnection], raw: RawConnection) -> None:
        self.run, self.look, self.raw = run, look, raw
        self.pid = raw.info.backend_pid
        self.state: State | None = None
        self.held: dict[tuple[int, str], LockDraft] = {}
        self.segment: tuple[StepDraft, bool, int] | None = None

    def around(self, call: Call, proceed: Callable[[], Any]) -> Any:
        """Run a statement and, while a revision's code is at work, note it."""
        step = self.run.step
        if step is None or call.statement.lower() in CHATTER:
            return proceed()
        status = self.raw.info.transaction_status
        past_the_driver = self.raw.status == STATUS_BEGIN  # a COMMIT that was executed as a statement
        alone = status == TRANSACTION_STATUS_IDLE and (self.raw.autocommit or past_the_driver)
        with self.run.clock.aside():
            draft = self._begin(step, call, transactional=not alone)
            return (self._alone if alone else self._within)(step, draft, call, proceed)

    def ended(self) -> None:
        """The transaction has ended, and its locks with it."""
        for lock in self.held.values():
            lock.ended = self.run.clock.now()
        self.held, self.state, self.segment = {}, None, None

    def _begin(self, step: StepDraft, call: Call, transactional: bool) -> StatementDraft:
        if self.segment is None or self.segment[:2] != (step, transactional):
            self.segment = step, transactional, step.next_segment()
        line = step.line()
        path, segment = step.step.path if line else "", self.segment[2]
        statement = Statement(written(call), path, line, segment, transactional, 0.0, None, times=call.times)
        draft = StatementDraft(statement, self.run.clock.now())
        step.statements.append(draft)
        return draft

    @contextmanager
    def _timed(self, draft: StatementDraft, call: Call) -> Iterator[None]:
        """Run the statement, in the block, on the clock."""
        clock, failed = self.run.clock, True
        draft.began = clock.now()
        try:
            with clock.counted():
                yield
            failed = False
        finally:
            rows = None if failed or call.cursor.rowcount < 0 else call.cursor.rowcount
            draft.statement = draft.statement._replace(ms=clock.now() - draft.began, rows=rows, failed=failed)

    def _alone(self, step: StepDraft, draft: StatementDraft, call: Call, proceed: Callable[[], Any]) -> Any:
        subject = onlooker.Subject(self.run, step, draft, self.raw)
        with onlooker.watching(self.look(), subject, call.statement), self._timed(draft, call):
            return proceed()

    def _within(self, step: StepDraft, draft: StatementDraft, call: Call, proceed: Callable[[], Any]) -> Any:
        found = words(call.statement)
        quiet = found[:1] != [] and found[0] in QUIET and ";" not in found[:-1]
        if self.state is None and not quiet:
            self._ask(self._read)
        if self.state is not None:
            self.run.met(step, self.state)
        try:
            with self._timed(draft, call):
                return proceed()
        finally:
            status = self.raw.info.transaction_status
            if status == TRANSACTION_STATUS_INTRANS and (not quiet or found[0] == "ROLLBACK"):
                self._ask(lambda: self._observe(step, draft, call))
            elif status == TRANSACTION_STATUS_INERROR:
                self._failed()
            elif status == TRANSACTION_STATUS_IDLE:
                self.ended()

    def _ask(self, question: Callable[[], None]) -> None:
        """Put a question to the connection in its transaction; if it fails, the transaction is as before."""
        if self.raw.info.transaction_status not in (TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS):
            return
        with suppress(psycopg2.Error), RawCursor(self.raw) as cursor:
            cursor.execute(f"SAVEPOINT {SAVEPOINT}")
            try:
                question()
            except psycopg2.Error:
                self.state = None
                cursor.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
            cursor.execute(f"RELEASE SAVEPOINT {SAVEPOINT}")

    def _read(self) -> None:
        self.state = observation.state(self.raw, None)

    def _observe(self, step: StepDraft, draft: StatementDraft, call: Call) -> None:
        """Note what the transaction holds now and did not hold before, and what became different."""
        held = observation.locks(self.raw, self.pid)
        self._release(held)
        touched = {oid for oid, _ in held}
        if self.state is None or words(call.statement)[:1] == ["ROLLBACK"]:
            before = None
            self._read()
        else:
            before = self.state.part(touched)
        after = observation.state(self.raw, touched)
        if before is not None and self.state is not None:
            known = step.known or frozenset()
            draft.changes = observation.changes(before, after, touched - known, onlooker.empties(call.statement))
            self.state.update(before, after)
        self._note_locks(step, draft, held, [after, *([before] if before else [])])

    def _note_locks(self, step: StepDraft, draft: StatementDraft, held: Held, states: list[State]) -> None:
        """Note the new locks that keep anyone away whom the transaction did not keep away before."""
        by_strength = sorted(held - self.held.keys(), key=lambda one: (one[0], *onlooker.order(one[1])))
        for oid, mode in by_strength:
            covered = any(one == oid and covers(other, mode) for one, other in self.held)
            lock = None if covered else self.run.lock(step, oid, mode, states)
            if lock is not None:
                self.held[oid, mode] = LockDraft(lock, draft.began)
                draft.locks.append(self.held[oid, mode])

    def _release(self, held: Held) -> None:
        """Note which locks are gone: those of a savepoint that was rolled back."""
        for key in self.held.keys() - held:
            self.held.pop(key).ended = self.run.clock.now()

    def _failed(self) -> None:
        """After an error the transaction holds only what it held before its last savepoint."""
        self.state = None
        with suppress(psycopg2.Error):
            self._release(observation.locks(self.look(), self.pid))
