"""Names of objects as PostgreSQL writes them, and what each object belongs to. Never opens a connection.

`public.users` is a relation, `public.users.email` a column, `users_pkey ON public.users` a constraint, an index, a
trigger, a rule or a policy, `public.lower(text)` a function; a part is quoted where PostgreSQL would quote it.
https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

Properties = Mapping[str, str]

IDENTIFIER = r'(?:"(?:[^"]|"")*"|[^\s".,()]+)'
PATH = re.compile(rf"{IDENTIFIER}(?:\.{IDENTIFIER})*")
PART = re.compile(IDENTIFIER)
ON = re.compile(rf"{IDENTIFIER} ON (.+)", re.S)
LAST_PART = re.compile(rf"(.+)\.({IDENTIFIER})", re.S)

RELATIONS = ("table", "foreign table", "view", "materialized view", "composite type")
HOLDERS = (*RELATIONS, "domain", "server", "publication")
GLOBAL = frozenset(
    {"schema", "extension", "cast", "language", "transform", "access method", "foreign-data wrapper", "server"}
    | {"user mapping", "event trigger", "publication", "subscription", "default privileges"}
)


class Key(NamedTuple):
    """What names an object within one database: its kind ("table", "index", ...) and its full name."""

    kind: str
    name: str


def parts(path: str) -> tuple[str, ...]:
    """Split a path into its parts, as they are quoted: `public."a.b"` into `public` and `"a.b"`."""
    found = PATH.match(path)
    return tuple(PART.findall(found[0])) if found else ()


def plain(identifier: str) -> str:
    """Return an identifier without its quotes."""
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier


def holder(key: Key) -> str | None:
    """Return the name of the table, domain, ... that the object is on or in; None for one that stands for itself."""
    if key.kind == "column":
        found = LAST_PART.fullmatch(key.name)
        return found[1] if found else None
    found = ON.fullmatch(key.name)
    return found[1] if found else None


def schema(key: Key) -> Key | None:
    """Return the schema that the object is in; None for a kind that is in none."""
    if key.kind in GLOBAL:
        return None
    path = parts(holder(key) or key.name)
    return Key("schema", path[0]) if len(path) > 1 else None


def origins(key: Key, objects: Mapping[Key, Properties]) -> list[Key]:
    """Return the objects with which `key` comes and goes, as `objects` has it: a column's table, an index's, ..."""
    properties = objects.get(key, {})
    found = [schema(key)]
    if owner := holder(key):
        found += [Key(kind, owner) for kind in HOLDERS]
    if whole := properties.get("part of"):
        found += [Key(key.kind, whole), Key("table", whole)]
    if column := properties.get("owned by"):
        found.append(Key("column", column))
    if table := properties.get("of table"):
        found += [Key(kind, table) for kind in RELATIONS]
    return [origin for origin in [*found, *inherited_from(key, objects)] if origin is not None]


def inherited_from(key: Key, objects: Mapping[Key, Properties]) -> list[Key]:
    """Return the column or constraint of each parent table that `key` is inherited from."""
    table = holder(key)
    if table is None or "inherited" not in objects.get(key, {}):
        return []
    child: Properties = next((objects[Key(kind, table)] for kind in RELATIONS if Key(kind, table) in objects), {})
    parents = [found[0] for found in PATH.finditer(child.get("part of") or child.get("inherits", ""))]
    if key.kind == "column":
        return [Key(key.kind, parent + key.name[len(table) :]) for parent in parents]
    return [Key(key.kind, key.name[: -len(table)] + parent) for parent in parents]
