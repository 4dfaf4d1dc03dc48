"""What the catalog says of tables that want rows: columns, types, keys, checks, what stands in the way. Only reads."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations import journal, prepared, raw
from app.migrations.sample_hints import NEXTVAL, mentioned
from app.migrations.sample_queries import LISTING, STRUCTURE
from app.migrations.sample_types import Check, Type

OURS = frozenset({"alembic_version"}) | journal.TABLES


class Listed(NamedTuple):
    """A table that may want rows. `columns` counts also those that were dropped, so that it only grows.

    `forced`: row security holds for us only because it is forced on the owner, that we are or may act as.
    """

    oid: int
    path: str
    partitioned: bool
    columns: int
    forced: bool

    @property
    def source(self) -> str:
        """Return the table as a FROM clause takes it, without the rows of tables that inherit from it."""
        return self.path if self.partitioned else f"ONLY {self.path}"


class Column(NamedTuple):
    """A column. `sequence` is the one that numbers it, as nextval() takes its name; `position` that in the table."""

    name: str
    quoted: str
    type: int
    modifier: int
    written: str
    not_null: bool
    identity: str
    generated: str
    default: str | None
    sequence: str | None
    position: int


class ForeignKey(NamedTuple):
    """Columns whose values have to stand in another table, or in the same."""

    name: str
    columns: tuple[str, ...]
    parent: int
    parent_path: str
    referenced: tuple[str, ...]
    full: bool


class Unique(NamedTuple):
    """Columns whose values must not come twice; an expression counts as the columns that it reads."""

    name: str
    columns: tuple[str, ...]
    exclusion: bool
    immediate: bool
    nulls_equal: bool
    partial: bool
    expression: bool


class Obstacle(NamedTuple):
    """A trigger or a rule: what may refuse or swallow rows. `decisive`: it can do so in silence."""

    kind: str
    name: str
    decisive: bool
    code: str


class Table(NamedTuple):
    """All that is known of one table; equal when nothing about it has changed."""

    listed: Listed
    columns: tuple[Column, ...]
    checks: tuple[Check, ...]
    foreign_keys: tuple[ForeignKey, ...]
    uniques: tuple[Unique, ...]
    obstacles: tuple[Obstacle, ...]
    partitions: tuple[Check, ...]
    types: Mapping[int, Type]

    @property
    def path(self) -> str:
        """Return the qualified name, quoted where needed."""
        return self.listed.path


def listing(connection: RawConnection, ours: Collection[str], only: Collection[int] | None) -> list[Listed]:
    """Return the tables of users, partitioned ones as their root, ordered by name in every collation alike."""
    tables = None if only is None else [int(oid) for oid in only]
    found = prepared.rows(connection, LISTING, "text[], oid[]", sorted(ours), tables)
    return [Listed(oid, path, kind == "p", columns, forced) for oid, path, kind, columns, forced in found]


def held(connection: RawConnection, listed: Sequence[Listed], enough: int) -> dict[int, int]:
    """Count the rows of the tables that hold fewer than `enough`: a statement that asks which do, and one for those."""
    full = _array(connection, [f"EXISTS (SELECT FROM {each.source} OFFSET {max(enough, 1) - 1})" for each in listed])
    wanting = [each for each, is_full in zip(listed, full, strict=True) if not is_full]
    counts = _array(connection, [f"(SELECT count(*) FROM {each.source})" for each in wanting])  # noqa: S608
    return {each.oid: int(count) for each, count in zip(wanting, counts, strict=True)}


def _array(connection: RawConnection, expressions: Sequence[str]) -> Sequence[Any]:
    if not expressions:
        return ()
    return cast("Sequence[Any]", raw.value(connection, f"SELECT ARRAY[{', '.join(expressions)}]"))


def read(connection: RawConnection, wanted: Sequence[Listed]) -> list[Table]:
    """Read the structure of these tables in one statement, however many they are."""
    if not wanted:
        return []
    partitioned = [each.oid for each in wanted if each.partitioned]
    arrays = prepared.rows(connection, STRUCTURE, "oid[], oid[]", [each.oid for each in wanted], partitioned)[0]
    found = [[tuple(row.values()) for row in json.loads(str(array))] for array in arrays]
    *parts, leaves = map(_grouped, found[:-1])
    types = {row[0]: _type(row) for row in found[-1]}
    return [_table(each, [part.get(each.oid, []) for part in (*parts, leaves)], types) for each in wanted]


def _table(listed: Listed, parts: Sequence[list[Any]], types: Mapping[int, Type]) -> Table:
    columns = tuple(_column(row) for row in parts[0])
    quoted = {column.name: column.quoted for column in columns}
    used = _closure((column.type for column in columns), types)
    return Table(
        listed,
        columns,
        tuple(Check(row[0], row[2], tuple(json.loads(row[3] or "[]"))) for row in parts[1] if row[1] == "c"),
        tuple(
            ForeignKey(row[0], tuple(json.loads(row[3])), row[4], row[5], tuple(json.loads(row[6])), row[7] == "f")
            for row in parts[1]
            if row[1] == "f"
        ),
        tuple(_unique(row, quoted) for row in parts[2]),
        tuple(Obstacle(*row) for row in parts[3]),
        tuple(Check(row[0], row[1] or "true", mentioned(row[1] or "", quoted)) for row in parts[4]),
        {oid: types[oid] for oid in used},
    )


def _column(row: Sequence[Any]) -> Column:
    numbered = NEXTVAL.match(row[8] or "")
    sequence = row[9] or (numbered[1].replace("''", "'") if numbered else None)
    name, quoted, type_, modifier, written, not_null, identity, generated, default = row[:9]
    return Column(name, quoted, type_, modifier, written, not_null, identity, generated, default, sequence, row[10])


def _unique(row: Sequence[Any], quoted: Mapping[str, str]) -> Unique:
    name, exclusion, immediate, nulls_equal, predicate, columns, expressions = row
    plain = [column for column in json.loads(columns) if column is not None]
    inner = [column for column in mentioned(expressions or "", quoted) if column not in plain]
    return Unique(
        name, (*plain, *inner), exclusion, immediate, nulls_equal, predicate is not None, expressions is not None
    )


def _type(row: Sequence[Any]) -> Type:
    oid, name, written, kind, category, inner, modifier, not_null, delimiter, labels, attributes, checks, array = row
    return Type(
        oid=oid,
        name=name,
        written=written,
        kind="a" if array else kind,
        category=category,
        inner=inner,
        modifier=modifier,
        not_null=not_null,
        delimiter=delimiter or ",",
        labels=tuple(json.loads(labels or "[]")),
        attributes=tuple((number, modifier) for number, modifier in json.loads(attributes or "[]")),
        checks=tuple(Check(name, text, ("VALUE",)) for name, text in json.loads(checks or "[]")),
    )


def _closure(start: Any, types: Mapping[int, Type]) -> list[int]:
    pending, seen = list(start), dict[int, None]()
    while pending:
        oid = pending.pop()
        if oid in types and oid not in seen:
            seen[oid] = None
            pending += [types[oid].inner, *(number for number, _ in types[oid].attributes)]
    return sorted(seen)


def _grouped(rows: Sequence[Sequence[Any]]) -> dict[int, list[Sequence[Any]]]:
    found: dict[int, list[Sequence[Any]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row[1:])
    return found
