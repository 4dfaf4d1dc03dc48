"""Where a database stands against the history, and the words and the cure for it. Reads neither of the two.

What `inv db.status` shows and what /health/ready answers come from here, so that they cannot disagree.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from app.migrations.headers import Revision
    from app.migrations.history import History

RUNNING = "a migration is running"


class State(Enum):
    """The standing of a database; the value is the text shown."""

    AT_HEAD = "at head"
    BEHIND = "behind"
    EMPTY = "no revision applied"
    UNKNOWN = "at a revision that this checkout does not have"
    HALF_APPLIED = "half applied"


class Pending(Protocol):
    """A revision that the database lacks; Alembic's Script is one."""

    @property
    def revision(self) -> str:
        """Its id."""

    @property
    def doc(self) -> str:
        """The first line of its docstring."""


class Step(NamedTuple):
    """A pending revision as it was read from source."""

    revision: str
    doc: str


class Standing(NamedTuple):
    """The revisions of a database against the history; `pending` is what the database lacks, oldest first."""

    state: State
    revisions: tuple[str, ...]
    heads: tuple[str, ...]
    pending: tuple[Pending, ...]
    half_applied: tuple[str, ...] = ()


def decide(
    revisions: Iterable[str],
    heads: Iterable[str],
    pending: Sequence[Pending] | None,
    half_applied: Sequence[str] = (),
) -> Standing:
    """Name the state; `pending` is None where a revision of the database is unknown to the history."""
    rows = tuple(sorted(revisions))
    if pending is None:
        state = State.UNKNOWN
    elif half_applied:
        state = State.HALF_APPLIED
    elif not pending:
        state = State.AT_HEAD
    else:
        state = State.BEHIND if rows else State.EMPTY
    return Standing(state, rows, tuple(heads), tuple(pending or ()), tuple(half_applied))


def compare(revisions: Sequence[str], history: "History", half_applied: Sequence[str] = ()) -> Standing:
    """Compare the rows of a version table with a whole history that was read from source."""
    known = all(revision in history for revision in revisions)
    pending = [_step(history[id_]) for id_ in history.pending(revisions)] if known else None
    return decide(revisions, history.heads, pending, half_applied)


def words(standing: Standing, running: bool = False) -> str:
    """Return where the database stands, in a few words; with `running`, that a migration is at work on it."""
    half = standing.state is State.HALF_APPLIED
    if half and not running:
        return f"revision {', '.join(standing.half_applied)} was begun and never ended: half of it is committed"
    said = [] if half else [standing.state.value]  # what a migration is at work on has not ended either
    if count := len(standing.pending):
        said.append(f"{count} {'revision' if count == 1 else 'revisions'} pending")
    return "; ".join(filter(None, (", ".join(said), RUNNING if running else "")))


def cure(name: str | None, standing: Standing, running: bool = False) -> str:
    """Return the command that brings the database to the head, as far as one can; `name` is its environment's."""
    upgrade = f"inv db.upgrade --env={name}" if name else "alembic upgrade head"
    if running:
        return f"wait for its end: `{f'inv db.status --env={name}' if name else 'alembic current'}` shows it"
    if standing.state is State.UNKNOWN:
        return "git pull, or check out the branch that has this revision"
    if standing.state is State.HALF_APPLIED:
        begun = ", ".join(standing.half_applied)
        return f"see what revision {begun} has already done, undo that by hand, then {upgrade}"
    return "inv db.merge" if len(standing.heads) > 1 else upgrade


def revisions(standing: Standing) -> str:
    """Return the revisions of the database, or `base` when there is none."""
    return ", ".join(standing.revisions) or "base"


def _step(revision: "Revision") -> Step:
    return Step(revision.id, revision.message)
