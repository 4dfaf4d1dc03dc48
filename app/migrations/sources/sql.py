"""What SQL statements do, as operations, by their opening words. Never runs one; what it does not know is UNKNOWN.

https://www.postgresql.org/docs/current/sql-commands.html
"""

import re
from collections.abc import Iterator

from app.migrations.sources import alter_table
from app.migrations.sources.operations import Kind, Operation, table_name
from app.migrations.sources.tokens import Cursor
from app.migrations.sql_statements import split

SETTINGS = frozenset({
    "SET", "SHOW", "RESET", "LOCK", "ANALYZE", "ANALYSE", "VACUUM", "SAVEPOINT", "RELEASE", "NOTIFY",
    "DISCARD", "EXPLAIN",
    "CLUSTER", "CHECKPOINT", "DEALLOCATE", "LISTEN", "UNLISTEN",
})  # fmt: skip
ENDS = frozenset({"COMMIT", "END", "ROLLBACK", "ABORT", "BEGIN", "START"})
OTHERS = frozenset({"COMMENT", "GRANT", "REVOKE", "SECURITY", "REASSIGN", "IMPORT"})
TEMPORARY = frozenset({"TEMP", "TEMPORARY"})
OBJECTS = (
    "MATERIALIZED VIEW", "FOREIGN TABLE", "EVENT TRIGGER", "TEXT SEARCH", "FOREIGN DATA WRAPPER", "VIEW", "FUNCTION",
    "PROCEDURE", "AGGREGATE", "TRIGGER", "SEQUENCE", "EXTENSION", "SCHEMA", "DOMAIN", "POLICY", "RULE", "ROLE", "USER",
    "SERVER", "PUBLICATION", "SUBSCRIPTION", "COLLATION", "CAST", "OPERATOR", "STATISTICS", "CONSTRAINT TRIGGER",
)  # fmt: skip
NAMED = frozenset(
    {
        "MATERIALIZED VIEW",
        "VIEW",
        "FUNCTION",
        "PROCEDURE",
        "TRIGGER",
        "SEQUENCE",
        "EXTENSION",
        "SCHEMA",
        "DOMAIN",
        "POLICY",
    }
)
READING = frozenset({
    "in", "values", "and", "or", "not", "where", "exists", "from", "as", "over", "any", "all", "on", "using", "select",
    "count", "max", "min", "sum", "avg", "coalesce", "lower", "upper", "now", "to_regclass", "to_regtype", "cast",
    "array_agg", "string_agg", "current_setting", "version", "format", "length", "nullif", "join", "case", "when",
    "then", "by", "pg_get_constraintdef", "quote_ident", "row_number", "generate_series", "unnest", "filter", "varchar",
})  # fmt: skip
"""What stands before a parenthesis in a query that changes nothing."""
_CALLED = re.compile(r"([\w.]+)\s*\(")


def operations(text: str) -> Iterator[Operation]:
    """Return what the statements of a text do, in order."""
    statements = [each for each in split(text) if not Cursor(each).at_end]
    for statement in statements:
        for found in _statement(statement):
            yield found._replace(sql=statement, together=len(statements) > 1)


