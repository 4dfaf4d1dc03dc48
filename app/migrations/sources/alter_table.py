"""What the parts of an ALTER TABLE do, as operations. Never runs one.

https://www.postgresql.org/docs/current/sql-altertable.html
"""

import re
from collections.abc import Iterator

from app.migrations.sources.columns import sql_type
from app.migrations.sources.operations import Column, Kind, Operation, table_name
from app.migrations.sources.tokens import Cursor

CONSTRAINTS = {
    ("CHECK",): "check", ("UNIQUE",): "unique", ("PRIMARY", "KEY"): "primary key", ("FOREIGN", "KEY"): "foreign key",
    ("EXCLUDE",): "exclude", ("NOT", "NULL"): "not null",
}  # fmt: skip
STOPS = (
    "DEFAULT",
    "NOT",
    "NULL",
    "GENERATED",
    "REFERENCES",
    "UNIQUE",
    "PRIMARY",
    "CHECK",
    "COLLATE",
    "CONSTRAINT",
    "USING",
    "STORAGE",
    "COMPRESSION",
)
_SERIAL = re.compile(r"(?:big|small)?serial[248]?", re.I)


def operations(cursor: Cursor) -> Iterator[Operation]:
    """Return what follows on ALTER TABLE."""
    if cursor.accept("ALL"):
        yield Operation(Kind.OTHER)
        return
    cursor.accept("IF", "EXISTS")
    cursor.accept("ONLY")
    table = cursor.name()
    cursor.accept("*")
    for part in cursor.parts():
        yield from _part(part, table)


def _part(part: Cursor, table: str) -> Iterator[Operation]:
    first = part.word()
    if first == "ADD":
        yield from _add(part, table)
    elif first == "DROP":
        if part.accept("CONSTRAINT"):
            part.accept("IF", "EXISTS")
            yield Operation(Kind.DROP_CONSTRAINT, table, part.name())
        else:
            part.accept("COLUMN")
            part.accept("IF", "EXISTS")
            yield Operation(Kind.DROP_COLUMN, table, part.name())
    elif first == "ALTER":
        part.accept("COLUMN")
        yield _alter_column(part, table)
    elif first == "RENAME":
        yield _rename(part, table)
    elif part.rest and first == "VALIDATE" and part.accept("CONSTRAINT"):
        yield Operation(Kind.VALIDATE_CONSTRAINT, table, part.name())
    elif first == "DETACH":
        yield Operation(Kind.OTHER, table, concurrently=part.has("CONCURRENTLY"))
    else:
        yield Operation(Kind.OTHER, table)


def _add(part: Cursor, table: str) -> Iterator[Operation]:
    name = part.name() if part.accept("CONSTRAINT") else ""
    for words, what in CONSTRAINTS.items():
        if part.accept(*words):
            columns = (
                part.listed() if what in {"unique", "primary key", "foreign key"} and not part.has("USING") else ()
            )
            yield Operation(
                Kind.ADD_CONSTRAINT, table, name, what=what, columns=columns,
                using=part.has("USING") and part.has("INDEX"),
                referent=" ".join(part.after("REFERENCES")), validated=not part.has("VALID"),
            )  # fmt: skip
            return
    if name:
        yield Operation(Kind.UNKNOWN)
        return
    part.accept("COLUMN")
    part.accept("IF", "NOT", "EXISTS")
    yield from _add_column(part, table, part.name())


def _add_column(part: Cursor, table: str, name: str) -> Iterator[Operation]:
    written = part.until(*STOPS)
    rest = Cursor("")
    rest.rest = part.rest[part.at :]
    referent = " ".join(rest.after("REFERENCES"))
    generated = rest.has("GENERATED")
    default = ""
    if rest.has("DEFAULT") and not generated:
        rest.until("DEFAULT")
        rest.word()
        default = rest.until(*STOPS[1:])
    found = Column(
        name, sql_type(written), nullable=not _not_null(part), default=default or "", referent=referent,
        computed=_computed(rest) if generated else "", unique=rest.has("UNIQUE"),
        identity=_SERIAL.fullmatch(written) is not None or (generated and rest.has("IDENTITY")),
    )  # fmt: skip
    yield Operation(Kind.ADD_COLUMN, table, name, column=found, referent=referent, columns=(name,))
    if found.unique or part.has("PRIMARY"):
        yield Operation(Kind.ADD_CONSTRAINT, table, what="unique", columns=(name,), column=found, derived=True)


def _computed(rest: Cursor) -> str:
    return "" if rest.has("IDENTITY") else "stored" if rest.has("STORED") else "maybe"


def _not_null(part: Cursor) -> bool:
    words = [token.word for token in part.rest]
    return any(words[at : at + 2] == ["NOT", "NULL"] for at in range(len(words)))


def _alter_column(part: Cursor, table: str) -> Operation:
    base = Operation(Kind.OTHER, table, part.name())
    if part.accept("SET", "NOT", "NULL"):
        return base._replace(kind=Kind.SET_NOT_NULL)
    if part.accept("DROP", "NOT", "NULL"):
        return base._replace(kind=Kind.DROP_NOT_NULL)
    if part.accept("SET", "DEFAULT") or part.accept("DROP", "DEFAULT"):
        return base._replace(kind=Kind.CHANGE_DEFAULT)
    if part.accept("TYPE") or part.accept("SET", "DATA", "TYPE"):
        written = part.until(*STOPS)
        return base._replace(kind=Kind.CHANGE_TYPE, type=sql_type(written), using=part.has("USING"))
    return base


def _rename(part: Cursor, table: str) -> Operation:
    if part.accept("CONSTRAINT"):
        return Operation(Kind.OTHER, table, part.name())
    if part.accept("TO"):
        schema = table.rpartition(".")[0]
        return Operation(Kind.RENAME_TABLE, table, table, table_name(part.name(), schema))
    part.accept("COLUMN")
    old = part.name()
    return Operation(Kind.RENAME_COLUMN, table, old, part.name() if part.accept("TO") else "")
