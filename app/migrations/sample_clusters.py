"""Which columns of a table have to be chosen together, and combinations of values to choose from. Asks no server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from app.migrations.sample_hints import constants, hints, mentioned, with_value
from app.migrations.sample_scalars import Supply
from app.migrations.sample_structure import Column, ForeignKey, Table
from app.migrations.sample_types import Check, base, domains

Value = str | None
Values = dict[str, Value]
"""By column; one that is not there takes its default."""
Keys = Callable[[ForeignKey], Sequence[tuple[Value, ...]]]
"""The keys that stand in the table that a foreign key points to."""
Supplies = Mapping[str, Supply | None]

SOME_NULLS = 0.2
NEAR = (0, 1, 2, 5, 30)


class Cluster(NamedTuple):
    """Columns that foreign keys and conditions tie together; most tables have mainly clusters of one column.

    `texts` are the conditions, `leaves` those of the partitions, of which one has to hold; `computed` the generated
    columns that the conditions read.
    """

    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...]
    checks: tuple[Check, ...]
    leaves: tuple[Check, ...]
    computed: tuple[Column, ...]

    @property
    def names(self) -> set[str]:
        """Return the names of the columns that are chosen."""
        return {column.name for column in self.columns}

    @property
    def judged(self) -> bool:
        """Return whether the server has to be asked which combinations are accepted."""
        return bool(self.checks or self.leaves)


def clusters(table: Table) -> list[Cluster]:
    """Take the columns apart into as many clusters as there can be."""
    quoted = {column.name: column.quoted for column in table.columns}
    reads = {c.name: mentioned(c.default or "", quoted) for c in table.columns if c.generated}
    conditions = [_widened(check, reads) for check in table.checks]
    limited = all(check.columns for check in table.partitions)  # not where a default partition is the only one
    leaves = tuple(_widened(check, reads) for check in table.partitions if limited)
    ties = [check.columns for check in conditions] + [key.columns for key in table.foreign_keys]
    if leaves:
        ties.append(tuple({name: None for check in leaves for name in check.columns}))
    owner = {name: name for name in quoted}
    for tie in ties:
        root = owner[tie[0]] if tie else ""
        for name in tie:
            mine = owner[name]
            owner.update({each: root for each, its in owner.items() if its == mine})
    return [_cluster(table, root, owner, conditions, leaves) for root in dict.fromkeys(owner.values())]


def _cluster(
    table: Table, root: str, owner: Mapping[str, str], conditions: Sequence[Check], leaves: tuple[Check, ...]
) -> Cluster:
    inside = [column for column in table.columns if owner[column.name] == root]
    checks = [check for check in conditions if check.columns and owner[check.columns[0]] == root]
    parted = [check for check in leaves if check.columns and owner[check.columns[0]] == root]
    if checks or parted:
        checks += [check for column in inside for check in _domain_checks(column, table)]
    return Cluster(
        tuple(column for column in inside if not column.generated),
        tuple(key for key in table.foreign_keys if owner[key.columns[0]] == root),
        tuple(checks),
        tuple(parted),
        tuple(column for column in inside if column.generated),
    )


def _widened(check: Check, reads: Mapping[str, tuple[str, ...]]) -> Check:
    """Add the columns of which the generated ones among the condition's are made."""
    more = [name for column in check.columns for name in reads.get(column, ())]
    return check._replace(columns=tuple(dict.fromkeys((*check.columns, *more))))


def _domain_checks(column: Column, table: Table) -> Iterator[Check]:
    for domain in domains(column.type, table.types):
        for check in domain.checks:
            yield Check(check.name, with_value(check.text, column.quoted), (column.name,))


def nullable(column: Column, table: Table) -> bool:
    """Tell whether neither the column nor one of its domains refuses nulls."""
    return not column.not_null and not any(domain.not_null for domain in domains(column.type, table.types))


