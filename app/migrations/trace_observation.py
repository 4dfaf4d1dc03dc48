"""What PostgreSQL's catalog and counters say of the relations that a statement may have changed.

Reads only, within the transaction of the connection it is given; begins none, and ends none.
https://www.postgresql.org/docs/current/view-pg-locks.html
https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-FUNCTIONS
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from psycopg2.extensions import cursor as RawCursor  # noqa: N812 -- the same

KINDS = {
    "r": "table", "p": "table", "i": "index", "I": "index", "S": "sequence", "v": "view",
    "m": "materialized view", "f": "foreign table",
}  # fmt: skip
HOLD_ROWS = ("table", "materialized view")
FIRST_OF_USERS = 16384
"""The lowest oid that is not the system's own: FirstNormalObjectId in its sources."""

LOCKS = """
SELECT relation::bigint, mode FROM pg_catalog.pg_locks
WHERE pid = %(pid)s AND locktype = 'relation' AND granted
  AND (relation >= 16384 OR mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock'))
  AND database IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
"""
RELATIONS = """
SELECT c.oid::bigint, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), c.relkind::text,
       c.relfilenode::bigint, coalesce(i.indrelid, 0)::bigint, c.relnatts, c.relispartition,
       CASE WHEN %(exact)s THEN pg_catalog.pg_stat_get_xact_numscans(c.oid)
            ELSE pg_catalog.pg_stat_get_numscans(c.oid) END
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE c.relkind NOT IN ('t', 'c') AND n.nspname <> 'pg_toast'
"""
OF_THESE = """
AND c.oid = ANY (%(oids)s::oid[] || ARRAY(SELECT indexrelid FROM pg_catalog.pg_index
                                          WHERE indrelid = ANY (%(oids)s::oid[])))
"""
CONSTRAINTS = """
SELECT 'oid ' || c.oid, c.conrelid::bigint, 0,
       pg_catalog.quote_ident(c.conname) || ' ON ' || CASE WHEN c.conrelid <> 0 THEN (
         SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(r.relname)
         FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace WHERE r.oid = c.conrelid)
       ELSE pg_catalog.format_type(c.contypid, NULL) END,
       c.convalidated
FROM pg_catalog.pg_constraint c
WHERE c.contype IN ('c', 'f') AND c.oid >= 16384
  AND (%(oids)s::bigint[] IS NULL OR c.conrelid = ANY (%(oids)s::oid[] || 0::oid))
UNION ALL
SELECT 'column ' || a.attrelid || ' ' || a.attnum, a.attrelid::bigint, a.attnum,
       'NOT NULL (' || pg_catalog.quote_ident(a.attname) || ') ON ' || pg_catalog.quote_ident(n.nspname) || '.'
       || pg_catalog.quote_ident(r.relname), {valid}
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class r ON r.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p') AND r.oid >= 16384
  AND (%(oids)s::bigint[] IS NULL OR r.oid = ANY (%(oids)s::oid[]))
"""
BEFORE_18 = "true"
SINCE_18 = """NOT EXISTS (
         SELECT FROM pg_catalog.pg_constraint c
         WHERE c.conrelid = a.attrelid AND c.contype = 'n' AND c.conkey = ARRAY[a.attnum] AND NOT c.convalidated)"""
"""Since PostgreSQL 18 a NOT NULL can be NOT VALID."""

Held = frozenset[tuple[int, str]]
"""Relations, by oid, and the modes in which they are locked."""


class Relation(NamedTuple):
    """One relation: its full name, the number of its file, the table of an index (0 else), its scans so far."""

    name: str
    kind: str
    file: int
    table: int
    columns: int
    is_partition: bool
    scans: int


class Constraint(NamedTuple):
    """One constraint that rows are checked for: its table (0 for a domain's), the number of its column if NOT NULL."""

    table: int
    column: int
    name: str
    is_valid: bool


class State(NamedTuple):
    """Relations by oid, and constraints by table and a key of their own; of the whole database or of a part of it."""

    relations: dict[int, Relation]
    constraints: dict[int, dict[str, Constraint]]

    def part(self, oids: Collection[int]) -> "State":
        """Return these relations, the indexes of those that are tables, and their and all domains' constraints."""
        wanted = set(oids)
        relations = {oid: one for oid, one in self.relations.items() if oid in wanted or one.table in wanted}
        return State(relations, {oid: self.constraints.get(oid, {}) for oid in (*wanted, 0)})

    def update(self, old: "State", new: "State") -> None:
        """Put `new` in the place of `old`, both parts of the same relations."""
        for oid in old.relations.keys() - new.relations.keys():
            del self.relations[oid]
        self.relations.update(new.relations)
        for table in old.constraints.keys() | new.constraints.keys():
            self.constraints[table] = new.constraints.get(table, {})


