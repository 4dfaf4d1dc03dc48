"""How much of a half-applied revision is done: compares the objects that it touches with before and after it.

Changes nothing. What it did to rows cannot be seen here.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from sqlalchemy import Engine

from app.migrations import drift, expected, inspection
from app.migrations.build_inputs import Inputs
from app.migrations.catalog import Catalog, Difference, difference
from app.migrations.drift import Found
from app.migrations.errors import MigrationError
from app.migrations.failures import explained
from app.migrations.history import History
from app.migrations.symptoms import Trace
from app.migrations.targets import Target
from app.migrations.workshop import VERSIONS, Wanted, surroundings


class Extent(Enum):
    """How much of a revision is there; the value is the text shown and kept in the journal."""

    NOTHING = "nothing of it is there"
    WHOLE = "all of it is there"
    PART = "a part of it is there"
    NO_OBJECTS = "it changes no object, only rows"
    UNKNOWN = "it cannot be compared"


class Halfway(NamedTuple):
    """The answer for one revision: what is there and what is not, in words; `why` it could not be compared."""

    trace: Trace
    extent: Extent
    there: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    why: str = ""


class Surveyed(NamedTuple):
    """The schema of a target, its revisions, and what is needed to build them."""

    rows: tuple[str, ...]
    found: Found
    wanted: Wanted


def survey(target: Target, engine: Engine, inputs: Inputs, rows: Sequence[str], say: Callable[[str], None]) -> Surveyed:
    """Read the schema over one connection. Raises Unreachable and ConfigurationError."""
    with (
        explained(target.place),
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        around, catalog = surroundings(connection), inspection.read(connection)
        extensions = {str(name): str(version) for name, version in connection.execute(VERSIONS)}
        user = str(connection.exec_driver_sql("SELECT current_user").scalar_one())
    wanted = Wanted(inputs, target, catalog.server_version, around, say)
    return Surveyed(tuple(rows), Found(catalog, user, extensions), wanted)


def expected_on_target(surveyed: Surveyed, rows: Sequence[str]) -> Catalog:
    """Return what the history builds at `rows`. Raises ConfigurationError, KeyError for a revision it does not have."""
    return drift.as_on_target(expected.find(surveyed.wanted, tuple(rows)).build, surveyed.found)


def look(surveyed: Surveyed, trace: Trace) -> Halfway:
    """Compare. Builds up to two scratch databases where nothing is remembered; raises nothing because of them."""
    history = surveyed.wanted.inputs.history
    if trace.revision not in history or any(row not in history for row in surveyed.rows):
        return Halfway(trace, Extent.UNKNOWN, why="this checkout does not have the revision")
    after = rows_after(history, surveyed.rows, trace)
    if set(after) == set(surveyed.rows):
        return Halfway(trace, Extent.WHOLE)  # the version says so
    try:
        before, behind = (expected_on_target(surveyed, rows) for rows in (surveyed.rows, after))
    except MigrationError as error:
        return Halfway(trace, Extent.UNKNOWN, why=error.message)
    return decide(trace, before, behind, surveyed.found.catalog)


def rows_after(history: History, rows: Sequence[str], trace: Trace) -> tuple[str, ...]:
    """Return the rows of the version table when the revision is applied; or undone, where that was begun."""
    applied = history.ancestors(rows)
    if trace.action != "downgrade":
        if trace.revision in applied:
            return tuple(rows)
        below = history.ancestors([trace.revision])
        return (*(row for row in rows if row not in below), trace.revision)
    if trace.revision not in applied:
        return tuple(rows)
    others = tuple(row for row in rows if row != trace.revision)
    held = history.ancestors(others)
    return (*others, *(parent for parent in history[trace.revision].parents if parent not in held))


def decide(trace: Trace, before: Catalog, after: Catalog, found: Catalog) -> Halfway:
    """Decide on the objects that differ between before and after; drift of others does not count."""
    touched = {(one.kind, one.object) for one in _compared(before, after)}
    if not touched:
        return Halfway(trace, Extent.NO_OBJECTS)
    done = [one for one in _compared(before, found) if (one.kind, one.object) in touched]
    open_ = [one for one in _compared(found, after) if (one.kind, one.object) in touched]
    there = tuple(one.words("before", "the database") for one in done)
    missing = tuple(one.words("the database", "the revision") for one in open_)
    extent = Extent.NOTHING if not done else Extent.WHOLE if not open_ else Extent.PART
    return Halfway(trace, extent, there, missing)


def _compared(one: Catalog, other: Catalog) -> list[Difference]:
    return difference(one, other, grants=False, owners=False, consequences=True)
