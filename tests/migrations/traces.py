"""Statements run as a revision would run them, and what the trace makes of each."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from app.migrations.trace_drafts import RunDraft, StepDraft
from app.migrations.trace_listening import Session
from app.migrations.trace_session import heard
from app.migrations.trace_values import Statement, Step
from tests.migrations.chains import dsn


class Tracer:
    """One traced connection, `raw`, on which a revision is at work as long as it is there."""

    def __init__(self, url: str, autocommit: bool = False) -> None:
        self.draft = RunDraft()
        self.step = StepDraft(Step("rev", "alembic/versions/rev.py", "", ""), __file__)
        self.look = psycopg2.connect(dsn(url))
        self.look.autocommit = True
        with heard(self.listen):
            self.raw = psycopg2.connect(dsn(url))
        self.raw.autocommit = autocommit
        self.draft.step = self.step

    def listen(self, raw: Any) -> Session:
        """Make the listener of a connection."""
        return Session(self.draft, lambda: self.look, raw)

    def execute(self, sql: str, values: Any = None) -> Statement:
        """Run a statement; return what is known of it as long as its transaction is open."""
        with self.raw.cursor() as cursor:
            cursor.execute(sql, values)
        return self.statements[-1]

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What was traced by now."""
        return self.step.finished(self.draft.clock.now()).statements

    def new_revision(self) -> None:
        """Have another revision be at work from here on."""
        self.step = self.draft.step = StepDraft(self.step.step, __file__)

    def close(self) -> None:
        """Close the connections."""
        self.raw.close()
        self.look.close()


@contextmanager
def tracer(url: str, autocommit: bool = False) -> Iterator[Tracer]:
    """A traced connection for the length of the block."""
    found = Tracer(url, autocommit)
    try:
        yield found
    finally:
        found.close()


def locked(statement: Statement) -> dict[str, str]:
    """The strongest lock on each relation but indexes that was there before the revision."""
    found: dict[str, str] = {}
    for lock in statement.locks:  # the strongest come first
        if not lock.new and lock.kind != "index":
            found.setdefault(lock.relation.removeprefix("public."), lock.mode)
    return found
