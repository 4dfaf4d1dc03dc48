"""Rows for empty tables of scratch databases, made from the catalog alone. Never meant for a target.

Where it may be, a row holds nulls, values that other rows hold too, and values at which code stumbles, so that the
constraints of later revisions meet what they meet in production.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection

from app.migrations import driver, sample_growth, sample_insert, sample_own, sample_structure
from app.migrations.sample_filling import Filling
from app.migrations.sample_judge import Judge
from app.migrations.sample_order import components
from app.migrations.sample_own import Unfilled
from app.migrations.sample_structure import OURS, Listed, Table


class Sampler:
    """Fills tables, the same way for the same seed. Remembers between calls what it found; one for a whole walk.

    `root` is the project whose own rows are in `tests/data`.
    """

    def __init__(self, rows: int = 20, seed: int = 0, root: Path | None = None) -> None:
        self.rows, self.seed, self.root = rows, seed, root
        self.judge = Judge(seed)
        self._settled: dict[int, tuple[Listed, int]] = {}
        self._columns: dict[int, int] = {}
        self._refused: dict[int, tuple[Table, str]] = {}

    def fill(self, connection: Connection, only: Collection[int] | None = None) -> tuple[Unfilled, ...]:
        """Give each table that holds fewer than `rows` rows the missing ones; return those that hold none afterwards.

        Columns that a table gained since the last call get values too, where all its rows hold the same in them.
        `only` are the object identifiers of the tables to look at; a partition stands for the whole it is part of.
        Left out are the tables of Alembic, of this toolkit and of extensions, and foreign tables. Needs a connection
        outside a transaction and leaves it there; the rows are committed, each table's or none of them. Locks as
        INSERT does. Raises DBAPIError where the connection is lost or may not read the catalog.
        """
        raw = cast(RawConnection, connection.connection.dbapi_connection)
        try:
            return self.fill_raw(raw, only)
        except psycopg2.Error as error:
            raise driver.translated(connection, "filling tables", error) from error

    def fill_raw(self, connection: RawConnection, only: Collection[int] | None = None) -> tuple[Unfilled, ...]:
        """Do what `fill` does on a connection of psycopg2. Raises psycopg2.Error."""
        if connection.info.transaction_status != TRANSACTION_STATUS_IDLE:
            raise RuntimeError("tables are filled in a transaction of their own, and the connection is in another one")
        sample_insert.begin(connection)
        try:
            found = self._fill(connection, only)
            sample_insert.end(connection, "COMMIT")
        except BaseException:
            with suppress(psycopg2.Error):  # a lost connection has nothing left to undo
                sample_insert.end(connection, "ROLLBACK")
            raise
        return found

    def own_rows(self, connection: Connection, revision: str) -> tuple[Unfilled, ...]:
        """Run the project's own rows for one revision, if there are any: `tests/data/REV.sql`, or `REV.py`.

        The `rows(connection)` of a Python file gets this connection, in a transaction that is committed after it. To
        be called after `fill` and before the revision's upgrade. Needs a connection outside a transaction and leaves
        it there. What fails is undone and returned, with its file and line in the place of a table.
        """
        return () if self.root is None else sample_own.run(connection, self.root, revision)

    def _fill(self, connection: RawConnection, only: Collection[int] | None) -> tuple[Unfilled, ...]:
        listed = sample_structure.listing(connection, OURS, only)
        with sample_insert.unforced(connection, [each.path for each in listed if each.forced]):
            held = sample_structure.held(connection, listed, self.rows)
            wanting = [each for each in listed if each.oid in held and self._open(each, held[each.oid])]
            grown = [each for each in listed if each.columns > self._columns.get(each.oid, each.columns)]
            before, self._columns = self._columns, {**self._columns, **{each.oid: each.columns for each in listed}}
            if not wanting and not grown:
                return ()
            filling = Filling(connection, self.judge, self.seed)
            refusals: dict[int, str] = {}
            for group in components(sample_structure.read(connection, wanting)):
                self._fill_group(filling, group, held, refusals)
            for table in sample_structure.read(connection, [each for each in grown if held.get(each.oid) != 0]):
                sample_growth.fill(filling, table, before[table.listed.oid], self.rows)
        return tuple(Unfilled(each.path, refusals[each.oid]) for each in wanting if each.oid in refusals)

    def _fill_group(
        self, filling: Filling, group: Sequence[Table], held: dict[int, int], refusals: dict[int, str]
    ) -> None:
        known = [self._refused.get(table.listed.oid) for table in group]
        if not filling.changed and all(k and k[0] == table for k, table in zip(known, group, strict=True)):
            refusals.update({table.listed.oid: k[1] for k, table in zip(known, group, strict=True) if k})
            return
        for table, outcome in filling.fill(group, held, self.rows):
            oid = table.listed.oid
            total = held[oid] + outcome.taken
            if total:
                self._settled[oid] = (table.listed, total)
                self._refused.pop(oid, None)
            else:
                refusals[oid] = outcome.refusal or "no row could be made"
                self._refused[oid] = (table, refusals[oid])

    def _open(self, listed: Listed, held: int) -> bool:
        """Tell whether more rows may be had than when the table was last filled: a key of booleans allows two."""
        return self._settled.get(listed.oid) != (listed, held)


__all__ = ["Sampler", "Unfilled"]
