"""A schema as one mapping per table, so that what two of them share need not be compared. Never opens a connection."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from app.migrations.catalog import Catalog, Difference, Moved, difference, moved_columns
from app.migrations.catalog_names import Key, Properties, holder

STANDING = frozenset({"table", "foreign table", "view", "materialized view", "sequence"})
"""Kinds whose objects stand for a relation of their own name."""
SELF_CONTAINED = frozenset({"function", "procedure", "aggregate", "schema", "default privileges", "language"})
"""Kinds that others name, but do not quote: a change that keeps the name changes nothing else."""

Objects = Mapping[Key, Properties]


class Snapshot(NamedTuple):
    """A catalog by relation: `tables` by qualified name, `rest` what belongs to none, `roles` those of the cluster.

    Snapshots of one database share the mappings of the tables that nothing has touched between them.
    """

    tables: Mapping[str, Objects]
    rest: Objects
    positions: Mapping[str, tuple[str, ...]]
    server_version: int
    roles: Objects = MappingProxyType({})

    def catalog(self, names: Iterable[str] | None = None) -> Catalog:
        """Return the catalog, or that of these tables with what belongs to none."""
        wanted = self.tables if names is None else [name for name in names if name in self.tables]
        objects = {**self.rest, **self.roles}
        for name in wanted:
            objects.update(self.tables[name])
        positions = {name: self.positions[name] for name in wanted if name in self.positions}
        return Catalog(objects, positions, self.server_version)


def of(catalog: Catalog, roles: Objects | None = None) -> Snapshot:
    """Return a catalog by relation."""
    tables: dict[str, dict[Key, Properties]] = {}
    rest: dict[Key, Properties] = {}
    relations = {key.name for key in catalog.objects if key.kind in STANDING}
    for key, properties in catalog.objects.items():
        name = relation_of(key, properties, relations)
        (rest if name is None else tables.setdefault(name, {}))[key] = properties
    return Snapshot(tables, rest, catalog.positions, catalog.server_version, roles or {})


def relation_of(key: Key, properties: Properties, relations: Collection[str]) -> str | None:
    """Return the relation that an object is or belongs to; None for what is read as a whole each time."""
    if key.kind in STANDING:
        return key.name
    if key.kind == "statistics":
        return properties.get("of table")
    owner = holder(key)
    return owner if owner in relations else None


def patched(before: Snapshot, part: Catalog, gone: Iterable[str]) -> Snapshot:
    """Return `before` with the relations that `part` holds in the place of those named in `gone`, and its rest."""
    fresh = of(part)
    left = set(gone)
    tables = {name: objects for name, objects in before.tables.items() if name not in left} | dict(fresh.tables)
    positions = {name: order for name, order in before.positions.items() if name not in left} | dict(fresh.positions)
    return Snapshot(tables, fresh.rest, positions, before.server_version, before.roles)


def reaches_further(before: Snapshot, after: Snapshot) -> bool:
    """Tell whether the definitions of any relation may have another text now.

    So it is where a type, a schema or a function may have got another name, or a type another label: PostgreSQL writes
    names into definitions when it is asked for them.
    """
    old, new = before.rest, after.rest
    renamed = {key.kind for key in old.keys() - new.keys()} & {key.kind for key in new.keys() - old.keys()}
    if renamed or any(key.kind == "extension" for key in old.keys() ^ new.keys()):
        return True
    return any(key.kind not in SELF_CONTAINED and old[key] != new[key] for key in old.keys() & new.keys())


def may_be_renamed(before: Snapshot, part: Catalog, name: str) -> bool:
    """Tell whether a column of a table may have got another name."""
    columns, now = set(before.positions.get(name, ())), set(part.positions.get(name, ()))
    return bool(columns - now and now - columns)


def _unlike(one: Snapshot, other: Snapshot) -> list[str]:
    names = one.tables.keys() | other.tables.keys()
    return [name for name in names if one.tables.get(name) is not other.tables.get(name)]


def compare(before: Snapshot, after: Snapshot) -> list[Difference]:
    """Return how `after` differs, as `catalog.difference` does; the tables that both share are passed over."""
    names = _unlike(before, after)
    return difference(before.catalog(names), after.catalog(names))


def compare_order(before: Snapshot, after: Snapshot) -> list[Moved]:
    """Return the tables whose columns have another order."""
    names = _unlike(before, after)
    return moved_columns(before.catalog(names), after.catalog(names))


def same(one: Snapshot, other: Snapshot) -> bool:
    """Tell whether two snapshots hold the same objects, down to the order of the columns."""
    return one.catalog() == other.catalog() and one.roles == other.roles
