"""What a database holds beside its schema: rows, sequences, settings, who is named. Reads; changes nothing.

The tables and sequences are those whose data pg_dump takes: of every schema but the system's and temporary ones,
of partitioned tables the leaves, of extensions what they mark as configuration. Foreign tables hold nothing here.
https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-CONFIG-TABLES
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, CursorResult, text

from app.migrations.manifest import DatabaseSettings, SecurityLabel, SequencePosition, Setting
from app.migrations.quoting import quoted

BATCH = 200
"""Sequences that are read by one statement."""

DUMPED = """n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'
    AND (config.condition IS NOT NULL OR NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))"""
CONFIGURATION = """LEFT JOIN LATERAL (
    SELECT e.extcondition[i] AS condition FROM pg_extension e, generate_subscripts(e.extconfig, 1) i
    WHERE e.extconfig[i] = c.oid) config ON true"""
TABLES = text(f"""
SELECT n.nspname, c.relname, coalesce(config.condition, ''), pg_table_size(c.oid),
       has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace {CONFIGURATION}
WHERE c.relkind = 'r' AND {DUMPED} ORDER BY 4 DESC, 1, 2
""")  # noqa: S608 -- constants
SEQUENCES = text(f"""
SELECT n.nspname, c.relname, s.seqincrement, s.seqcycle
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace {CONFIGURATION}
WHERE {DUMPED} ORDER BY 1, 2
""")  # noqa: S608 -- constants
ROLES = text("""
SELECT rolname FROM pg_roles WHERE oid = 10 AND rolname !~ '^pg_'
UNION
SELECT r.rolname FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
WHERE d.refclassid = 'pg_authid'::regclass AND r.rolname !~ '^pg_'
  AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY 1
""")
"""The maker of the cluster (oid 10) has no rows in pg_shdepend: https://www.postgresql.org/docs/current/catalog-pg-shdepend.html"""
EXTENSIONS = text("SELECT extname, extversion FROM pg_extension ORDER BY 1")
LARGE_OBJECTS = text("SELECT count(*) FROM pg_largeobject_metadata")
DATABASE = text("""
SELECT d.oid::bigint, pg_get_userbyid(d.datdba), d.datacl::text[], shobj_description(d.oid, 'pg_database'),
       d.datconnlimit, pg_encoding_to_char(d.encoding), coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
       d.datcollate, d.datctype, coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'), t.spcname
FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = current_database()
""")
SETTINGS = text("""
SELECT r.rolname, split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c
WHERE s.setdatabase = :database ORDER BY 1 NULLS FIRST, 2
""")
LABELS = text("""
SELECT provider, label FROM pg_shseclabel
WHERE classoid = 'pg_database'::regclass AND objoid = :database ORDER BY 1
""")
VERSION_TABLES = text("""
SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'alembic_version' AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' ORDER BY 1
""")

T = TypeVar("T")


class Table(NamedTuple):
    """A table whose rows are dumped. `sql` names it in statements, `name` for people, the same on every server.
    `label` is how pg_dump's messages name it.

    `condition` is the WHERE clause of an extension's configuration table, else "". `bytes` are those of the heap and
    what is stored out of line; `readable` whether this role may read it.
    """

    name: str
    sql: str
    label: str
    condition: str
    bytes: int
    readable: bool


class SequenceState(NamedTuple):
    """Where a sequence stands. `next_value` is what it gives next, whether or not it was ever asked."""

    position: SequencePosition
    increment: int
    cycles: bool

    def is_at_or_past(self, position: SequencePosition) -> bool:
        """Return whether nothing that this sequence gives was given before `position`, as far as can be told."""
        here, there = (self._next(p) for p in (self.position, position))
        return self.cycles or (here >= there if self.increment > 0 else here <= there)

    def _next(self, position: SequencePosition) -> int:
        return position.last_value + (self.increment if position.is_called else 0)


@dataclass(frozen=True)
class Contents:
    """What a database holds beside its schema and its rows."""

    database: str
    server_version: str
    server_version_num: int
    settings: DatabaseSettings
    revisions: tuple[str, ...]
    sequences: dict[str, SequenceState]
    large_objects: int
    extensions: dict[str, str]
    roles: tuple[str, ...]


