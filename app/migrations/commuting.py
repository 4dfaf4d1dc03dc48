"""Proves on scratch databases with rows that branches can be applied in any order. Writes no file, knows no target.

Somebody who has applied one branch gets the other one after it, and somebody else the other way round: what both end
with has to be the same schema, the order of columns aside.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import NamedTuple

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from app.migrations import branches, inspection, lost, raw, roundtrip_errors, roundtrip_roles, scratch
from app.migrations.branches import Branches
from app.migrations.catalog import Catalog, Difference, difference
from app.migrations.catalog_names import Key, plain
from app.migrations.errors import ConfigurationError
from app.migrations.lost import Contents, Holdings
from app.migrations.project import Project
from app.migrations.roundtrip_findings import Told
from app.migrations.roundtrip_rows import Rows
from app.migrations.roundtrip_site import BrokenError, Site, build
from app.migrations.roundtrip_steps import Failed, Step, Walk, drive

ROWS = 20
Said = Callable[[str, int, int], None]
"""Hears of each revision that was applied, with its number and how many there are."""


class Failure(NamedTuple):
    """A revision that did not go up; `path` is counted from the project's root."""

    revision: str
    path: str
    error: Told


class Built(NamedTuple):
    """A schema, and what those of its tables hold that all branches share."""

    catalog: Catalog
    holdings: Holdings


class Attempt(NamedTuple):
    """The heads in one order, the revisions that this means, and what it gave."""

    order: tuple[str, ...]
    steps: tuple[str, ...]
    result: Built | Failure

    @property
    def failure(self) -> Failure | None:
        """Return what failed."""
        return self.result if isinstance(self.result, Failure) else None


class Proof(NamedTuple):
    """What all orders gave. `on_rows`: the tables held rows; else `alone` failed on rows, whatever the order."""

    attempts: tuple[Attempt, ...]
    differing: tuple[tuple[Attempt, tuple[Difference, ...]], ...]
    data: tuple[str, ...]
    on_rows: bool
    alone: tuple[Failure, ...]
    server: str
    seconds: float

    @property
    def commutes(self) -> bool:
        """Return whether every order went up, to the same schema."""
        return not self.differing and not any(attempt.failure for attempt in self.attempts)


def prove(project: Project, admin_url: str, parts: Branches, said: Said | None = None) -> Proof:
    """Apply the branches in every order that counts, on the server of `admin_url`, and compare what that gives.

    First with rows in the tables. Where the same revisions fail on them in every order that is no matter of the
    order, and it is tried again without rows. Raises ConfigurationError where what is below the branches does not go
    up, Unreachable without a server. Databases and roles that it made are dropped, also when it is interrupted.
    """
    began = time.monotonic()
    _refuse_what_cannot_be_imported(project, parts)
    trial = _Trial(project, admin_url, parts, said or _silent)
    attempts = trial.all(ROWS)
    alone = tuple({each.failure.revision: each.failure for each in attempts if each.failure}.values())
    by_itself = len(alone) == 1 and all(attempt.failure for attempt in attempts)
    if by_itself:
        attempts = trial.all(0)
    return Proof(
        tuple(attempts),
        tuple(_differing(attempts)),
        tuple(_data(attempts)),
        not by_itself,
        alone if by_itself else (),
        trial.server,
        time.monotonic() - began,
    )


def goes_up(project: Project, admin_url: str, parts: Branches, order: tuple[str, ...]) -> Attempt:
    """Apply the branches in one order, with rows in the tables, or without where they fail on these; as `prove`."""
    _refuse_what_cannot_be_imported(project, parts)
    trial = _Trial(project, admin_url, parts, _silent)
    (attempt,) = trial.all(ROWS, [order])
    return trial.all(0, [order])[0] if attempt.failure else attempt


def _silent(_revision: str, _done: int, _total: int) -> None:
    pass


