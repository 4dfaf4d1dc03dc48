"""What a migration does, one operation at a time, be it written with `op` or in SQL. Holds facts, reads nothing."""

import ast
from enum import Enum

from app.migrations.lean import NamedTuple


class Kind(Enum):
    """What an operation is."""

    CREATE_TABLE = "create table"
    DROP_TABLE = "drop table"
    RENAME_TABLE = "rename table"
    ADD_COLUMN = "add column"
    DROP_COLUMN = "drop column"
    RENAME_COLUMN = "rename column"
    SET_NOT_NULL = "set not null"
    DROP_NOT_NULL = "drop not null"
    CHANGE_TYPE = "change type"
    CHANGE_DEFAULT = "change default"
    CREATE_INDEX = "create index"
    DROP_INDEX = "drop index"
    ADD_CONSTRAINT = "add constraint"
    DROP_CONSTRAINT = "drop constraint"
    VALIDATE_CONSTRAINT = "validate constraint"
    CREATE_TYPE = "create type"
    DROP_TYPE = "drop type"
    CREATE_OTHER = "create"
    DROP_OTHER = "drop"
    OTHER = "another change of the schema"
    ROWS = "change rows"
    READ = "read"
    SETTING = "setting"
    COMMIT = "end of the transaction"
    UNKNOWN = "not known"


NO_SCHEMA = frozenset({Kind.ROWS, Kind.READ, Kind.SETTING, Kind.COMMIT, Kind.UNKNOWN})
QUIET = frozenset({Kind.READ, Kind.SETTING, Kind.COMMIT})
"""Neither the schema nor a row is changed."""


class Type(NamedTuple):
    """A type as PostgreSQL calls it, with its modifiers; `name` is "" where it is not known."""

    name: str = ""
    modifiers: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.name + (f"({', '.join(map(str, self.modifiers))})" if self.modifiers else "")


class Column(NamedTuple):
    """A column as it is added; None stands for what is not known, `default` "" for no default.

    `computed` is "stored", or "maybe" where that depends on the server. `enum` is the type that CREATE TABLE makes
    along with the column, `written` the source of the column's own type, "" for SQL.
    """

    name: str = ""
    type: Type = Type()
    nullable: bool | None = True
    default: str | None = ""
    computed: str = ""
    identity: bool = False
    indexed: bool = False
    unique: bool = False
    referent: str = ""
    referenced: str = ""
    enum: str = ""
    written: str = ""


class Place(NamedTuple):
    """Where an operation stands: its line, the first and last line of its statement, and what surrounds it.

    `segment` numbers the stretches between the borders of autocommit blocks; `settled` is false once the code has
    ended the transaction by itself. `looped` tells that the same line stands for several operations.
    """

    line: int = 0
    first: int = 0
    last: int = 0
    segment: int = 0
    autocommit: bool = False
    conditional: bool = False
    looped: bool = False
    settled: bool = True


class Operation(NamedTuple):
    """One operation; names are "" where they are not known, a table has its schema before it unless that is public.

    `what` is the kind of a constraint ("foreign key", "check", "unique", "primary key", "exclude"), or of another
    object ("view").
    `concurrently` is None where it is not known. `derived` tells that another operation brings it along;
    `together` that its statement is sent with others in one message, which PostgreSQL runs as one transaction.
    """

    kind: Kind
    table: str = ""
    name: str = ""
    to: str = ""
    what: str = ""
    columns: tuple[str, ...] = ()
    column: Column | None = None
    type: Type = Type()
    old_type: Type = Type()
    using: bool = False
    referent: str = ""
    concurrently: bool | None = False
    validated: bool = True
    derived: bool = False
    together: bool = False
    sql: str = ""
    call: ast.Call | None = None
    place: Place = Place()

    @property
    def line(self) -> int:
        """Return the line that it is written on."""
        return self.place.line

    @property
    def changes_schema(self) -> bool:
        """Return whether the schema is another one afterwards."""
        return self.kind not in NO_SCHEMA


def table_name(name: str, schema: str = "") -> str:
    """Return how a table is called here: public is left out."""
    return f"{schema}.{name}" if name and schema and schema != "public" else name.removeprefix("public.")
