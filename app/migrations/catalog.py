"""A schema as a value, and how two of them differ. Never opens a connection.

A comment, an owner and the grants of an object are attributes of it; grants are there only where they differ from what
PostgreSQL grants by itself. https://www.postgresql.org/docs/current/ddl-priv.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from json import dumps
from typing import NamedTuple

from app.migrations.catalog_names import Key, Properties, holder, inherited_from, origins, parts

__all__ = [
    "Catalog", "Difference", "Key", "Moved", "Properties", "difference", "fingerprint", "from_document",
    "moved_columns", "to_document", "without",
]  # fmt: skip

FORMAT = 1
"""Of documents and fingerprints: raise it when the same schema is to give another value than before."""

KINDS = (
    "schema", "extension", "language", "collation", "enum", "domain", "composite type", "range type", "base type",
    "sequence", "table", "foreign table", "column", "constraint", "index", "view", "materialized view", "function",
    "procedure", "aggregate", "trigger", "policy", "rule", "statistics",
)  # fmt: skip
"""The order in which differences are told; other kinds follow."""
TELLING = frozenset({"identity", "attributes", "definition"})
"""Attributes that tell of an identity's sequence, and of the columns of a composite type or of a view."""
OWNER, GRANTS, DEFAULT_PRIVILEGES = "owner", "grants to ", "default privileges"
MAINTAIN, MAINTAIN_SINCE = "MAINTAIN", 17


@dataclass(frozen=True)
class Catalog:
    """What pg_catalog says a schema is. `positions` are the columns of each table in order, kept apart."""

    objects: Mapping[Key, Properties]
    positions: Mapping[str, tuple[str, ...]]
    server_version: int


class Difference(NamedTuple):
    """One object, or one attribute of it, that is not the same. The side that lacks it is None."""

    kind: str
    object: str
    attribute: str | None
    before: str | None
    after: str | None

    def words(self, before: str = "before", after: str = "after") -> str:
        """Say it in a sentence about `after`; the labels are what the two sides are called."""
        subject = f"{self.kind} {self.object}"
        if self.attribute is None:
            return f"{subject} is missing in {after}" if self.after is None else f"{subject} is only in {after}"
        old, new = _telling(self.before, self.after)
        return f"{subject}: {self.attribute} is {new} in {after}, {old} in {before}"

    def to_document(self) -> dict[str, str | None]:
        """Return it as JSON has it."""
        return self._asdict()


class Moved(NamedTuple):
    """A table whose columns are the same on both sides, in another order."""

    table: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def difference(
    before: Catalog, after: Catalog, *, grants: bool = True, owners: bool = True, consequences: bool = False
) -> list[Difference]:
    """Return how `after` differs from `before`, by kind and name; for the order of columns see `moved_columns`.

    What comes and goes with something else is told only with `consequences`: the columns, the indexes and the
    sequences of a missing table, what partitions and child tables inherit, everything in a missing schema.
    """
    old, new = before.objects, after.objects
    gone, come = old.keys() - new.keys(), new.keys() - old.keys()
    if not grants:
        gone, come = ({key for key in keys if key.kind != DEFAULT_PRIVILEGES} for keys in (gone, come))
    maintain = min(before.server_version, after.server_version) >= MAINTAIN_SINCE
    changed = {}
    for key, properties in old.items():
        if key in new and properties != new[key]:
            pairs = _attributes(properties, new[key], grants, owners, maintain)
            if pairs:
                changed[key] = pairs
    if not consequences:
        causes = {key for key, pairs in changed.items() if pairs.keys() & TELLING}
        gone = {key for key in gone if not _follows(key, old, gone | causes)}
        come = {key for key in come if not _follows(key, new, come | causes)}
        changed = {key: _own(key, pairs, old, changed) for key, pairs in changed.items()}
    found = [Difference(*key, None, described(old[key]), None) for key in gone]
    found += [Difference(*key, None, None, described(new[key])) for key in come]
    found += [Difference(*key, name, *pair) for key, pairs in changed.items() for name, pair in pairs.items()]
    return sorted(found, key=_rank)


def moved_columns(before: Catalog, after: Catalog) -> list[Moved]:
    """Return the tables whose columns are in another order; a column that only one side has is passed over."""
    moved = []
    for table in sorted(before.positions.keys() & after.positions.keys()):
        old, new = before.positions[table], after.positions[table]
        if old != new:
            kept = Moved(table, tuple(c for c in old if c in new), tuple(c for c in new if c in old))
            moved += [kept] if kept.before != kept.after else []
    return moved


def fingerprint(catalog: Catalog) -> str:
    """Return a hash that two schemas share when nothing but positions, owners, grants and the server differ."""
    lines = [
        dumps([*key, sorted((name, value) for name, value in properties.items() if not _is_right(name))])
        for key, properties in sorted(catalog.objects.items(), key=lambda item: item[0])
        if key.kind != DEFAULT_PRIVILEGES
    ]
    return f"{FORMAT}:{sha256(chr(10).join(lines).encode()).hexdigest()}"