class _Trial:
    """The attempts on one server, each in a database of its own that begins with what the branches share."""

    def __init__(self, project: Project, admin_url: str, parts: Branches, said: Said) -> None:
        self.project, self.admin_url, self.parts, self.said = project, admin_url, parts, said
        self.server = ""

    def all(self, rows: int, orders: Sequence[tuple[str, ...]] = ()) -> list[Attempt]:
        """Apply the branches in these orders, or in every one that counts."""
        with self._shared(rows) as template:
            return [self._one(order, rows, template) for order in orders or branches.orders(self.parts.heads)]

    def _one(self, order: tuple[str, ...], rows: int, template: str | None) -> Attempt:
        """Apply the branches in one order. The roles that they make are gone afterwards, else none could come again."""
        steps = branches.steps(self.project.history, self.parts, order)
        with Site(self.project, self.admin_url) as site, site.another(template, steps) as (url, watcher):
            self.server = str(raw.value(watcher, "SELECT current_setting('server_version')")).split(" ")[0]
            with create_engine(url, poolclass=NullPool).connect() as session:
                before = lost.read(session) if rows else {}
                walk = _Walk(self, steps, Rows(session, rows, 0, self.project.root))
                drive(self.project, walk.run(), lambda: (url, watcher))
                if walk.failure:
                    return Attempt(order, steps, walk.failure)
                built = Built(inspection.read_raw(watcher), _of_old(before, lost.read(session)))
                return Attempt(order, steps, built)

    @contextmanager
    def _shared(self, rows: int) -> Iterator[str | None]:
        """Yield a database to copy, with what all branches share and the same rows for each order; None for nothing.

        It is built each time: what is kept for the next time would keep the roles that the history makes, too.
        """
        if not self.parts.common:
            yield None
            return
        made = set[Key]()
        with ExitStack() as stack:
            stack.callback(self._drop_roles, made)
            url = stack.enter_context(scratch.database(self.admin_url))
            with closing(scratch.connect(self.admin_url)) as watcher:
                with self._noting_roles(watcher, made):
                    build(self.project, self.parts.common)(url)
                with create_engine(url, poolclass=NullPool).connect() as session:
                    Rows(session, rows, 0, self.project.root).fill(None)
                name = str(make_url(url).database)
                raw.execute(watcher, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", name)
            yield name

    @contextmanager
    def _noting_roles(self, watcher: RawConnection, made: set[Key]) -> Iterator[None]:
        """Note the roles that appear meanwhile and that one of the shared revisions names."""
        before = roundtrip_roles.read(watcher)
        try:
            yield
        except BrokenError as error:
            raise self._broken(error) from error
        finally:
            fresh = roundtrip_roles.read(watcher).keys() - before.keys()
            text = "".join(self._source(id_) for id_ in self.parts.common) if fresh else ""
            made.update(key for key in fresh if plain(key.name) in text)

    def _source(self, revision: str) -> str:
        path = self.project.root / self.project.history[revision].path
        return path.read_text(encoding="utf-8", errors="replace")

    def _drop_roles(self, made: set[Key]) -> None:
        if made:
            with closing(scratch.connect(self.admin_url)) as connection:
                roundtrip_roles.drop(connection, sorted(made))

    def _broken(self, error: BrokenError) -> ConfigurationError:
        told = roundtrip_errors.told(error.error, self.project)
        return ConfigurationError(
            f"{error.revision}, which is below both branches, does not go up on a scratch database:"
            f" {told.text}; nothing was written",
            told.hint or f"inv db.roundtrip --only={error.revision}",
        )


class _Walk:
    """One way up: fills the tables before each revision, and ends at the first that fails."""

    def __init__(self, trial: _Trial, steps: Sequence[str], rows: Rows) -> None:
        self.trial, self.steps, self.rows = trial, steps, rows
        self.failure: Failure | None = None

    def run(self) -> Walk:
        project = self.trial.project
        for number, revision in enumerate(self.steps, 1):
            self.rows.fill(None)
            self.rows.own(revision)
            result = yield Step(revision, True)
            if isinstance(result, Failed):
                told = roundtrip_errors.told(result.error, project)
                self.failure = Failure(revision, project.history[revision].path, told)
                return
            self.trial.said(revision, number, len(self.steps))


def _refuse_what_cannot_be_imported(project: Project, parts: Branches) -> None:
    for revision in (*parts.common, *branches.steps(project.history, parts, parts.heads)):
        if skipped := project.skipped.get(revision):
            raise ConfigurationError(
                f"{revision} cannot be imported: {skipped.message}; nothing was written",
                f"correct {project.history[revision].path}, and the same command again",
            )


def _of_old(before: Holdings, now: Holdings) -> Holdings:
    """Leave out tables and columns that came later: their rows are ours, and made in the order of the walk."""
    return {
        table: Contents(
            contents.rows,
            {name: held for name, held in contents.columns.items() if name in before[table].columns},
            {},
        )
        for table, contents in now.items()
        if table in before
    }


def _built(attempts: Sequence[Attempt]) -> list[tuple[Attempt, Built]]:
    return [(attempt, attempt.result) for attempt in attempts if isinstance(attempt.result, Built)]


def _differing(attempts: Sequence[Attempt]) -> list[tuple[Attempt, tuple[Difference, ...]]]:
    """Return the attempts that gave another schema than the first that gave one, with what differs."""
    there = _built(attempts)
    compared = [(attempt, difference(there[0][1].catalog, built.catalog)) for attempt, built in there[1:]]
    return [(attempt, tuple(found)) for attempt, found in compared if found]


def _data(attempts: Sequence[Attempt]) -> list[str]:
    """Return the tables and columns that hold other values after another order."""
    there = _built(attempts)
    lists = (lost.compare(there[0][1].holdings, built.holdings) for _, built in there[1:])
    names = (one.table if one.column is None else f"{one.table}.{one.column}" for found in lists for one in found)
    return list(dict.fromkeys(names))