def locks(raw: RawConnection, pid: int) -> Held:
    """Return the relation locks that a session holds, without those of everyday work on system catalogs."""
    return frozenset((oid, mode) for oid, mode in _rows(raw, LOCKS, {"pid": pid}))


def state(raw: RawConnection, oids: Collection[int] | None, exact: bool = True) -> State:
    """Read these relations and their constraints, or all that are not the system's own.

    `exact` counts the scans that this very session has not reported yet; else what all sessions have reported.
    """
    wanted = None if oids is None else list(oids)
    which = f"AND c.oid >= {FIRST_OF_USERS}" if wanted is None else OF_THESE
    rows = _rows(raw, f"{RELATIONS} {which}", {"oids": wanted, "exact": exact})
    query = CONSTRAINTS.format(valid=SINCE_18 if raw.server_version >= 180000 else BEFORE_18)
    found = _rows(raw, query, {"oids": wanted})
    constraints: dict[int, dict[str, Constraint]] = {}
    for key, *rest in found:
        constraint = Constraint(*rest)
        constraints.setdefault(constraint.table, {})[key] = constraint
    return State(
        {oid: Relation(name, KINDS.get(kind, "relation"), *rest) for oid, name, kind, *rest in rows}, constraints
    )


def _rows(raw: RawConnection, query: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
    """Read through a plain cursor, which is not traced, whatever the connection makes of its own."""
    with RawCursor(raw) as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


class Changes(NamedTuple):
    """What became different between two states, in the names of the later one, dropped ones in their old name."""

    rewritten: tuple[str, ...] = ()
    indexes_built: tuple[str, ...] = ()
    validated: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    truncated: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()


def changes(before: State, after: State, fresh: Collection[int], empties: bool) -> Changes:
    """Compare two states of the same relations; what happens inside of those `fresh`, the revision's own, is no matter.

    An index that is replaced by one of its own name, as a change of type does, is neither created nor dropped.
    `empties` tells that the statement is a TRUNCATE: it gives tables and indexes new files and copies no row.
    """
    old, new = before.relations, after.relations
    read = {oid for oid, one in new.items() if one.scans > (old[oid].scans if oid in old else 0) and not empties}
    scanned = {new[oid].table or oid for oid in read} - set(fresh)
    files = {one.file for one in old.values()}
    refiled = {oid: one for oid, one in new.items() if one.file and one.file not in files and oid not in fresh}
    known = _names(one for oid, one in refiled.items() if one.kind in HOLD_ROWS and oid in old)
    built = (one for oid, one in new.items() if one.kind == "index" and one.file and one.file not in files)
    made = [one for oid, one in new.items() if oid not in old]
    gone = [one for oid, one in old.items() if oid not in new]
    replaced = {one.name for one in made if one.kind == "index"} & {one.name for one in gone}
    return Changes(
        () if empties else known,
        () if empties else _names(one for one in built if one.table not in fresh),
        _validated(before, after, scanned),
        _names(one for one in made if one.name not in replaced),
        _names(one for one in gone if one.name not in replaced),
        known if empties else (),
        _names(new[oid] for oid in scanned & read),
    )


def _validated(before: State, after: State, scanned: Collection[int]) -> tuple[str, ...]:
    """Return the constraints that became valid, and the partitions that became part of a table, by reading rows."""
    found = []
    for oid in [*scanned, *([0] if scanned else [])]:
        table, known = before.relations.get(oid), before.constraints.get(oid, {})
        for key, one in after.constraints.get(oid, {}).items():
            on_new_column = table is not None and one.column > table.columns
            if one.is_valid and not on_new_column and not (key in known and known[key].is_valid):
                found.append(one.name)
    for oid, relation in after.relations.items():
        attached = relation.is_partition and oid in before.relations and not before.relations[oid].is_partition
        if attached and oid in scanned and relation.kind == "table":
            found.append(f"partition bound ON {relation.name}")
    return tuple(sorted(found))


def _names(relations: Iterable[Relation]) -> tuple[str, ...]:
    return tuple(sorted(one.name for one in relations))