class Candidates:
    """Combinations of values for one cluster with conditions."""

    def __init__(self, table: Table, cluster: Cluster, supplies: Supplies, keys: Keys, random: Random) -> None:
        self.table, self.cluster, self.supplies, self.keys, self.random = table, cluster, supplies, keys, random
        self.free = [
            column
            for column in cluster.columns
            if supplies[column.name] is not None and not any(column.name in key.columns for key in cluster.foreign_keys)
        ]
        self.nulls = {column.name: nullable(column, table) for column in cluster.columns}
        found = constants(check.text for check in (*cluster.checks, *cluster.leaves))
        self.hints = {column.name: self._hints(column, found) for column in self.free}

    def _hints(self, column: Column, found: object) -> list[str]:
        type_, modifier = base(column.type, column.modifier, self.table.types)
        inner = self.supplies[column.name]
        return hints(type_, modifier, inner, found, self.random)  # type: ignore[arg-type]

    def made(self, count: int) -> list[Values]:
        """Return combinations, each once: first what the conditions name, one column after the other, then by lot."""
        found = dict[tuple[tuple[str, Value], ...], Values]()
        for values in (*self._systematic(), *(self._drawn(k) for k in range(count))):
            if values is not None:
                found.setdefault(tuple(values.items()), values)
        return list(found.values())

    def _systematic(self) -> Iterator[Values | None]:
        """Every hint of every column once; then all null, and all null but one."""
        for column in self.free:
            for hint in self.hints[column.name]:
                values = self._drawn(0)
                if values is not None:
                    yield {**values, column.name: hint}
        optional = [column.name for column in self.free if self.nulls[column.name]]
        for present in (*optional, None):
            values = self._drawn(1)
            if values is not None and optional:
                yield {**values, **{name: None for name in optional if name != present}}

    def _drawn(self, k: int) -> Values | None:
        values: Values | None = {}
        if self.cluster.foreign_keys:
            values = draw_keys(self.cluster.foreign_keys, self.keys, self.nulls, self.random, k)
        if values is None:
            return None
        neighbours = self.random.random() < 0.5
        start = self.random.randrange(50)
        for column in self.free:
            values[column.name] = self._value(column, start if neighbours else k, k)
        return values

    def _value(self, column: Column, start: int, k: int) -> Value:
        supply = self.supplies[column.name]
        if supply is None or (self.nulls[column.name] and self.random.random() < SOME_NULLS):
            return None
        lot = self.random.random()
        if self.hints[column.name] and lot < 0.5:
            return self.random.choice(self.hints[column.name])
        if supply.special and lot < 0.6:
            return self.random.choice(supply.special)
        return supply.nth((start + self.random.choice(NEAR)) % supply.size if lot < 0.9 else k % supply.size)


def draw_keys(
    foreign_keys: Sequence[ForeignKey], keys: Keys, nulls: Mapping[str, bool], random: Random, attempt: int
) -> Values | None:
    """Return values for the columns of these foreign keys, those with most columns first; None where none fit.

    Columns that two keys share get one value that suits both.
    """
    values: Values = {}
    for key in sorted(foreign_keys, key=lambda key: -len(key.columns)):
        optional = [name for name in key.columns if nulls[name] and name not in values]
        may_be_null = bool(optional) if not key.full else len(optional) == len(key.columns)
        fitting = keys(key)
        if any(name in values for name in key.columns):
            fitting = [row for row in fitting if _fits(key, row, values)]
        if fitting and not (may_be_null and random.random() < SOME_NULLS):
            row = fitting[(random.randrange(len(fitting)) + attempt) % len(fitting)]
            values.update({name: value for name, value in zip(key.columns, row, strict=True) if name not in values})
        elif may_be_null:
            values.update(dict.fromkeys(optional))
        elif not any(values.get(name, "") is None for name in key.columns) or key.full:
            return None
    return values


def _fits(key: ForeignKey, row: tuple[Value, ...], values: Values) -> bool:
    return all(values.get(name, value) == value for name, value in zip(key.columns, row, strict=True))
