"""What a traced run found out, as values: locks, statements, steps. Opens no connection, runs nothing."""

from collections.abc import Iterable
from typing import NamedTuple

from app.migrations.lock_modes import MODES, strength

__all__ = ["DOCUMENTED", "MEASURED", "MODES", "Lock", "Statement", "Step", "Trace", "strength", "strongest"]

MEASURED, DOCUMENTED = "measured", "documented"


class Lock(NamedTuple):
    """A lock on a relation that a statement took and the statements before it had not.

    `relation` is its name at that moment, with its schema, quoted where SQL wants it; `kind` is "table" (also a
    partitioned one), "index", "sequence", "view", "materialized view", "foreign table" or "relation". `held_ms` counts
    from the beginning of the statement to the end of its transaction, the rest of a savepoint that was rolled back, or
    the end of the statement outside of a transaction; None for a documented one. `page` is that of the manual for a
    documented one, else "". `new` tells that this revision made the relation: nobody else can wait for it. `origin` is
    the relation's name when the trace began, "" if it was not there; `table` the table that an index is of, by its name
    at that time if it was there, else "".
    """

    relation: str
    kind: str
    mode: str
    source: str
    held_ms: float | None
    page: str = ""
    new: bool = False
    origin: str = ""
    table: str = ""


class Statement(NamedTuple):
    """One call of the driver: what reached the server, who issued it and what it did.

    `sql` has its values in it, those longer than 60 characters cut; of an executemany the first, with how often it ran
    in `times`. `path` and `line` are the line of the revision at work, 0 and "" where its file has no part in it;
    `path` is counted from the root of the repository. `segment` counts, within the revision, its transactions and the
    stretches between them, in which each statement is a transaction of its own (`transactional` is False). `rows` is
    what the driver reports: read or changed, None where that is nothing.

    Names are as in `Lock`. `rewritten` are tables and materialized views whose rows were written anew, not those
    `truncated`; `indexes_built` indexes whose contents were made now; `validated` constraints of existing tables for
    which rows were read, as "name ON table", "NOT NULL (column) ON table" or "partition bound ON table"; `scanned` the
    existing tables that were read from end to end, for whatever reason. `failed` is the last of a step that failed.
    """

    sql: str
    path: str
    line: int
    segment: int
    transactional: bool
    ms: float
    rows: int | None
    locks: tuple[Lock, ...] = ()
    rewritten: tuple[str, ...] = ()
    indexes_built: tuple[str, ...] = ()
    validated: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    truncated: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()
    times: int = 1
    failed: bool = False


class Step(NamedTuple):
    """One revision. `ms` is its own time, from its first line to the end of its commit, without the tracing.

    `error` tells why it could not be captured, in whole or at all, `error_line` the line of its file, 0 where there is
    none. `rows` tells that the tables held rows; `with_rows` and `with_rows_line` the error with which it ends where
    they do, if it had to be run without. `path` is counted from the root of the repository.
    """

    revision: str
    path: str
    title: str
    digest: str
    statements: tuple[Statement, ...] = ()
    ms: float = 0.0
    error: str | None = None
    error_line: int = 0
    rows: bool = False
    with_rows: str = ""
    with_rows_line: int = 0


class Trace(NamedTuple):
    """What an upgrade from the revisions `start` did; `end` are the revisions that it reached.

    `server_version` is as the server counts: 180004 is 18.4.
    """

    start: tuple[str, ...]
    end: tuple[str, ...]
    server_version: int
    steps: tuple[Step, ...]

    @property
    def complete(self) -> bool:
        """Return whether every step was captured."""
        return all(step.error is None for step in self.steps)


def strongest(locks: Iterable[Lock]) -> Lock | None:
    """Return the strongest of these locks, the first of several; None where there is none."""
    return max(locks, key=lambda lock: strength(lock.mode), default=None)
