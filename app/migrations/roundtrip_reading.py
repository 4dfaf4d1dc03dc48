"""Reads the catalog of a scratch database again after each step, only what the step can have changed. Changes nothing.

What a migration altered is told by the locks that it held: whatever changes a table, or what stands on one, takes
SHARE UPDATE EXCLUSIVE or more on it. What takes less is found by itself: rights and comments by their rows, statistics
by being read each time. And what belongs to no table is always read whole.
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations import inspection, prepared, raw, roundtrip_roles, roundtrip_snapshot
from app.migrations.catalog import Catalog
from app.migrations.inspection_queries import ALWAYS, PROBE, PROBED, statement
from app.migrations.inspection_rows import assemble
from app.migrations.roundtrip_snapshot import Snapshot
from app.migrations.roundtrip_touch import Touched

RARE = frozenset({"pg_publication_rel", "security_label"})
"""Parts that know of relations and are not read by relation: with one of them everything is read each time."""
SESSION = f"SET search_path = pg_catalog, pg_temp; {prepared.PLANNED_ONCE}; SET enable_seqscan = off; SET jit = off"
"""Names come out with their schema, the long statement is planned once, and reads what the server brought by index.

A sequential scan that is done all the same counts as so dear before 18 that each statement would be compiled.
"""
TRACES = f"""{PROBE}, (SELECT json_agg(json_build_array(classoid::bigint, objoid::bigint, objsubid, md5(description)))
        FROM pg_description WHERE objoid >= 16384)::text,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint & 4294967295
