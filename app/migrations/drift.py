"""Which differences between a target and what its history builds count, and which are only worth a note.

Owners and grants count where the history sets them. Decides on catalogs alone; never opens a connection.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from app.migrations.catalog import Catalog, Difference, Key, Properties, difference, moved_columns
from app.migrations.deparsing import is_only_written_differently

OWNER, GRANTS, DEFAULT_PRIVILEGES = "owner", "grants to ", "default privileges"


class Build(NamedTuple):
    """What a history has built: `given` is what was there before, `builder` who owns what it gives no owner.

    `extensions` are the versions that CREATE EXTENSION takes on that server.
    """

    catalog: Catalog
    given: Catalog
    builder: str
    extensions: Mapping[str, str]


class Found(NamedTuple):
    """What a target has; `user` is the role that migrates it, `extensions` the versions that its server would take."""

    catalog: Catalog
    user: str
    extensions: Mapping[str, str]


class Drift(NamedTuple):
    """The differences that count, and in words what does not."""

    differences: tuple[Difference, ...]
    notes: tuple[str, ...]


def compare(build: Build, found: Found) -> Drift:
    """Return how the target differs from what its history builds: `before` is the history, `after` the target."""
    expected = as_on_target(build, found)
    counted, unset = list[Difference](), list[Difference]()
    for one in difference(expected, found.catalog):
        if _is_right(one):
            if _counts(one, build, expected, found.catalog):
                counted.append(one)
            elif one.after is not None:
                unset.append(one)
        elif not is_only_written_differently(one, expected, found.catalog):
            counted.append(one)
    moved = [f"the columns of {one.table} are in another order" for one in moved_columns(expected, found.catalog)]
    return Drift(tuple(counted), (*_notes(unset, found.user), *moved))


def as_on_target(build: Build, found: Found) -> Catalog:
    """Return what the history would have built on the target's own server, in the name of the role that migrates it.

    An extension gets the version that the server has it in, unless the history asks for one.
    """
    objects = dict(build.catalog.objects)
    for key, properties in build.catalog.objects.items():
        if key.kind == DEFAULT_PRIVILEGES and f"{key.name} ".startswith(f"of {build.builder} "):
            named = Key(key.kind, f"of {found.user}{key.name[len(build.builder) + 3 :]}")
            del objects[key]
            objects[named] = {**properties, OWNER: found.user}
        elif key.kind == "extension" and properties.get("version") == build.extensions.get(key.name):
            version = found.extensions.get(key.name)
            objects[key] = properties if version is None else {**properties, "version": version}
    return Catalog(objects, build.catalog.positions, build.catalog.server_version)


def _is_right(one: Difference) -> bool:
    attribute = one.attribute or ""
    return one.kind == DEFAULT_PRIVILEGES or attribute == OWNER or attribute.startswith(GRANTS)


def _counts(one: Difference, build: Build, expected: Catalog, found: Catalog) -> bool:
    key = Key(one.kind, one.object)
    if one.kind == DEFAULT_PRIVILEGES:
        return key in expected.objects
    was, given = expected.objects.get(key, {}), build.given.objects.get(key, {})
    if one.attribute == OWNER:
        return was.get(OWNER) not in {build.builder, given.get(OWNER)}
    grantee = (one.attribute or "").removeprefix(GRANTS).partition(" by ")[0]
    if one.after is None and grantee == found.objects.get(key, {}).get(OWNER):
        return False  # an owner has every right, and none of them is written down
    return _grants(was) != _grants(given)


def _grants(properties: Properties) -> dict[str, str]:
    return {name: value for name, value in properties.items() if name.startswith(GRANTS)}


def _notes(unset: Iterable[Difference], user: str) -> Iterator[str]:
    """Tell together what the history does not set: on a real database nearly every object has some."""
    told = Counter((one.attribute or one.object, one.after if one.attribute == OWNER else "") for one in unset)
    for (name, owner), count in sorted(told.items()):
        objects = f"{count} object{'s' if count > 1 else ''}"
        if name == OWNER:
            if owner != user:
                yield f"{objects} belong{'s' if count == 1 else ''} to {owner}: the history gives no owner there"
        elif name.startswith(GRANTS):
            yield f"{name} on {objects}: the history grants nothing there"
        else:
            yield f"default privileges {name}: the history sets none"
