"""What `sa.Column(...)` and SQLAlchemy's types mean to PostgreSQL, read from the source. Imports neither."""

import ast
import re
from collections.abc import Mapping

from app.migrations.sources.operations import Column, Type
from app.migrations.sources.values import dotted, evaluate, resolve, text

TYPES = {
    "text": "text", "unicodetext": "text", "string": "varchar", "varchar": "varchar", "unicode": "varchar",
    "nvarchar": "varchar", "char": "char", "integer": "integer", "biginteger": "bigint", "bigint": "bigint",
    "smallinteger": "smallint", "smallint": "smallint", "numeric": "numeric", "decimal": "numeric",
    "float": "double precision", "double": "double precision", "double_precision": "double precision", "real": "real",
    "boolean": "boolean", "date": "date", "datetime": "timestamp", "timestamp": "timestamp", "time": "time",
    "json": "json", "jsonb": "jsonb", "uuid": "uuid", "largebinary": "bytea", "bytea": "bytea", "inet": "inet",
    "cidr": "cidr", "citext": "citext", "bit": "bit", "interval": "interval", "tsvector": "tsvector",
}  # fmt: skip
SYNONYMS = {
    "character varying": "varchar", "character": "char", "int": "integer", "int4": "integer", "int8": "bigint",
    "int2": "smallint", "decimal": "numeric", "float8": "double precision", "float4": "real", "bool": "boolean",
    "timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp", "bpchar": "char",
    "time with time zone": "timetz", "time without time zone": "time", "serial": "integer", "serial4": "integer",
    "bigserial": "bigint", "serial8": "bigint", "smallserial": "smallint", "bit varying": "varbit",
    "float": "double precision",
}  # fmt: skip
LENGTHS = ("length", "precision", "scale")
STABLE = {"now": "now()", "current_timestamp": "CURRENT_TIMESTAMP", "current_date": "CURRENT_DATE"}

_SQL_TYPE = re.compile(r"([\w. ]+?)\s*(?:\(([\d,\s]*)\))?\s*(with(?:out)? time zone)?\s*", re.I)


def is_part(node: ast.expr, scope: Mapping[str, object], name: str) -> bool:
    """Tell whether this is the part of SQLAlchemy that is called so, in whatever capitals, however it was imported."""
    found = dotted(node, scope)
    return found.startswith("sqlalchemy.") and found.rpartition(".")[2].lower() == name


def sql_type(written: str) -> Type:
    """Return a type that is written in SQL; anything but a plain name with modifiers is not known."""
    match = _SQL_TYPE.fullmatch(written.strip())
    if match is None:
        return Type()
    name = " ".join(filter(None, [" ".join(match[1].split()), match[3]])).lower().removeprefix("pg_catalog.")
    modifiers = tuple(int(part) for part in (match[2] or "").split(",") if part.strip())
    return Type(SYNONYMS.get(name, name), modifiers)


def type_of(node: ast.expr | None, scope: Mapping[str, object]) -> Type:
    """Return the type that a type of SQLAlchemy's makes, in its class or called form."""
    if node is None:
        return Type()
    node, scope = resolve(node, scope)
    call = node if isinstance(node, ast.Call) else None
    name = dotted(call.func if call else node, scope)
    if not name.startswith("sqlalchemy."):
        return Type()
    own = name.rpartition(".")[2].lower()
    named = {word.arg: evaluate(word.value, scope) for word in (call.keywords if call else ()) if word.arg}
    if own == "enum":
        return Type(f"enum {enum_name(node, scope)}") if enum_name(node, scope) else Type()
    if own in {"datetime", "timestamp", "time"}:
        return _moment(own, call, named, scope)
    values = [evaluate(argument, scope) for argument in (call.args if call else ())]
    values += [named[key] for key in LENGTHS if key in named]
    if any(value is not None and not isinstance(value, int) for value in values):
        return Type()
    modifiers = tuple(int(value) for value in values if isinstance(value, int) and not isinstance(value, bool))
    base = TYPES.get(own, "")
    return Type(base, modifiers if base in {"varchar", "char", "numeric", "bit"} else ())


def _moment(own: str, call: ast.Call | None, named: Mapping[str, object], scope: Mapping[str, object]) -> Type:
    zone = named.get("timezone", evaluate(call.args[0], scope) if call and call.args else False)
    precision = named.get("precision")
    base = TYPES[own]
    if not isinstance(zone, bool) or ("precision" in named and not isinstance(precision, int)):
        return Type()
    return Type(f"{base}tz" if zone else base, (precision,) if isinstance(precision, int) else ())


