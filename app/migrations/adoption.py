"""Brings a database that was made by hand under Alembic: finds its revision, or writes a first one that builds it.

Nothing is recorded in the database here; a file that does not build the same schema is taken away again.
"""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine

from app.migrations import detection, drift, expected, first_revision, locking
from app.migrations.build_inputs import Inputs
from app.migrations.catalog import Difference
from app.migrations.detection import Detection
from app.migrations.drift import Found
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.failures import explained
from app.migrations.targets import Target
from app.migrations.workshop import Say, Wanted

UNSAID = "owners, grants and user mappings are not in the revision: who may do what differs between environments"
LEFT_OUT = frozenset({"user mapping"})
SHOWN = 8


class Adoption(NamedTuple):
    """What is to be recorded: `revision`, and the file that was written for it, None where the history has it."""

    revision: str
    path: Path | None
    notes: tuple[str, ...] = ()


def adopt(root: Path, target: Target, engine: Engine, say: Say | None = None) -> Adoption:
    """Find or write the revision that the target is at, proven by a scratch database that equals it.

    Reads the target only; stamping is the caller's. Raises Refused where the database is under Alembic already or
    empty, where no revision of an existing history equals it, and where no revision could be written that does.
    """
    inputs = Inputs(root)
    with explained(target.place), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        rows = locking.standing(connection)
        found, wanted = expected.meet(connection, target, inputs, say)
    _refuse_unless_by_hand(target, rows, found, wanted)
    if inputs.history.revisions:
        return _in_history(target, detection.detect(found, wanted))
    return _first(root, target, engine, found, wanted)


def _refuse_unless_by_hand(target: Target, rows: tuple[str, ...], found: Found, wanted: Wanted) -> None:
    name, described = target.environment.name, target.place.described
    if rows:
        raise Refused(
            f"{described} is under Alembic already, at {', '.join(rows)}; nothing was changed",
            f"inv db.verify --env={name}",
        )
    if not drift.compare(expected.find(wanted, ()).build, found).differences:
        raise Refused(
            f"{described} is empty: there is nothing to adopt; nothing was changed", f"inv db.upgrade --env={name}"
        )


def _in_history(target: Target, seen: Detection) -> Adoption:
    name = target.environment.name
    states = [", ".join(state) or "base" for state in seen.equal]
    if len(states) == 1 and len(seen.equal[0]) == 1:
        return Adoption(states[0], None)
    if states:
        raise Refused(
            f"{target.place.described} equals several states of the history: {'; '.join(states)}; which of their"
            " changes of data were made cannot be seen; nothing was changed",
            f"inv db.stamp --to={seen.equal[0][0] if seen.equal[0] else 'base'} --env={name}, or another of them",
        )
    nearest = ", ".join(seen.nearest) or "base"
    said = [one.words(nearest, name or "the database") for one in seen.differences[:SHOWN]]
    more = [f"and {len(seen.differences) - SHOWN} more"] if len(seen.differences) > SHOWN else []
    raise Refused(
        f"{target.place.described} equals no revision of the history; the nearest is {nearest}, from which it differs:"
        f" {'; '.join([*said, *more])}; nothing was changed",
        f"make the schema that of {nearest}, then inv db.adopt --env={name}",
    )


def _first(root: Path, target: Target, engine: Engine, found: Found, wanted: Wanted) -> Adoption:
    """Write the first revision: in Alembic's words where they are enough, else in those of pg_dump."""
    revision, path = first_revision.in_operations(root, target, engine, wanted)
    with suppress(ConfigurationError):  # it does not even run
        if not _differences(path, revision, found, wanted):
            return Adoption(revision, path)
    revision, path = first_revision.in_sql(root, target, engine)
    if differences := _differences(path, revision, found, wanted):
        said = "; ".join(one.words("the revision", "the database") for one in differences[:SHOWN])
        raise Refused(
            f"{target.place.described}: no revision could be written that builds its schema: {said}; the file was"
            " removed, nothing was changed",
            "write the first revision by hand, then inv db.stamp --detect",
        )
    return Adoption(revision, path, (UNSAID,))


def _differences(path: Path, revision: str, found: Found, wanted: Wanted) -> list[Difference]:
    """Return how the target differs from what the revision builds; the file is kept only where it does not."""
    try:
        built = expected.find(wanted._replace(inputs=Inputs(wanted.inputs.root)), (revision,))
        differences = [one for one in drift.compare(built.build, found).differences if one.kind not in LEFT_OUT]
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if differences:
        path.unlink(missing_ok=True)
    return differences