def without(catalog: Catalog, names: Iterable[str]) -> Catalog:
    """Leave out the objects of these names, and what belongs to them.

    A name without a schema (`alembic_version`) means that name in every schema. Parts are quoted as PostgreSQL would.
    """
    left_out = set(names)

    def is_meant(name: str) -> bool:
        return name in left_out or (bool(path := parts(name)) and len(path) == 2 and path[1] in left_out)

    objects = catalog.objects
    gone = {key for key in objects if is_meant(key.name) or ((owner := holder(key)) is not None and is_meant(owner))}
    gone |= {key for key in objects.keys() - gone if any(origin in gone for origin in origins(key, objects))}
    return Catalog(
        {key: properties for key, properties in objects.items() if key not in gone},
        {table: columns for table, columns in catalog.positions.items() if not is_meant(table)},
        catalog.server_version,
    )


def to_document(catalog: Catalog) -> dict[str, object]:
    """Return the catalog as JSON can hold it; `from_document` gives the same one back."""
    return {
        "format": FORMAT,
        "server_version": catalog.server_version,
        "objects": [[*key, dict(properties)] for key, properties in sorted(catalog.objects.items())],
        "positions": {table: list(columns) for table, columns in sorted(catalog.positions.items())},
    }


def from_document(document: object) -> Catalog:
    """Return the catalog that `to_document` wrote. Raises ValueError where that is not what it is."""
    match document:
        case {"format": int(known), "server_version": int(version), "objects": list(objects), "positions": dict(order)}:
            if known == FORMAT:
                return Catalog(
                    dict(map(_object, objects)),
                    {str(table): tuple(map(str, columns)) for table, columns in order.items()},
                    version,
                )
    if isinstance(document, dict) and document.get("format", FORMAT) != FORMAT:
        raise ValueError(f"this catalog has the format {document['format']}, and {FORMAT} is known here")
    raise ValueError("this is not the document of a catalog")


def _object(written: object) -> tuple[Key, Properties]:
    match written:
        case [str(kind), str(name), dict(properties)]:
            return Key(kind, name), {str(attribute): str(value) for attribute, value in properties.items()}
    raise ValueError(f"this is no object of a catalog: {written!r}")


def described(properties: Properties) -> str:
    """Say what an object is, in short: its definition where it has one."""
    shown = {name: value for name, value in properties.items() if not _is_right(name) and name != "comment"}
    if "definition" in shown:
        state = [f"{name} {shown[name]}" for name in ("valid", "enforced", "state") if name in shown]
        return ", ".join([shown["definition"], *state])
    return ", ".join(f"{name} {value}" for name, value in shown.items()) or "present"


def _is_right(attribute: str) -> bool:
    return attribute == OWNER or attribute.startswith(GRANTS)


_Pairs = dict[str, tuple[str | None, str | None]]


def _attributes(old: Properties, new: Properties, grants: bool, owners: bool, maintain: bool) -> _Pairs:
    """Return the attributes that differ. Without `maintain` one side has not heard of that privilege."""
    pairs: _Pairs = {}
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if name.startswith(GRANTS):
            if not grants:
                continue
            before, after = (value if maintain else _without_maintain(value) for value in (before, after))
        if before != after and (owners or name != OWNER):
            pairs[name] = before, after
    return pairs


def _without_maintain(privileges: str | None) -> str | None:
    return ", ".join(p for p in (privileges or "").split(", ") if not p.startswith(MAINTAIN)) or None


def _follows(key: Key, objects: Mapping[Key, Properties], cause: set[Key]) -> bool:
    return any(origin in cause for origin in origins(key, objects))


def _own(key: Key, pairs: _Pairs, objects: Mapping[Key, Properties], changed: Mapping[Key, _Pairs]) -> _Pairs:
    """Leave out what changed alike in what the object is inherited from or a part of, or because that changed."""
    whole = [Key(key.kind, objects[key]["part of"])] if "part of" in objects[key] else []
    above = [changed[parent] for parent in [*inherited_from(key, objects), *whole] if parent in changed]
    moved = {"partition bound"} if "part of" in pairs else set()
    if {"part of", "inherits"} & changed.get(Key("table", holder(key) or ""), {}).keys():
        moved.add("inherited")
    return {
        name: pair
        for name, pair in pairs.items()
        if name not in moved and not any(other.get(name) == pair for other in above)
    }


def _rank(found: Difference) -> tuple[int, str, str, str]:
    known = KINDS.index(found.kind) if found.kind in KINDS else len(KINDS)
    return known, found.kind, found.object, found.attribute or ""


def _telling(before: str | None, after: str | None) -> tuple[str, str]:
    """Shorten two texts to the first line in which they differ."""
    if before is None or after is None:
        return _line(before), _line(after)
    lines = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    old, new = next(((a, b) for a, b in lines if a != b), (before, after))
    return _line(old), _line(new)


def _line(text: str | None) -> str:
    if text is None:
        return "not set"
    first, *more = text.strip().splitlines() or [""]
    return f'"{first}"' + (" ..." if more else "")
