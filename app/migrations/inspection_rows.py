"""Turns the rows of pg_catalog into a Catalog. Never opens a connection."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from app.migrations.catalog import GRANTS, OWNER, Catalog
from app.migrations.catalog_names import Key
from app.migrations.inspection_queries import OBJECTS

Row = Sequence[Any]
Address = tuple[str, int, int]
"""A catalog, an object identifier and a column number (0 for the object), as pg_description addresses objects."""

PUBLIC, OF_PUBLIC = Key("schema", "public"), "standard public schema"
OF_CLASS = {"column": "pg_class", "index": "pg_class"}
WITH_POSITIONS = frozenset({"table", "foreign table"})
ACL_ITEM = re.compile(r'^("(?:[^"]|"")*"|[^"=]*)=([A-Za-z*]*)/(.*)', re.S)
PRIVILEGES = {
    "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "D": "TRUNCATE", "x": "REFERENCES", "t": "TRIGGER",
    "m": "MAINTAIN", "X": "EXECUTE", "U": "USAGE", "C": "CREATE", "c": "CONNECT", "T": "TEMPORARY", "s": "SET",
    "A": "ALTER SYSTEM",
}  # fmt: skip


class _Assembly:
    """The objects found so far, and where pg_catalog has them.

    `inner` are the index of a constraint and the constraint of a NOT NULL, which are no objects here: whose they are,
    and as which attribute their comment is kept.
    """

    def __init__(self) -> None:
        self.objects: dict[Key, dict[str, str]] = {}
        self.keys: dict[Address, Key] = {}
        self.wholes: list[tuple[Key, Address]] = []
        self.inner: dict[tuple[str, int], tuple[Key, str]] = {}
        self.columns: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)

    def add(self, section: str, rows: Sequence[Row]) -> None:
        class_ = OF_CLASS.get(section, section)
        for oid, part, kind, name, attributes, owner, grants, default, whole in rows:
            properties = _properties(attributes)
            key = Key(kind, name)
            self.objects[key] = properties
            if section == "column":
                self.columns[oid].append((part, name))
            elif owner is not None:
                properties[OWNER] = owner
            if section == "pg_constraint":
                self.keys[class_, oid, 0] = key
                self.inner["pg_class", part] = key, "comment of the index"
            else:
                self.keys[class_, oid, part] = key
            if grants is not None:
                properties.update(_grants(owner, grants, default or []))
            if whole is not None:
                self.wholes.append((key, (class_, whole, 0)))

    def at(self, class_: str, oid: int, part: int = 0) -> dict[str, str]:
        """Return the properties of an object, to be changed; something to throw away for one that is left out."""
        key = self.keys.get((class_, oid, part))
        return {} if key is None else self.objects[key]


def assemble(sections: Mapping[str, Sequence[Row]], version: int) -> Catalog:
    """Put together what the statement of `inspection_queries` returns, by the name of each section."""
    found = _Assembly()
    for part in OBJECTS:
        found.add(part.section, sections.get(part.section, ()))
    for key, address in found.wholes:
        if address in found.keys:
            found.objects[key]["part of"] = found.keys[address].name
    _inherit(found, sections.get("inheritance", ()))
    _number(found, sections.get("sequence", ()))
    for oid, column, target in sections["index_statistics"]:
        found.at("pg_class", oid)[f"statistics target of column {column}"] = str(target)
    _weaken(found, sections["not_null"])
    _comment(found, sections)
    return Catalog(found.objects, _positions(found), version)


def _inherit(found: _Assembly, rows: Sequence[Row]) -> None:
    for child, parent, detaching in rows:
        properties, above = found.at("pg_class", child), found.keys.get(("pg_class", parent, 0))
        if above is None:
            continue
        if "partition bound" in properties or above.kind == "index":
            properties["part of"] = above.name
        else:
            properties["inherits"] = ", ".join(filter(None, (properties.get("inherits"), above.name)))
        if detaching:
            properties["detaching"] = "yes"


def _number(found: _Assembly, rows: Sequence[Row]) -> None:
    """Add what pg_sequence knows; the sequence of a column that is left out is left out too."""
    for oid, attributes, table, column in rows:
        found.at("pg_class", oid).update(_properties(attributes))
        if table is not None:
            owner = found.keys.get(("pg_class", table, column))
            if owner is None:
                found.objects.pop(found.keys.pop(("pg_class", oid, 0), Key("", "")), None)
            else:
                found.at("pg_class", oid)["owned by"] = owner.name


def _weaken(found: _Assembly, rows: Sequence[Row]) -> None:
    """Add what PostgreSQL 18 knows of a NOT NULL: its name is left out, since no other version has one."""
    for table, column, oid, valid, no_inherit in rows:
        if key := found.keys.get(("pg_class", table, column)):
            words = ["yes", *(["not valid"] if not valid else []), *(["no inherit"] if no_inherit else [])]
            found.objects[key]["not null"] = ", ".join(words)
            found.inner["pg_constraint", oid] = key, "comment of not null"


def _comment(found: _Assembly, sections: Mapping[str, Sequence[Row]]) -> None:
    """Add the comments; that of initdb counts as none: a dump of a schema public made anew cannot take it away."""
    for class_, oid, part, comment in sections["comment"]:
        if comment == OF_PUBLIC and found.keys.get((class_, oid, part)) == PUBLIC:
            continue
        if (class_, oid) in found.inner:
            key, attribute = found.inner[class_, oid]
            found.objects[key][attribute] = comment
        else:
            found.at(class_, oid, part)["comment"] = comment
    for class_, oid, part, provider, label in sections.get("security_label", ()):
        found.at(class_, oid, part)[f"security label of {provider}"] = label


def _properties(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Leave out what does not apply; the order of options says nothing."""
    return {
        name: value if isinstance(value, str) else ", ".join(sorted(value))
        for name, value in attributes.items()
        if value is not None
    }


def _positions(found: _Assembly) -> dict[str, tuple[str, ...]]:
    positions = {}
    for oid, columns in found.columns.items():
        table = found.keys.get(("pg_class", oid, 0))
        if table is not None and table.kind in WITH_POSITIONS:
            positions[table.name] = tuple(name[len(table.name) + 1 :] for _, name in sorted(columns))
    return positions


def _grants(owner: str, items: Sequence[str], default: Sequence[str]) -> dict[str, str]:
    """Return who was granted what, for everybody for whom it is not what PostgreSQL grants by itself."""
    now, by_default = _privileges(owner, items), _privileges(owner, default)
    return {
        GRANTS + role: ", ".join(sorted(now.get(role, set()))) or "nothing"
        for role in now.keys() | by_default.keys()
        if now.get(role) != by_default.get(role)
    }


def _privileges(owner: str, items: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for item in items:
        grantee, letters, grantor = ACL_ITEM.findall(item)[0]
        grantee, grantor = _plain(grantee), _plain(grantor)
        role = "the owner" if grantee == owner else grantee or "PUBLIC"
        by = "" if grantor == owner else f" by {grantor}"
        for letter, option in re.findall(r"([A-Za-z])(\*?)", letters):
            words = PRIVILEGES.get(letter, letter) + (" WITH GRANT OPTION" if option else "") + by
            found.setdefault(role, set()).add(words)
    return found


def _plain(role: str) -> str:
    return role[1:-1].replace('""', '"') if role.startswith('"') else role
