"""Asks the server which values a condition, a domain or a type accepts. Writes nothing.

Each question runs behind the savepoint `sample`, which is there already: a value that makes it fail is found by
halving, and is left out.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import count, zip_longest
from random import Random
from typing import TypeVar

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations.quoting import literal
from app.migrations.sample_clusters import Cluster, Values
from app.migrations.sample_hints import constants, hints, with_value
from app.migrations.sample_scalars import GUESSES, Supply, chosen
from app.migrations.sample_structure import Column, Table
from app.migrations.sample_types import Type, Types, base, domains, supply

ANEW = "RELEASE SAVEPOINT sample; SAVEPOINT sample; "
"""Goes before a statement that may fail: what came before it is kept, and it costs no round trip of its own."""
UNDO = "ROLLBACK TO SAVEPOINT sample"
PLAIN = 60
"""Ordinary values that are shown to a domain."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def accepted(connection: RawConnection, table: Table, cluster: Cluster, candidates: Sequence[Values]) -> list[Values]:
    """Return the combinations that every condition accepts, taking turns between the partitions that they fall into."""
    found = _asked(
        connection, list(enumerate(candidates)), lambda part: _question(table, cluster, part) if part else ""
    )
    by_leaf: dict[int, list[Values]] = {}
    for number, leaf in sorted(found):
        by_leaf.setdefault(leaf, []).append(candidates[number])
    turns = zip_longest(*(by_leaf[leaf] for leaf in sorted(by_leaf)))
    return [values for turn in turns for values in turn if values is not None]


def _question(table: Table, cluster: Cluster, part: Sequence[tuple[int, Values]]) -> str:
    """Return a SELECT of the numbers of those accepted. Values are cast as an INSERT would, below their domains."""
    names = [f"c{i}" for i in range(len(cluster.columns))]
    lines = ", ".join(
        f"({number}, {', '.join(constant(values.get(column.name)) for column in cluster.columns)})"
        for number, values in part
    )
    cast = ", ".join(
        f"v.{name}::{_below(column, table)} AS {column.quoted}"
        for name, column in zip(names, cluster.columns, strict=True)
    )
    computed = ", ".join(
        f"({column.default})::{_below(column, table)} AS {column.quoted}" for column in cluster.computed
    )
    source = f"(VALUES {lines}) v (sample_n, {', '.join(names)}), LATERAL (SELECT {cast}) sample_t"
    if computed:
        source += f", LATERAL (SELECT {computed}) sample_g"
    leaves = " ".join(f"WHEN {leaf.text} THEN {i}" for i, leaf in enumerate(cluster.leaves))
    tests = [f"({check.text}) IS NOT FALSE" for check in cluster.checks]
    leaf = f"CASE {leaves} END" if leaves else "0"
    if leaves:
        tests.append(f"{leaf} IS NOT NULL")
    return f"SELECT sample_n, {leaf} FROM {source} WHERE {' AND '.join(tests)}"  # noqa: S608 -- from the catalog


def _below(column: Column, table: Table) -> str:
    """Return how the type below the domains of a column is written."""
    passed = domains(column.type, table.types)
    return written(*base(column.type, column.modifier, table.types), table.types) if passed else column.written


def written(type_: Type, modifier: int, types: Types) -> str:
    """Return a type with its length; of the types that have one, those that a domain may stand on."""
    if type_.kind == "a" and modifier >= 0:
        return f"{written(types[type_.inner], modifier, types)}[]"
    if modifier >= 4 and type_.name in {"varchar", "bpchar"}:
        return f"{type_.written}({modifier - 4})"
    if modifier >= 4 and type_.name == "numeric":
        return f"numeric({modifier - 4 >> 16 & 0xFFFF}, {((modifier - 4 & 0x7FF) ^ 1024) - 1024})"
    return f"{type_.written}({modifier})" if modifier >= 0 and type_.name in {"bit", "varbit"} else type_.written


class Judge:
    """Values of domains with checks and of types that nobody knows, remembered for as long as they look the same."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.known: dict[object, Supply | None] = {}
        self.pools: dict[tuple[str, Cluster], list[Values]] = {}

    def supply(self, connection: RawConnection, types: Types, oid: int, modifier: int) -> Supply | None:
        """Return values of a type; None where none can be had."""

        def other(type_: Type, modifier: int) -> Supply | None:
            known = (type_.written, modifier, type_, tuple(types[each.inner] for each in _below_all(type_, types)))
            if known not in self.known:
                self.known[known] = (
                    self._of_domain(connection, type_, types) if type_.kind == "d" else _guessed(connection, type_)
                )
            return self.known[known]

        return supply(oid, modifier, types, other)

    def _of_domain(self, connection: RawConnection, domain: Type, types: Types) -> Supply | None:
        inner = self.supply(connection, types, domain.inner, domain.modifier)
        type_, modifier = base(domain.oid, -1, types)
        random = Random(f"{self.seed}/{domain.written}")  # noqa: S311 -- repeatable
        found = constants(check.text for each in domains(domain.oid, types) for check in each.checks)
        ordinary = [inner.nth(k) for k in range(min(PLAIN, inner.size))] if inner else []
        values = [*ordinary, *(inner.special if inner else ()), *hints(type_, modifier, inner, found, random)]
        tests = " AND ".join(
            f"({with_value(check.text, 't.x')}) IS NOT FALSE"
            for each in domains(domain.oid, types)
            for check in each.checks
        )
        name = written(type_, modifier, types)

        def question(part: Sequence[tuple[int, str]]) -> str:
            lines = ", ".join(f"({number}, {constant(value)})" for number, value in part)
            source = f"(VALUES {lines}) v (n, x), LATERAL (SELECT v.x::{name} AS x) t"
            return f"SELECT n, 0 FROM {source} WHERE {tests}"  # noqa: S608 -- from the catalog

        unique = list(dict.fromkeys(values))
        good = [unique[number] for number, _ in sorted(_asked(connection, list(enumerate(unique)), question))]
        return chosen(good) if good else None


def _guessed(connection: RawConnection, type_: Type) -> Supply | None:
    for guess in GUESSES:
        two = ", ".join(f"{constant(guess.format(k))}::{type_.written}::text" for k in (1, 2))
        rows = _tried(connection, f"SELECT {two}")
        if rows and rows[0][0] != rows[0][1]:
            return Supply(partial(_numbered, guess), ordered=False)
    return None


def _numbered(guess: str, k: int) -> str:
    return guess.format(k + 1)


def constant(value: str | None) -> str:
    """Return a value as SQL."""
    return "NULL" if value is None else literal(value)


def _below_all(type_: Type, types: Types) -> Iterable[Type]:
    return (each for each in domains(type_.oid, types) if each.inner in types)


def _asked(
    connection: RawConnection, items: Sequence[Item], question: Callable[[Sequence[Item]], str]
) -> list[tuple[int, int]]:
    """Return the answers for these items; where the question fails, those for its halves."""
    pending, found, budget = [items], list[tuple[int, int]](), count()
    while pending and next(budget) < 400:
        part = pending.pop()
        rows = _tried(connection, question(part)) if part else []
        if rows is not None:
            found += rows
        elif len(part) > 1:
            pending += [part[len(part) // 2 :], part[: len(part) // 2]]
    return found


def _tried(connection: RawConnection, query: str) -> list[tuple[int, int]] | None:
    with connection.cursor() as cursor:
        try:
            cursor.execute(ANEW + query)
            return cursor.fetchall()
        except psycopg2.Error:
            cursor.execute(UNDO)
            return None
