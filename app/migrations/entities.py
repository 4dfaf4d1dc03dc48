"""A catalog as entities and relationships: what a picture of a schema shows of it. Never opens a connection.

A partition counts as its parent. https://www.postgresql.org/docs/current/ddl-constraints.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from app.migrations.catalog import Catalog
from app.migrations.catalog_names import IDENTIFIER, PART, PATH, Key, Properties, holder, parts, plain

KINDS = ("table", "foreign table")
_LIST = rf"\(((?:PERIOD )?{IDENTIFIER}(?:, (?:PERIOD )?{IDENTIFIER})*(?: WITHOUT OVERLAPS)?)\)"
REFERENCE = re.compile(rf"FOREIGN KEY {_LIST} REFERENCES ({PATH.pattern})\(")
UNIQUE = re.compile(rf"(PRIMARY KEY|UNIQUE)(?: NULLS NOT DISTINCT)? {_LIST}")
_ITEM = rf"({IDENTIFIER})(?: COLLATE {PATH.pattern})?(?: (?!ASC|DESC|NULLS){PATH.pattern})?(?: DESC)?(?: NULLS \w+)?"
UNIQUE_INDEX = re.compile(rf"CREATE UNIQUE INDEX {IDENTIFIER} ON (?:ONLY )?{PATH.pattern} USING \w+ \((.*)", re.S)
ITEM = re.compile(rf"{_ITEM}(, |\))")
USUAL_SCHEMA = "public"
WORDS = {"PERIOD", "WITHOUT", "OVERLAPS"}


class Column(NamedTuple):
    """One column; `keys` are of PK, FK and UK, `unique_with` the other columns of a key that it is a part of."""

    name: str
    type: str
    keys: tuple[str, ...]
    not_null: bool
    unique_with: tuple[str, ...]
    comment: str


class Entity(NamedTuple):
    """One table; `name` without `public`, `traits` what a picture cannot show of it."""

    name: str
    columns: tuple[Column, ...]
    traits: tuple[str, ...]
    comment: str


class Relationship(NamedTuple):
    """A foreign key, from the table that has it to the one that it names, by the columns that it has.

    `optional`: a row may refer to none; `single`: at most one row refers to the same; `identifying`: it is a part of
    the primary key.
    """

    child: str
    parent: str
    columns: tuple[str, ...]
    optional: bool
    single: bool
    identifying: bool


class Type(NamedTuple):
    """A type of the schema's own that has a list of values, or a rule: `meaning` is what it allows."""

    kind: str
    name: str
    meaning: str
    comment: str


class Schema(NamedTuple):
    """All that is drawn or listed, each sorted by name; columns in the order of their table."""

    entities: tuple[Entity, ...]
    relationships: tuple[Relationship, ...]
    types: tuple[Type, ...]


class _Keys(NamedTuple):
    """The keys of one table, as lists of quoted columns."""

    primary: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]
    foreign: tuple[tuple[tuple[str, ...], str], ...]


def read(catalog: Catalog) -> Schema:
    """Return the tables, their foreign keys, and the enums and domains of a catalog."""
    roots = _roots(catalog.objects)
    keys = {table: _Keys((), (), ()) for table in roots}
    for key, properties in catalog.objects.items():
        if key.kind in {"constraint", "index"} and properties.get("valid") != "no" and (table := holder(key)) in keys:
            keys[table] = _with(keys[table], key.kind, properties["definition"])
    shown = sorted((table for table, root in roots.items() if table == root), key=display)
    related = {each for table in roots for each in _relationships(catalog, table, keys[table], roots)}
    return Schema(
        tuple(_entity(catalog, table, keys[table]) for table in shown),
        tuple(sorted(related)),
        tuple(sorted(_types(catalog.objects))),
    )


def display(path: str) -> str:
    """Return a name as people say it: without quotes, and without the schema `public`."""
    names = [plain(part) for part in parts(path)]
    return ".".join(names[1:] if len(names) > 1 and names[0] == USUAL_SCHEMA else names)