def _statement(statement: str) -> Iterator[Operation]:
    cursor = Cursor(statement)
    first = cursor.word()
    if first in _DEFINING:
        yield from _DEFINING[first](cursor)
    elif first in {"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "TRUNCATE", "REFRESH"}:
        cursor.accept("INTO") or cursor.accept("FROM") or cursor.accept("TABLE")
        cursor.accept("ONLY")
        values = first == "INSERT" and cursor.has("VALUES") and not cursor.has("SELECT")
        yield Operation(Kind.ROWS, cursor.name(), what="values" if values else "")
    elif first in {"SELECT", "WITH", "VALUES", "TABLE"}:
        yield _query(statement, cursor)
    elif first in SETTINGS:
        yield Operation(Kind.SETTING)
    elif first in ENDS:
        yield Operation(Kind.COMMIT)
    elif first == "REINDEX":
        yield Operation(Kind.SETTING, concurrently=cursor.has("CONCURRENTLY"))
    else:
        yield Operation(Kind.OTHER if first in OTHERS else Kind.UNKNOWN)


def _query(statement: str, cursor: Cursor) -> Operation:
    """Return what a query does: one may change rows in a WITH, make a table by INTO, or call a function that does."""
    if cursor.has("INSERT") or cursor.has("DELETE") or cursor.has("MERGE") or cursor.has("SET"):
        return Operation(Kind.ROWS)
    reading = READING.issuperset(name.lower() for name in _CALLED.findall(statement))
    return Operation(Kind.READ if reading and not cursor.has("INTO") else Kind.UNKNOWN)


def _create(cursor: Cursor) -> Iterator[Operation]:
    cursor.accept("OR", "REPLACE")
    while cursor.peek() in {"GLOBAL", "LOCAL"}:
        cursor.word()
    temporary = cursor.peek() in TEMPORARY and bool(cursor.word())
    unique = cursor.accept("UNIQUE")
    cursor.accept("UNLOGGED") or cursor.accept("TRUSTED") or cursor.accept("RECURSIVE")
    if cursor.accept("TABLE"):
        cursor.accept("IF", "NOT", "EXISTS")
        yield Operation(
            Kind.SETTING if temporary else Kind.CREATE_TABLE,
            cursor.name(),
            referent=" ".join(cursor.after("REFERENCES")),
        )
    elif cursor.accept("INDEX"):
        yield _create_index(cursor, unique)
    elif cursor.accept("TYPE"):
        yield Operation(Kind.CREATE_TYPE, name=cursor.name())
    elif temporary:
        yield Operation(Kind.SETTING)
    else:
        yield _other(Kind.CREATE_OTHER, cursor)


def _create_index(cursor: Cursor, unique: bool) -> Operation:
    concurrently = cursor.accept("CONCURRENTLY")
    cursor.accept("IF", "NOT", "EXISTS")
    name = "" if cursor.peek() == "ON" else cursor.name()
    known = cursor.accept("ON")
    cursor.accept("ONLY")
    table = cursor.name() if known else ""
    what = "unique" if unique else ""
    return Operation(Kind.CREATE_INDEX, table, name, concurrently=concurrently, what=what, columns=cursor.listed())


def _other(kind: Kind, cursor: Cursor) -> Operation:
    for words in OBJECTS:
        if cursor.accept(*words.split()):
            cursor.accept("IF", "NOT", "EXISTS") or cursor.accept("IF", "EXISTS")
            name = cursor.name() if words in NAMED and cursor.peek() != "AUTHORIZATION" else ""
            return Operation(kind, name=name, what=words.lower())
    return Operation(Kind.UNKNOWN)


def _drop(cursor: Cursor) -> Iterator[Operation]:
    cascade = cursor.has("CASCADE")
    if cursor.accept("TABLE") or cursor.accept("FOREIGN", "TABLE"):
        yield from (Operation(Kind.DROP_TABLE, table) for table in cursor.names())
    elif cursor.accept("INDEX"):
        concurrently = cursor.accept("CONCURRENTLY")
        yield from (Operation(Kind.DROP_INDEX, name=name, concurrently=concurrently) for name in cursor.names())
    elif cursor.accept("TYPE") or cursor.accept("DOMAIN"):
        yield from (Operation(Kind.DROP_TYPE, name=name) for name in cursor.names())
    elif cursor.accept("OWNED"):
        yield Operation(Kind.UNKNOWN)
    else:
        yield _other(Kind.DROP_OTHER, cursor)
    if cascade:  # nobody can tell from the file what else goes
        yield Operation(Kind.UNKNOWN)


def _alter(cursor: Cursor) -> Iterator[Operation]:
    if cursor.accept("TABLE"):
        yield from alter_table.operations(cursor)
    elif cursor.accept("TYPE"):
        name = cursor.name()
        yield Operation(Kind.OTHER, name=name, what="enum value" if cursor.accept("ADD", "VALUE") else "type")
    elif cursor.accept("VIEW") or cursor.accept("MATERIALIZED", "VIEW") or cursor.accept("FOREIGN", "TABLE"):
        cursor.accept("IF", "EXISTS")
        name = cursor.name()
        plain = cursor.accept("RENAME", "TO")
        yield Operation(Kind.RENAME_TABLE, name, name, table_name(cursor.name())) if plain else Operation(Kind.OTHER)
    elif cursor.peek() in {
        "INDEX",
        "SEQUENCE",
        "FUNCTION",
        "SCHEMA",
        "DOMAIN",
        "EXTENSION",
        "POLICY",
        "DEFAULT",
        "ROLE",
        "TRIGGER",
    }:
        yield Operation(Kind.OTHER)
    else:
        yield Operation(Kind.UNKNOWN)


_DEFINING = {"CREATE": _create, "DROP": _drop, "ALTER": _alter}
