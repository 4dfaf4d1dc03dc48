"""Which environments have applied which revisions, as far as they can be asked. Starts no server, changes nothing."""

from collections.abc import Sequence
from typing import NamedTuple

from app.migrations import environments, server, survey
from app.migrations.history import History
from app.migrations.status import Status
from app.migrations.survey import NO_ADDRESS, NOT_MADE, NOT_RUNNING, Row, Surveyor

URL = "DATABASE_URL"


class Whereabout(NamedTuple):
    """One environment. `applied` is None where nobody knows, and `why` says so in words.

    `asked` is False for one that has no address on this machine: nothing here can lead to it. `protected` is what its
    file or its database says, True where neither could be read; `stopped` tells that it is on a private server that
    does not run.
    """

    name: str
    applied: frozenset[str] | None
    protected: bool
    why: str = ""
    asked: bool = True
    status: Status | None = None
    stopped: bool = False

    @property
    def unknown(self) -> bool:
        """Return whether it may have applied anything: it has an address, and did not answer."""
        return self.asked and self.applied is None


def look(surveyor: Surveyor, chosen: str, history: History) -> list[Whereabout]:
    """Ask all environments at once; after `survey.WITHIN` seconds the missing ones are given up.

    An exported DATABASE_URL counts for the `chosen` one alone: it would lead every one without an address to itself.
    `surveyor` has the history as Alembic loads it.
    """
    own = {key: value for key, value in surveyor.process.items() if key != URL}
    others = surveyor._replace(process=own)

    def of(name: str) -> Surveyor:
        return surveyor if name == chosen else others

    names = environments.names(surveyor.root)
    rows = survey.at_once(names, lambda name: of(name).look(name), lambda name: of(name).late(name))
    has_server = (surveyor.root / server.FOLDER / "data").exists()
    return [_judged(row, history, has_server) for row in rows]


def _judged(row: Row, history: History, has_server: bool) -> Whereabout:
    protected = row.environment is None or row.environment.protected
    if row.status is None:
        if row.problem == NOT_MADE or (row.problem == NOT_RUNNING and not has_server):
            return Whereabout(row.name, frozenset(), protected, NOT_MADE)
        asked, stopped = row.problem != NO_ADDRESS, row.problem == NOT_RUNNING
        why = "its private server does not run" if stopped else row.detail or row.problem
        return Whereabout(row.name, None, protected, why, asked, stopped=stopped)
    read = row.status
    protected = protected or read.verdict.protected
    missing = [id_ for id_ in read.standing.revisions if id_ not in history]
    if missing:
        why = f"it is at {', '.join(missing)}, which this checkout does not have"
        return Whereabout(row.name, None, protected, why, status=read)
    applied = frozenset(history.ancestors(read.standing.revisions))
    return Whereabout(row.name, applied, protected, status=read)


def named(places: Sequence[Whereabout]) -> str:
    """Return environments by name, with why they are not known."""
    return "; ".join(f"{one.name}: {one.why}" if one.why else one.name for one in places)