def _roots(objects: Mapping[Key, Properties]) -> dict[str, str]:
    """Return each table with the one that stands for it: itself, or that of which it is a partition in the end."""
    tables = {key.name: properties for key, properties in objects.items() if key.kind in KINDS}
    found = {}
    for table in tables:
        root = table
        while (above := tables[root].get("part of")) in tables:
            root = above
        found[table] = root
    return found


def _with(keys: _Keys, kind: str, definition: str) -> _Keys:
    if kind == "index":
        columns = _indexed(definition)
        return keys._replace(unique=(*keys.unique, columns)) if columns else keys
    if found := REFERENCE.match(definition):
        return keys._replace(foreign=(*keys.foreign, (_columns(found[1]), found[2])))
    if found := UNIQUE.match(definition):
        if found[1] == "UNIQUE":
            return keys._replace(unique=(*keys.unique, _columns(found[2])))
        return keys._replace(primary=_columns(found[2]))
    return keys


def _columns(listed: str) -> tuple[str, ...]:
    return tuple(part for part in PART.findall(listed) if part not in WORDS)


def _indexed(definition: str) -> tuple[str, ...]:
    """Return the columns of a unique index; () for one that is partial, on an expression, or not unique."""
    found = UNIQUE_INDEX.match(definition)
    if found is None:
        return ()
    columns, rest, at = list[str](), found[1], 0
    while item := ITEM.match(rest, at):
        columns.append(item[1])
        at = item.end()
        if item[2] == ")":
            return () if " WHERE " in rest[at:] else tuple(columns)
    return ()


def _entity(catalog: Catalog, table: str, keys: _Keys) -> Entity:
    properties = next(catalog.objects[Key(kind, table)] for kind in KINDS if Key(kind, table) in catalog.objects)
    traits = [kind for kind in KINDS[1:] if Key(kind, table) in catalog.objects]
    if by := properties.get("partitioned by"):
        traits.append(f"partitioned by {by}")
    if above := properties.get("inherits"):
        traits.append("inherits " + ", ".join(display(found[0]) for found in PATH.finditer(above)))
    if properties.get("persistence"):
        traits.append(properties["persistence"])
    columns = (_column(catalog.objects, table, name, keys) for name in catalog.positions.get(table, ()))
    return Entity(display(table), tuple(columns), tuple(traits), properties.get("comment", ""))


def _column(objects: Mapping[Key, Properties], table: str, name: str, keys: _Keys) -> Column:
    properties = objects[Key("column", f"{table}.{name}")]
    marks = {
        "PK": name in keys.primary,
        "FK": any(name in columns for columns, _ in keys.foreign),
        "UK": (name,) in keys.unique,
    }
    together = dict.fromkeys(each for columns in sorted(keys.unique) if name in columns for each in columns)
    return Column(
        plain(name),
        properties.get("type", ""),
        tuple(mark for mark, is_set in marks.items() if is_set),
        properties.get("not null", "").startswith("yes"),
        tuple(plain(each) for each in together if each != name and (name,) not in keys.unique),
        properties.get("comment", ""),
    )


def _relationships(catalog: Catalog, table: str, keys: _Keys, roots: Mapping[str, str]) -> Iterator[Relationship]:
    held = [set(columns) for columns in (keys.primary, *keys.unique) if columns]
    for columns, parent in keys.foreign:
        if parent not in roots:
            continue
        described = (catalog.objects.get(Key("column", f"{table}.{name}"), {}) for name in columns)
        yield Relationship(
            display(roots[table]),
            display(roots[parent]),
            tuple(map(plain, columns)),
            optional=not all(each.get("not null", "").startswith("yes") for each in described),
            single=any(each <= set(columns) for each in held),
            identifying=set(columns) <= set(keys.primary),
        )


def _types(objects: Mapping[Key, Properties]) -> Iterator[Type]:
    for key, properties in objects.items():
        comment = properties.get("comment", "")
        if key.kind == "enum":
            yield Type("enum", display(key.name), properties["labels"], comment)
        elif key.kind == "domain":
            rules = sorted(
                each["definition"] for on, each in objects.items() if on.kind == "constraint" and holder(on) == key.name
            )
            not_null = ["NOT NULL"] if "not null" in properties else []
            yield Type("domain", display(key.name), " ".join([properties["type"], *not_null, *rules]), comment)
