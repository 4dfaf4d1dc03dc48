"""Puts rows together: nulls and repeated values where they are allowed, distinct ones where they have to be.

The same seed and the same table give the same rows on every server. Asks no server.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from app.migrations.sample_clusters import Cluster, Keys, Supplies, Value, Values, draw_keys, nullable
from app.migrations.sample_scalars import ENDLESS
from app.migrations.sample_structure import Column, ForeignKey, Table, Unique

CONSTANT = re.compile(
    r"^(?:'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?|true|false)|\((-\d+(?:\.\d+)?)\))(?:::[\w\s.\"(),\[\]]+)?$"
)
"""A default that is the same for every row."""
TRIES = 60
NULLS = 0.15
STRIDE = 37
"""Between values whose expression has to be unique: a month each, for one that is about months."""


class Mode(NamedTuple):
    """How rows are made. `strict`: partial unique indexes and exclusions count for all rows; `bare`: as little as can
    be is filled in; `shift` makes other values than the modes before.
    """

    special: bool
    strict: bool
    bare: bool
    shift: int


class Pool(NamedTuple):
    """A cluster, and the combinations that the server accepted for it, where it was asked."""

    cluster: Cluster
    accepted: Sequence[Values]


class Draft:
    """Rows for one table that holds `present` already."""

    def __init__(  # noqa: PLR0913, PLR0917 -- what a row is made of
        self, table: Table, supplies: Supplies, pools: Sequence[Pool], keys: Keys, seed: int,
        present: int,
    ) -> None:  # fmt: skip
        self.table, self.supplies, self.pools, self.keys = table, supplies, pools, keys
        self.seed, self.present, self.wanted = f"{seed}/{table.path}", present, 0
        self.nulls = {column.name: nullable(column, table) for column in table.columns}
        self.lots: dict[str, Random] = {}
        self.seen: dict[str, set[tuple[Value, ...]]] = {unique.name: set() for unique in table.uniques}

    def rows(self, count: int, mode: Mode) -> list[Values]:
        """Return as many rows, or as many as differ where they have to."""
        self.wanted = count
        self.lots = {
            cluster.columns[0].name: self._random(cluster.columns[0].name, mode)
            for cluster, _ in self.pools
            if cluster.foreign_keys and not cluster.judged
        }
        plans = {
            column.name: self._plan(column, count, mode)
            for cluster, _ in self.pools
            if not cluster.judged and not cluster.foreign_keys
            for column in cluster.columns
        }
        uniques = [each for each in self.table.uniques if mode.strict or not (each.partial or each.exclusion)]
        random = self._random("rows", mode)
        drawn = (self._row(number, plans, uniques, mode, random) for number in range(count))
        return [row for row in drawn if row is not None]

    def _row(
        self, number: int, plans: Mapping[str, Sequence[Value]], uniques: Sequence[Unique], mode: Mode, random: Random
    ) -> Values | None:
        attempts = [0] * len(self.pools)
        for _ in range(TRIES):
            values: Values = {}
            for pool, attempt in zip(self.pools, attempts, strict=True):
                part = self._part(pool, number, attempt, plans, mode)
                if part is None:
                    return None
                values.update(part)
            taken = next((each for each in uniques if self.key(each, values) in self.seen[each.name]), None)
            if taken is None:
                for each in self.table.uniques:
                    if (key := self.key(each, values)) is not None:
                        self.seen[each.name].add(key)
                return values
            involved = [i for i, pool in enumerate(self.pools) if pool.cluster.names & set(taken.columns)]
            attempts[random.choice(involved)] += 1
        return None

    def key(self, unique: Unique, values: Values) -> tuple[Value, ...] | None:
        """Return what must not come twice; None where it may."""
        if any(name not in values for name in unique.columns) or not unique.columns:
            return None
        key = tuple(values[name] for name in unique.columns)
        return key if unique.nulls_equal or None not in key else None

    def _part(
        self, pool: Pool, number: int, attempt: int, plans: Mapping[str, Sequence[Value]], mode: Mode
    ) -> Values | None:
        """Return the values of one cluster for one row; None where none fit."""
        cluster, accepted = pool
        if cluster.judged:
            turn = number if attempt or mode.shift else number % max(self.wanted * 2 // 3, 2)
            return accepted[(turn + mode.shift + attempt) % len(accepted)]
        if cluster.foreign_keys:
            return self._referring(cluster, number, attempt, mode)
        return {
            column.name: self._value(column, number, attempt, plans[column.name], mode)
            for column in cluster.columns
            if self._filled(column, mode)
        }

    def _referring(self, cluster: Cluster, number: int, attempt: int, mode: Mode) -> Values | None:
        """Return keys by lot; from the second attempt for a row on, the next ones in order: none is missed."""
        name = cluster.columns[0].name
        random = self._random(f"{name}/{number}", mode) if attempt else self.lots[name]
        drawn = (draw_keys(cluster.foreign_keys, self.keys, self.nulls, random, attempt) for _ in range(20))
        return next((values for values in drawn if values is not None), None)

    def _filled(self, column: Column, mode: Mode) -> bool:
        """Tell whether a value is given, rather than left to the column's default."""
        if column.sequence or column.generated or column.identity:
            return False
        return not (column.default is not None and (mode.bare or self.supplies[column.name] is None))

    def _value(self, column: Column, number: int, attempt: int, plan: Sequence[Value], mode: Mode) -> Value:
        supply = self.supplies[column.name]
        if not attempt or supply is None:
            return plan[number]
        return supply.nth((self.present + mode.shift + len(plan) + number * 7 + attempt) % supply.size)

    def _plan(self, column: Column, count: int, mode: Mode) -> list[Value]:
        supply, optional = self.supplies[column.name], self.nulls[column.name]
        if supply is None or (mode.bare and optional):
            return [None] * count
        random = self._random(column.name, mode)
        start = self.present + mode.shift if supply.size >= ENDLESS else mode.shift
        alone = [unique for unique in self.table.uniques if unique.columns == (column.name,)]
        distinct = [unique for unique in alone if mode.strict or not (unique.partial or unique.exclusion)]
        plan: list[Value] = []
        if distinct:
            nulls = 0 if not optional else 1 if any(unique.nulls_equal for unique in distinct) else 2
            plan = [None] * (nulls if self.present == 0 or nulls == 2 else 0)
            stride = STRIDE if mode.strict and any(unique.expression for unique in distinct) else 1
            plan += [supply.nth((start + k * stride) % supply.size) for k in range(count - len(plan))]
        else:
            plan = [None] * max(1, int(count * NULLS)) if optional else []
            plan += [*constant_default(column)] * 2
            plan += supply.special if mode.special else ()
            different = max((count - len(plan)) // 2, 2)
            plan += [supply.nth((start + k % different) % supply.size) for k in range(count - len(plan))]
        random.shuffle(plan)
        return plan[:count]

    def _random(self, name: str, mode: Mode) -> Random:
        return Random(f"{self.seed}/{name}/{mode.shift}")  # noqa: S311 -- repeatable


def constant_default(column: Column) -> Iterator[str]:
    """Yield the default as a value, if it is a constant."""
    found = CONSTANT.match(column.default or "")
    if found and not column.generated:
        yield found[1].replace("''", "'") if found[1] is not None else found[2] or found[3]


class Inner(NamedTuple):
    """A foreign key to a table that is filled by the same statement, mostly to the table itself."""

    table: Table
    key: ForeignKey


def tie(inner: Sequence[Inner], rows: Mapping[int, list[Values]], drafts: Mapping[int, Draft], keys: Keys) -> None:
    """Fill in these foreign keys, in place: from the rows of the statement itself and from those that are there."""
    for table, key in inner:
        draft, mine = drafts[table.listed.oid], rows[table.listed.oid]
        own = [tuple(row.get(name) for name in key.referenced) for row in rows[key.parent]]
        there = [each for each in (*own, *keys(key)) if None not in each]
        outer = {name for other in table.foreign_keys if Inner(table, other) not in inner for name in other.columns}
        fixed = [name for name in key.columns if name in outer or name in key.referenced]
        for unique in (each for each in table.uniques if set(each.columns) & set(key.columns) - set(fixed)):
            draft.seen[unique.name].clear()  # of values that are about to be replaced
        mine[:] = [row for number, row in enumerate(mine) if _tied(key, row, there, fixed, draft, number)]


def _tied(  # noqa: PLR0913, PLR0917
    key: ForeignKey, row: Values, there: Sequence[tuple[Value, ...]], fixed: Sequence[str], draft: Draft, number: int
) -> bool:
    random = Random(f"{draft.seed}/{key.name}/{number}")  # noqa: S311 -- repeatable
    free = [name for name in key.columns if name not in fixed]
    may_be_null = all(draft.nulls[name] for name in (key.columns if key.full else free[:1])) and bool(free)
    own = tuple(row.get(name) for name in key.referenced)
    fitting = [
        each
        for each in there
        if all(row.get(name) == value for name, value in zip(key.columns, each, strict=True) if name in fixed)
    ]
    others = [each for each in fitting if each != own] or fitting
    if may_be_null and (not others or number == 0 or random.random() < NULLS * 2):
        row.update(dict.fromkeys(free))
        return True
    start = random.randrange(len(others)) if others else 0
    uniques = [each for each in draft.table.uniques if set(each.columns) & set(free)]
    for turn in range(len(others)):
        chosen = others[(start + turn) % len(others)]
        row.update({name: value for name, value in zip(key.columns, chosen, strict=True) if name in free})
        found = [(each.name, draft.key(each, row)) for each in uniques]
        if not any(value in draft.seen[name] for name, value in found if value is not None):
            for name, value in found:
                draft.seen[name] |= {value} if value is not None else set()
            return True
    return not uniques and bool(others)
