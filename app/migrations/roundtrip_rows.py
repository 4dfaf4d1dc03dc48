"""Rows in the tables of a roundtrip: filled before a step, measured after it. Remembers what every table held."""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import cast

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection

from app.migrations import lost
from app.migrations.lost import Contents
from app.migrations.roundtrip_report import Loss
from app.migrations.sample import Sampler, Unfilled


class Rows:
    """The rows of one database; `connection` has no transaction, before and after."""

    def __init__(self, connection: Connection, rows: int, seed: int, root: Path) -> None:
        self.connection = connection
        self.sampler = Sampler(rows, seed, root) if rows else None
        self.held: dict[str, Contents] = {}

    def own(self, revision: str) -> tuple[Unfilled, ...]:
        """Add the rows that the project has written for a revision; return what failed."""
        return self.sampler.own_rows(self.connection, revision) if self.sampler else ()

    def fill(self, only: Collection[int] | None) -> tuple[Unfilled, ...]:
        """Fill the tables that are short of rows, of those in `only`."""
        if self.sampler is None or (only is not None and not only):
            return ()
        with self._autocommit():
            return self.sampler.fill(self.connection, only)

    def hold(self, only: Collection[int] | None, there: Container[str]) -> None:
        """Remember what these tables hold, and forget those that are not `there` any more."""
        kept = {} if only is None else {name: what for name, what in self.held.items() if name in there}
        self.held = kept | dict(self._read(only))

    def lost(self, only: Collection[int] | None, names: Iterable[str]) -> tuple[Loss, ...]:
        """Say what is gone since the last `hold` out of the tables in `only`, which had these names, and remember."""
        now = self._read(only)
        changed = self.held.keys() if only is None else {*names, *now}
        before: Mapping[str, Contents] = {name: self.held[name] for name in changed if name in self.held}
        for name in before:
            del self.held[name]
        self.held.update(now)
        return tuple(Loss(*found) for found in lost.compare(before, now))

    def unrestored(
        self, before: Mapping[str, Contents], only: Collection[int] | None, names: Mapping[int, str]
    ) -> tuple[Loss, ...]:
        """Say what `before`, held when tables had these names, is not there now out of the tables in `only`."""
        touched = before.keys() if only is None else {names[oid] for oid in only if oid in names}
        was = {name: before[name] for name in touched if name in before}
        return tuple(_whole_rows(was, lost.compare(was, self._read(only)))) if was else ()

    @property
    def any(self) -> bool:
        """Return whether a table held a row when it was last looked at."""
        return any(contents.rows for contents in self.held.values())

    def _read(self, only: Collection[int] | None) -> Mapping[str, Contents]:
        if only is not None and not only:
            return {}
        with self._autocommit():
            return lost.read(self.connection, only)

    @contextmanager
    def _autocommit(self) -> Iterator[None]:
        """Begin and end no transaction around statements of ours: each costs a round trip, and nobody else writes."""
        raw = cast("RawConnection", self.connection.connection.dbapi_connection)
        raw.autocommit = True
        try:
            yield
        finally:
            if not raw.closed:
                raw.autocommit = False


def _whole_rows(before: Mapping[str, Contents], found: Iterable[lost.Lost]) -> Iterator[Loss]:
    """Take a loss in every column that tells the rows apart for rows that are gone: others have come since."""
    for table, group in groupby(found, key=lambda one: one.table):
        losses = list(group)
        columns, rows = before[table].columns, before[table].rows
        telling = {name for name, held in columns.items() if rows and len(held.values) == rows}
        if telling and telling <= {one.column for one in losses}:
            gone = max(one.rows for one in losses)
            yield Loss(table, None, gone, f"{gone} of {rows} rows are gone", "upgrade")
        else:
            yield from (Loss(*one, "upgrade") for one in losses)
