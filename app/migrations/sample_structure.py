"""What the catalog says of tables that want rows: columns, types, keys, checks, what stands in the way. Only reads."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations import journal, prepared, raw
from app.migrations.sample_hints import NEXTVAL, mentioned
from app.migrations.sample_types import Check, Type

OURS = frozenset({"alembic_version"}) | journal.TABLES

LISTING = """
SELECT c.oid::bigint, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind::text, c.relnatts::int,
       c.relforcerowsecurity AND row_security_active(c.oid) AND pg_has_role(c.relowner, 'USAGE')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND c.oid >= 16384
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relname <> ALL ($1)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e')
  AND NOT (c.relnatts = 1 AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
                                      AND a.attname = 'version_num' AND a.attnum = 1))
  AND ($2 IS NULL OR c.oid = ANY (SELECT coalesce(pg_partition_root(o), o) FROM unnest($2) o))
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""
"""Alembic's version table may bear any name: it is known by its one column."""

COLUMNS = """
SELECT a.attrelid::bigint, a.attname::text, quote_ident(a.attname), a.atttypid::bigint, a.atttypmod,
       format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text, a.attgenerated::text,
       pg_get_expr(d.adbin, d.adrelid), CASE WHEN a.attidentity <> '' THEN pg_get_serial_sequence(
           quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname) END, a.attnum::int
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum
"""
CONSTRAINTS = """
SELECT con.conrelid::bigint, con.conname::text, con.contype::text, pg_get_expr(con.conbin, con.conrelid),
       (SELECT json_agg(a.attname ORDER BY k.i) FROM unnest(con.conkey) WITH ORDINALITY k (n, i)
        JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.n)::text,
       con.confrelid::bigint, CASE WHEN con.contype = 'f' THEN (
           SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = con.confrelid) END,
       (SELECT json_agg(a.attname ORDER BY k.i) FROM unnest(con.confkey) WITH ORDINALITY k (n, i)
        JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.n)::text,
       con.confmatchtype::text
FROM pg_constraint con
WHERE con.conrelid = ANY ($1) AND con.contype IN ('c', 'f') AND con.conparentid = 0
  AND coalesce(to_jsonb(con) ->> 'conenforced', 'true') = 'true'
ORDER BY con.conrelid, con.conname COLLATE "C"
"""
UNIQUES = """
SELECT i.indrelid::bigint, c.relname::text, i.indisexclusion, i.indimmediate, i.indnullsnotdistinct,
       pg_get_expr(i.indpred, i.indrelid), (SELECT json_agg(coalesce(a.attname, NULL) ORDER BY k.i)
           FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (n, i)
           LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n WHERE k.i <= i.indnkeyatts)::text,
       pg_get_expr(i.indexprs, i.indrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY ($1) AND (i.indisunique OR i.indisexclusion) AND i.indislive
ORDER BY i.indrelid, c.relname COLLATE "C"
"""
OBSTACLES = """
SELECT t.tgrelid::bigint, 'trigger', t.tgname::text, t.tgtype & 2 = 2 AND t.tgtype & 1 = 1,
       p.proname || '/' || md5(p.prosrc)
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 4 = 4
UNION ALL
SELECT ev_class::bigint, 'rule', rulename::text, is_instead, '' FROM pg_rewrite
WHERE ev_class = ANY ($1) AND ev_type = '3' AND ev_enabled IN ('O', 'A')
ORDER BY 1, 2, 3
"""
PARTITIONS = """
SELECT p.root::bigint, quote_ident(n.nspname) || '.' || quote_ident(c.relname), pg_get_partition_constraintdef(c.oid)
FROM (SELECT o AS root, t.relid FROM unnest($2) o, pg_partition_tree(o) t WHERE t.isleaf) p
JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relispartition ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""
TYPES = """
WITH RECURSIVE needed (oid) AS (
    SELECT DISTINCT atttypid FROM pg_attribute WHERE attrelid = ANY ($1) AND attnum > 0
      AND NOT attisdropped
    UNION
    SELECT p.oid FROM needed JOIN pg_type t USING (oid), LATERAL (
        SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL SELECT t.typelem WHERE t.typelem <> 0 AND t.typsubscript = 'array_subscript_handler'::regproc
        UNION ALL SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid
        UNION ALL SELECT rngtypid FROM pg_range WHERE rngmultitypid = t.oid
        UNION ALL SELECT atttypid FROM pg_attribute WHERE attrelid = t.typrelid AND t.typtype = 'c' AND attnum > 0
            AND NOT attisdropped
    ) p (oid)
)
SELECT t.oid::bigint, t.typname::text, format_type(t.oid, NULL), t.typtype::text, t.typcategory::text,
       CASE WHEN t.typtype = 'd' THEN t.typbasetype
            WHEN t.typtype = 'r' THEN (SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid)
            WHEN t.typtype = 'm' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = t.oid)
            WHEN t.typsubscript = 'array_subscript_handler'::regproc AND t.typarray = 0 THEN t.typelem
            ELSE 0 END::bigint,
       t.typtypmod, t.typnotnull, e.typdelim::text,
       (SELECT json_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)::text,
       (SELECT json_agg(json_build_array(atttypid::bigint, atttypmod) ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = t.typrelid AND t.typtype = 'c' AND attnum > 0 AND NOT attisdropped)::text,
       (SELECT json_agg(json_build_array(conname, pg_get_expr(conbin, 0)) ORDER BY conname COLLATE "C")
        FROM pg_constraint WHERE contypid = t.oid AND contype = 'c')::text,
       t.typsubscript = 'array_subscript_handler'::regproc AND t.typarray = 0
FROM needed JOIN pg_type t USING (oid) LEFT JOIN pg_type e ON e.oid = t.typelem
"""


PARTS = ((COLUMNS, 12), (CONSTRAINTS, 9), (UNIQUES, 8), (OBSTACLES, 5), (PARTITIONS, 3), (TYPES, 13))
"""Each with the number of its columns."""


def _as_json(query: str, columns: int) -> str:
    names = ", ".join(f"c{number}" for number in range(columns))
    return f"(SELECT coalesce(json_agg(r), '[]') FROM ({query}) r ({names}))::text"  # noqa: S608 -- constants


STRUCTURE = "SELECT " + ", ".join(_as_json(query, columns) for query, columns in PARTS)
"""All about the tables in $1 in one statement; $2 are those of them that are partitioned."""


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