def enum_name(node: ast.expr, scope: Mapping[str, object]) -> str:
    """Return the name of the type that an Enum stands for; "" where it stands for a text, or the name is not known."""
    node, scope = resolve(node, scope)
    if not isinstance(node, ast.Call) or not is_part(node.func, scope, "enum"):
        return ""
    named = {word.arg: evaluate(word.value, scope) for word in node.keywords}
    if named.get("native_enum", True) is not True or not isinstance(named.get("name"), str):
        return ""
    schema = named.get("schema")
    return f"{schema}.{named['name']}" if isinstance(schema, str) else str(named["name"])


def _made_enum(node: ast.expr | None, scope: Mapping[str, object]) -> str:
    """Return the type that CREATE TABLE creates along with a column of this type."""
    if node is None:
        return ""
    node, scope = resolve(node, scope)
    if isinstance(node, ast.Call):
        for word in node.keywords:
            if word.arg in {None, "metadata"} or (
                word.arg == "create_type" and evaluate(word.value, scope) is not True
            ):
                return ""
    return enum_name(node, scope)


def column(node: ast.expr, scope: Mapping[str, object]) -> Column | None:
    """Return what `sa.Column(...)` says; None for anything else."""
    node, scope = resolve(node, scope)
    if not isinstance(node, ast.Call) or not is_part(node.func, scope, "column") or not node.args:
        return None
    named = {word.arg: word.value for word in node.keywords}
    spread = None in named or any(isinstance(argument, ast.Starred) for argument in node.args)
    items = [argument for argument in node.args if not isinstance(argument, ast.Constant)]
    parts = {_own_name(item, scope): item for item in items}
    type_node = named.get("type_") or next((item for item in items if _own_name(item, scope) not in PARTS), None)
    foreign = parts.get("ForeignKey")
    referent = _first_text(foreign, scope)
    primary = _flag(named.get("primary_key"), scope)
    nullable = True if "nullable" not in named else _flag(named["nullable"], scope)
    return Column(
        name=text(node.args[0] if node.args else named.get("name"), scope),
        type=type_of(type_node, scope),
        nullable=None if spread else False if primary and "nullable" not in named else nullable,
        default=None if spread else _default(named.get("server_default"), scope),
        computed=_computed(parts.get("Computed"), scope),
        identity="Identity" in parts,
        indexed=_flag(named.get("index"), scope) is True,
        unique=_flag(named.get("unique"), scope) is True,
        referent=referent.rpartition(".")[0] if referent else "",
        referenced=referent.rpartition(".")[2],
        enum=_made_enum(type_node, scope),
        written=_written(type_node),
    )


PARTS = frozenset(
    {"ForeignKey", "Computed", "Identity", "CheckConstraint", "UniqueConstraint", "Sequence", "FetchedValue"}
)


def _computed(node: ast.expr | None, scope: Mapping[str, object]) -> str:
    node, scope = resolve(node, scope) if node is not None else (node, scope)
    if not isinstance(node, ast.Call):
        return ""
    persisted = next((evaluate(word.value, scope) for word in node.keywords if word.arg == "persisted"), None)
    return "stored" if persisted is True else "maybe"


def _own_name(node: ast.expr, scope: Mapping[str, object]) -> str:
    node, scope = resolve(node, scope)
    return dotted(node.func if isinstance(node, ast.Call) else node, scope).rpartition(".")[2]


def _written(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(node).replace("'", '"')


def _first_text(node: ast.expr | None, scope: Mapping[str, object]) -> str:
    if node is None:
        return ""
    node, scope = resolve(node, scope)
    return text(node.args[0], scope) if isinstance(node, ast.Call) and node.args else ""


def _flag(node: ast.expr | None, scope: Mapping[str, object]) -> bool | None:
    value = False if node is None else evaluate(node, scope)
    return value if isinstance(value, bool) else None


def _default(node: ast.expr | None, scope: Mapping[str, object]) -> str | None:
    """Return a server_default as SQL: "" for none, None where it is not known."""
    if node is None:
        return ""
    value = evaluate(node, scope)
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return sql_of(node, scope) or None


def sql_of(node: ast.expr, scope: Mapping[str, object]) -> str:
    """Return the SQL of `sa.text(...)`, `sa.func.name()`, `sa.true()` and the like; "" where it is not known."""
    node, scope = resolve(node, scope)
    if not isinstance(node, ast.Call):
        return ""
    name = dotted(node.func, scope)
    own = name.rpartition(".")[2]
    if own in {"text", "literal_column", "DefaultClause"} and name.startswith("sqlalchemy.") and node.args:
        value = evaluate(node.args[0], scope)
        return value if isinstance(value, str) else sql_of(node.args[0], scope)
    if name.startswith(("sqlalchemy.func.", "sqlalchemy.sql.func.")):
        return STABLE.get(own.lower(), f"{own}()")
    return own if own in {"true", "false", "null"} and name.startswith("sqlalchemy.") else ""