def read(connection: Connection) -> Contents:
    """Read all but the rows, in a dozen queries. Raises DBAPIError for a sequence that may not be read."""
    database = str(connection.scalar(text("SELECT current_database()")))
    version, number = connection.execute(
        text("SELECT current_setting('server_version'), current_setting('server_version_num')::int")
    ).one()
    return Contents(
        database=database,
        server_version=str(version),
        server_version_num=int(number),
        settings=settings(connection),
        sequences=sequences(connection),
        revisions=revisions(connection),
        large_objects=int(connection.scalar(LARGE_OBJECTS) or 0),
        extensions={str(row[0]): str(row[1]) for row in connection.execute(EXTENSIONS)},
        roles=tuple(str(row[0]) for row in connection.execute(ROLES)),
    )


def tables(connection: Connection) -> list[Table]:
    """Return the tables whose rows pg_dump takes, the biggest first."""
    return [
        Table(
            name(row[0], row[1]), _quoted(row[0], row[1]), f"{row[0]}.{row[1]}", row[2], int(row[3] or 0), bool(row[4])
        )
        for row in connection.execute(TABLES)
    ]


def count(connection: Connection, listed: Iterable[Table]) -> dict[str, int]:
    """Count the rows of each table, exactly. Takes ACCESS SHARE, until the transaction of `connection` ends.

    Row security does not hide any: the caller has set row_security to off, which makes the count fail instead.
    https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """
    return {
        table.name: int(_run(connection, f"SELECT count(*) FROM ONLY {table.sql} {table.condition}").scalar_one())  # noqa: S608
        for table in listed
    }


def sequences(connection: Connection) -> dict[str, SequenceState]:
    """Read where every sequence stands: now, not as of the snapshot, for sequences are in none.

    https://www.postgresql.org/docs/current/functions-sequence.html
    """
    found = {}
    for batch in _batches(connection.execute(SEQUENCES).all()):
        selects = [f"SELECT {i}, last_value, is_called FROM {_quoted(s[0], s[1])}" for i, s in enumerate(batch)]  # noqa: S608
        for row in _run(connection, " UNION ALL ".join(selects)):
            schema, sequence, increment, cycles = batch[row[0]]
            position = SequencePosition(int(row[1]), bool(row[2]))
            found[name(schema, sequence)] = SequenceState(position, int(increment), bool(cycles))
    return found


def settings(connection: Connection) -> DatabaseSettings:
    """Read what belongs to the database itself, and so is in no dump of it."""
    oid, owner, acl, comment, limit, *place = connection.execute(DATABASE).one()
    rows = connection.execute(SETTINGS, {"database": oid})
    labels = connection.execute(LABELS, {"database": oid})
    encoding, provider, collate, ctype, locale, tablespace = place
    return DatabaseSettings(
        owner=owner,
        acl=None if acl is None else tuple(acl),
        comment=comment,
        connection_limit=int(limit),
        settings=tuple(Setting(*row) for row in rows),
        encoding=encoding,
        locale_provider=provider,
        collate=collate,
        ctype=ctype,
        locale=locale,
        tablespace=tablespace,
        security_labels=tuple(SecurityLabel(*row) for row in labels),
    )


def revisions(connection: Connection) -> tuple[str, ...]:
    """Read the rows of the version table that this session finds; none where it finds no such table."""
    schema = connection.scalar(
        text("SELECT relnamespace::regnamespace::name FROM pg_class WHERE oid = to_regclass('alembic_version')")
    )
    return () if schema is None else _versions(connection, str(schema))


def revisions_anywhere(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Read every version table, by schema: another server's search_path finds another one."""
    return {str(row[0]): _versions(connection, str(row[0])) for row in connection.execute(VERSION_TABLES)}


def name(schema: str, relation: str) -> str:
    """Return a qualified name, quoted where PostgreSQL of any version might want it: keywords come with versions."""
    return ".".join(part if re.fullmatch("[a-z_][a-z0-9_$]*", part) else quoted(part) for part in (schema, relation))


def _run(connection: Connection, statement: str) -> CursorResult[*tuple[Any, ...]]:
    """Run SQL in which a % is a %."""
    return connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _quoted(schema: str, relation: str) -> str:
    return f"{quoted(schema)}.{quoted(relation)}"


def _versions(connection: Connection, schema: str) -> tuple[str, ...]:
    rows = _run(connection, f"SELECT version_num FROM {quoted(schema)}.alembic_version ORDER BY 1")  # noqa: S608
    return tuple(str(row[0]) for row in rows)


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