"""  # noqa: S608 -- it is a constant
RELATIONS = """
SELECT c.oid::bigint, quote_ident(nspname) || '.' || quote_ident(relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE c.oid >= 16384 AND relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND nspname !~ '^pg_'
"""
REACH = """
WITH RECURSIVE start (oid) AS (
    SELECT unnest($1)
    UNION SELECT oid FROM pg_class WHERE oid >= 16384 AND age(xmin) <= age($2::text::xid)
    UNION SELECT attrelid FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid >= 16384
    UNION SELECT stxrelid FROM pg_statistic_ext
    UNION SELECT conrelid FROM pg_constraint WHERE oid = ANY ($3)
    UNION SELECT tgrelid FROM pg_trigger WHERE oid = ANY ($3)
    UNION SELECT polrelid FROM pg_policy WHERE oid = ANY ($3)
    UNION SELECT ev_class FROM pg_rewrite WHERE oid = ANY ($3)
    UNION SELECT unnest($3)
), reached (oid) AS (
    SELECT oid FROM start
    UNION
    SELECT next.oid FROM reached, LATERAL (
        SELECT inhparent FROM pg_inherits WHERE inhrelid = reached.oid
        UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = reached.oid
        UNION ALL SELECT indrelid FROM pg_index WHERE indexrelid = reached.oid
        UNION ALL SELECT objid FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid = reached.oid
            AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
        UNION ALL SELECT refobjid FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = reached.oid
            AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
        UNION ALL SELECT ev_class FROM pg_depend JOIN pg_rewrite r ON r.oid = objid
            WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass AND refobjid = reached.oid
    ) next (oid)
)
SELECT c.oid::bigint, quote_ident(nspname) || '.' || quote_ident(relname)
FROM reached JOIN pg_class c ON c.oid = reached.oid JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND nspname !~ '^pg_' AND c.oid >= 16384
"""
"""From what was altered to all whose definition can tell of it: partitions, sequences, views, the table of an index."""
DEPENDENT = """
WITH quoted AS (
    SELECT 'pg_class'::regclass AS class, unnest($1) AS oid
    UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type t WHERE typrelid = ANY ($1)
    UNION ALL SELECT 'pg_type'::regclass, typarray FROM pg_type t WHERE typrelid = ANY ($1)
), quoting AS (
    SELECT classid, objid FROM pg_depend JOIN quoted ON refclassid = class AND refobjid = quoted.oid
)
SELECT objid::bigint FROM quoting WHERE classid = 'pg_class'::regclass
UNION SELECT conrelid FROM pg_constraint WHERE oid IN (SELECT objid FROM quoting) AND conrelid <> 0
UNION SELECT adrelid FROM pg_attrdef WHERE oid IN (SELECT objid FROM quoting)
UNION SELECT tgrelid FROM pg_trigger WHERE oid IN (SELECT objid FROM quoting)
UNION SELECT polrelid FROM pg_policy WHERE oid IN (SELECT objid FROM quoting)
UNION SELECT ev_class FROM pg_rewrite WHERE oid IN (SELECT objid FROM quoting)
"""
"""What quotes the names of these relations and of their columns: the relations that it belongs to."""


class Reader:
    """One session, in autocommit, that keeps the snapshot of its database up to date."""

    def __init__(self, connection: RawConnection, shortcuts: bool = True) -> None:
        self.connection = connection
        self.shortcuts = shortcuts
        self.snapshot: Snapshot | None = None
        self.roles = roundtrip_roles.read(connection)
        raw.execute(connection, SESSION)
        self.names: dict[int, str] = {}
        self.comments: set[tuple[Any, ...]] = set()
        self.next_xid = 0
        self.rare = False
        self.prepared: set[str] = set()

    def read(self, touched: Touched, source: str = "") -> Snapshot:
        """Return the schema as it is after a step that touched this; `source` is the revision's."""
        as_before = not touched.roles or not self._roles_changed(touched, source)
        return self._read(touched.altered if as_before else None)

    def _roles_changed(self, touched: Touched, source: str) -> bool:
        """Read the roles; as they own things and are granted things, a change of theirs can show everywhere."""
        before, now = self.roles, roundtrip_roles.read(self.connection)
        self.roles = now if touched.altered is not None else roundtrip_roles.likely(before, now, source)
        return self.roles != before

    def _read(self, altered: Collection[int] | None) -> Snapshot:
        before, since, commented = self.snapshot, self.next_xid, self.comments
        *present, comments, self.next_xid = self._run("traces", TRACES, "", [])[0]
        self.comments = {tuple(row) for row in json.loads(comments or "[]")}
        rare, self.rare = (
            self.rare,
            any(there and part.section in RARE for part, there in zip(PROBED, present, strict=True)),
        )
        if altered is None or before is None or rare or self.rare or not self.shortcuts:
            return self._read_all()
        changed = {int(row[1]) for row in self.comments ^ commented}
        reached = self._reached(altered, since, changed)
        part = self._read_some(list(reached), present)
        if renamed := [oid for oid in reached if self._renamed(oid, reached[oid], before, part)]:
            told = {int(row[0]) for row in self._run("told", DEPENDENT, "oid[]", [_array(renamed)])}
            reached = self._reached({*altered, *told}, since, changed)
            part = self._read_some(list(reached), present)
        gone = set(altered) - reached.keys()
        old = {self.names[oid] for oid in {*reached, *gone} if oid in self.names}
        found = roundtrip_snapshot.patched(before, part, old)
        if roundtrip_snapshot.reaches_further(before, found):
            return self._read_all()
        for oid in gone:
            self.names.pop(oid, None)
        self.names.update(reached)
        self.snapshot = found
        return found

    def _renamed(self, oid: int, name: str, before: Snapshot, part: Catalog) -> bool:
        """Tell whether a relation, or a column of it, may have another name: others may quote it."""
        known = self.names.get(oid)
        return known is not None and (known != name or roundtrip_snapshot.may_be_renamed(before, part, name))

    def read_whole(self) -> Snapshot:
        """Return the schema, read without any shortcut and without remembering it."""
        return roundtrip_snapshot.of(inspection.read_raw(self.connection), self.roles)

    def _read_all(self) -> Snapshot:
        self.names = {int(str(oid)): str(name) for oid, name in raw.rows(self.connection, RELATIONS)}
        self.snapshot = self.read_whole()
        return self.snapshot

    def _reached(self, altered: Collection[int], since: int, commented: Collection[int]) -> dict[int, str]:
        values = [_array(altered), f"'{since}'", _array(commented)]
        rows = self._run("reach", REACH, "oid[], text, oid[]", values)
        return {int(oid): name for oid, name in rows}

    def _read_some(self, relations: Sequence[int], present: Sequence[bool]) -> Catalog:
        """Read these relations and what belongs to none."""
        version = self.connection.server_version // 10000
        parts = (*ALWAYS, *(part for part, exists in zip(PROBED, present, strict=True) if exists))
        with self.connection.cursor() as cursor:
            left_out = {"left_out": sorted(inspection.OURS)}
            text = cursor.mogrify(statement(version, parts, some=True), left_out).decode()
        name = "some_" + "".join("1" if exists else "0" for exists in present)
        arrays = self._run(name, text, "oid[]", [_array(relations)])[0]
        sections: Mapping[str, Any] = {
            part.section: json.loads(array) for part, array in zip(parts, arrays, strict=True)
        }
        return assemble(sections, version)

    def _run(self, name: str, text: str, types: str, values: Sequence[str]) -> list[tuple[Any, ...]]:
        """Run a prepared statement."""
        prepared = f"roundtrip_{name}"
        with self.connection.cursor() as cursor:
            given = f"({', '.join(values)})" if values else ""
            prepare = "" if name in self.prepared else f"PREPARE {prepared}{f'({types})' if types else ''} AS {text};"
            cursor.execute(f"{prepare} EXECUTE {prepared}{given}")
            self.prepared.add(name)
            return cursor.fetchall()


def _array(oids: Collection[int]) -> str:
    return "'{" + ",".join(map(str, sorted(oids))) + "}'"
