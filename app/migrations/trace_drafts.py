"""A traced run while it goes on: what is known of each statement and lock so far. Runs no statement itself."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from app.migrations.lock_modes import strength
from app.migrations.trace_observation import FIRST_OF_USERS, Changes, State
from app.migrations.trace_values import MEASURED, Lock, Statement, Step

NOTHING = Changes()


class Clock:
    """Milliseconds since it was made, without the time spent `aside`; within that, what is `counted` counts."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._aside = 0.0
        self._since: float | None = None

    def now(self) -> float:
        """Return the milliseconds so far."""
        until = time.monotonic() if self._since is None else self._since
        return (until - self._began - self._aside) * 1000

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Stop the clock for the block."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._go_on()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Let the clock run for the block, within a block that is `aside`."""
        self._go_on()
        try:
            yield
        finally:
            self._since = time.monotonic()

    def _go_on(self) -> None:
        if self._since is not None:
            self._aside += time.monotonic() - self._since
        self._since = None


@dataclass
class LockDraft:
    """A lock that is held: the value so far, since when, and until when if that is known."""

    lock: Lock
    began: float
    ended: float | None = None

    def finished(self, now: float) -> Lock:
        """Return the value, with its duration if it was measured."""
        if self.lock.source != MEASURED:
            return self.lock
        return self.lock._replace(held_ms=(now if self.ended is None else self.ended) - self.began)


@dataclass
class StatementDraft:
    """A statement that has begun, and its locks and changes when it has ended."""

    statement: Statement
    began: float
    locks: list[LockDraft] = field(default_factory=list)
    changes: Changes = NOTHING

    def finished(self, now: float) -> Statement:
        """Return the value, its strongest locks first, those of tables before others."""
        locks = sorted((draft.finished(now) for draft in self.locks), key=_order)
        return self.statement._replace(locks=tuple(locks), **self.changes._asdict())


@dataclass
class StepDraft:
    """A revision at work: `file` is the file whose lines are told; `known` the oids that were there when it began.

    It has `began` when its code was called, and `ended` when it was committed or has failed.
    """

    step: Step
    file: str
    began: float | None = None
    ended: float | None = None
    known: frozenset[int] | None = None
    segments: int = 0
    statements: list[StatementDraft] = field(default_factory=list)

    def finished(self, now: float) -> Step:
        """Return the value."""
        return self.step._replace(statements=tuple(draft.finished(now) for draft in self.statements), ms=self.ms(now))

    def ms(self, now: float) -> float:
        """Return how long it has taken until it ended, or until now."""
        return 0.0 if self.began is None else (now if self.ended is None else self.ended) - self.began

    def next_segment(self) -> int:
        """Return the number of a segment that begins."""
        self.segments += 1
        return self.segments

    def line(self) -> int:
        """Return the innermost line of the revision's file in the calls that led here; 0 if it has no part in them."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != self.file:
            frame = frame.f_back
        return frame.f_lineno if frame is not None else 0


class RunDraft:
    """A run: `step` is the revision whose code is at work, None between two; `origins` what was there at first."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.step: StepDraft | None = None
        self.origins: dict[int, str] | None = None

    def met(self, step: StepDraft, state: State) -> None:
        """Remember what is there when the run, and when the step begins: the first state that is read."""
        if step.known is None:
            step.known = frozenset(state.relations)
        if self.origins is None:
            self.origins = {oid: one.name for oid, one in state.relations.items()}

    def lock(self, step: StepDraft, oid: int, mode: str, states: Sequence[State]) -> Lock | None:
        """Return a measured lock by the names in the first of these states that has it; None where none has."""
        relation = next((state.relations[oid] for state in states if oid in state.relations), None)
        if relation is None:
            return None
        new = oid >= FIRST_OF_USERS and oid not in (step.known or ())
        origins = self.origins or {}
        tables = (state.relations[relation.table].name for state in states if relation.table in state.relations)
        table = origins.get(relation.table) or next(tables, "")
        return Lock(relation.name, relation.kind, mode, MEASURED, None, "", new, origins.get(oid, ""), table)


def _order(lock: Lock) -> tuple[int, bool, str]:
    return -strength(lock.mode), lock.kind != "table", lock.relation
