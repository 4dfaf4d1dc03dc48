"""Drift that somebody has accepted: a file of differences, in a stable order, to be kept beside the environment's own.

A difference is accepted only while it is the very same; what is accepted and no longer there is told. That the
database is not at the head, or the history has several, cannot be accepted.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from app.migrations import durable
from app.migrations.errors import ConfigurationError

if TYPE_CHECKING:
    from app.migrations.verification import Problem, Report

FORMAT = 1
NEVER = frozenset({"HEADS", "AT_HEAD"})
"""Names of checks whose problems are no drift."""


class Entry(NamedTuple):
    """One accepted problem. `object` and what follows are None where it is no difference of two schemas."""

    check: str
    words: str
    kind: str | None = None
    object: str | None = None
    attribute: str | None = None
    before: str | None = None
    after: str | None = None

    @property
    def identity(self) -> tuple[str | None, ...]:
        """Return what tells it from others: the words only where there is nothing else."""
        return tuple(self[2:]) if self.kind else (self.check, self.words)


def usual(root: Path, environment: str) -> Path:
    """Return where the baseline of an environment is looked for when none is named."""
    return root / "envs" / f"{environment}.drift.json"


def applied(report: "Report", path: Path) -> "Report":
    """Return the report without the problems that the file accepts; entries that match nothing become notes.

    Raises ConfigurationError for a file that is not there or is no baseline.
    """
    entries = load(path)
    known = {entry.identity: entry for entry in entries}
    met = {one for problem in report.problems if (one := entry_of(problem)) and one.identity in known}
    kept = [problem for problem in report.problems if entry_of(problem) not in met]
    gone = known.keys() - {entry.identity for entry in met}
    notes = [f"{path.name} accepts what is no longer so: {known[one].words}" for one in known if one in gone]
    return report._replace(problems=tuple(kept), notes=(*report.notes, *notes), accepted=len(met))


def load(path: Path) -> tuple[Entry, ...]:
    """Read a baseline. Raises ConfigurationError."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"the baseline {path} cannot be read: {error.strerror}", f"inv db.verify --baseline={path} --write-baseline"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"the baseline {path} is not JSON: {error}", f"git checkout {path}") from error
    match document:
        case {"format": 1, "accepted": list(accepted)}:
            return tuple(_entry(one, path) for one in accepted)
    raise ConfigurationError(
        f'{path} is no baseline: accepted is {{"format": {FORMAT}, "accepted": [...]}}',
        f"inv db.verify --baseline={path} --write-baseline",
    )


def write(report: "Report", path: Path) -> int:
    """Accept the problems of a report, over what the file said; return how many. Raises ConfigurationError."""
    entries = sorted({one for problem in report.problems if (one := entry_of(problem))}, key=_order)
    text = json.dumps({"format": FORMAT, "accepted": [one._asdict() for one in entries]}, indent=2, ensure_ascii=False)
    with durable.explained(path):
        path.write_text(f"{text}\n", encoding="utf-8")
    return len(entries)


def entry_of(problem: "Problem") -> Entry | None:
    """Return the problem as a baseline holds it; None for one that cannot be accepted."""
    if problem.check.name in NEVER:
        return None
    return Entry(problem.check.name.lower(), problem.words, *(problem.difference or ()))


def _entry(written: object, path: Path) -> Entry:
    if isinstance(written, dict) and written.keys() == set(Entry._fields):
        values: Iterable[object] = (written[name] for name in Entry._fields)
        return Entry(*(None if value is None else str(value) for value in values))  # type: ignore[arg-type]
    raise ConfigurationError(
        f"{path} has an entry that is none: {json.dumps(written, ensure_ascii=False)[:200]}",
        f"inv db.verify --baseline={path} --write-baseline",
    )


def _order(entry: Entry) -> tuple[str, ...]:
    return tuple(value or "" for value in (entry.check, *entry[2:], entry.words))
