"""Which revision a schema is at, told by the schema alone: walks the history once in a scratch database.

What is remembered of each revision are hashes of its objects, so the second time needs no scratch database.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from hashlib import sha256
from json import dumps
from typing import NamedTuple

from sqlalchemy import make_url

from app.migrations import drift, expected, expected_cache, workshop
from app.migrations.build_inputs import Inputs
from app.migrations.catalog import Catalog, Difference, Key, Properties
from app.migrations.drift import DEFAULT_PRIVILEGES, GRANTS, OWNER, Found
from app.migrations.workshop import Wanted, Workshop

State = tuple[str, ...]
"""Rows of the version table; () is base."""


class Change(NamedTuple):
    """The state that comes next on the walk, and the hashes of objects that it adds to the one before or takes away."""

    state: State
    added: tuple[str, ...]
    removed: tuple[str, ...]


class Detection(NamedTuple):
    """`equal` are the states whose schema the target has: several where revisions in between change no schema.

    Where there is none, `nearest` is the state with the fewest differences, which follow.
    """

    equal: tuple[State, ...]
    nearest: State
    differences: tuple[Difference, ...]


def detect(found: Found, wanted: Wanted) -> Detection:
    """Compare a target with every revision of the history, and with all heads together where there are several.

    Raises ConfigurationError where no scratch database can be made or the history does not run in it.
    """
    distances = dict(_distances(_changes(wanted), _trace(found.catalog, found.extensions)))
    order = sorted(distances, key=lambda state: (distances[state], -len(state), state))
    equal = list[State]()
    differences: tuple[Difference, ...] = ()
    for state in order:
        differences = drift.compare(expected.find(wanted, state).build, found).differences
        if differences:
            break
        equal.append(state)
    if equal:
        return Detection(tuple(_oldest_first(equal, wanted.inputs)), equal[0], ())
    return Detection((), order[0], differences)


def _oldest_first(states: Iterable[State], inputs: Inputs) -> list[State]:
    return sorted(states, key=lambda state: len(inputs.history.ancestors(state)))


def _distances(changes: Iterable[Change], mine: frozenset[str]) -> Iterator[tuple[State, int]]:
    """Return in how many objects each state differs."""
    theirs = set[str]()
    for change in changes:
        theirs.difference_update(change.removed)
        theirs.update(change.added)
        yield change.state, len(theirs ^ mine)


def _changes(wanted: Wanted) -> list[Change]:
    key = wanted.inputs.key(wanted.inputs.history.heads, "traces", *expected.signature(wanted.around))
    name = f"{key[:40]}-{wanted.server_major}-traces.json"
    if remembered := _remembered(expected_cache.load(wanted.inputs.root, name)):
        return remembered
    with workshop.workshop(wanted) as built:
        if wanted.say:
            count = len(wanted.inputs.history)
            wanted.say(f"walking the {count} revisions of the history on {built.described}, once for this history")
        changes = list(_changing(_walked(built, wanted.inputs)))
    expected_cache.save(wanted.inputs.root, name, changes)
    return changes


def _changing(walked: Iterable[tuple[State, frozenset[str]]]) -> Iterator[Change]:
    """Most revisions change little: what they change takes less room than what there is."""
    before = frozenset[str]()
    for state, trace in walked:
        yield Change(state, tuple(sorted(trace - before)), tuple(sorted(before - trace)))
        before = trace


def _walked(built: Workshop, inputs: Inputs) -> Iterator[tuple[State, frozenset[str]]]:
    """Take each revision's trace with nothing above it applied: where the history branches, the database is copied."""
    children = _tree(inputs)
    with ExitStack() as stack:
        start = stack.enter_context(workshop.empty(built))
        yield (), _look(start)
        pending = [("", start)]
        while pending:
            at, url = pending.pop()
            following = children.get(at, [])
            for number, child in enumerate(following):
                last = number == len(following) - 1
                copy = url if last else stack.enter_context(workshop.empty(built, make_url(url).database))
                pending.append((child, copy))
            for child, place in pending[len(pending) - len(following) :]:
                workshop.upgrade(built, place, child)
                yield (child,), _look(place)
        heads = inputs.history.version_rows
        if len(heads) > 1:
            url = stack.enter_context(workshop.empty(built))
            for head in heads:
                workshop.upgrade(built, url, head)
            yield tuple(sorted(heads)), _look(url)


def _tree(inputs: Inputs) -> Mapping[str, list[str]]:
    """Return from which revision each is reached on the walk: the first parent, or "" for one without."""
    tree: dict[str, list[str]] = {}
    for id_ in inputs.history.pending(()):
        tree.setdefault(next(iter(inputs.history[id_].parents), ""), []).append(id_)
    return tree


def _look(url: str) -> frozenset[str]:
    return _trace(*workshop.read_with_extensions(url))


def _trace(catalog: Catalog, extensions: Mapping[str, str]) -> frozenset[str]:
    """Return a hash for each object, without what is only a note: rights, and versions that the server decides."""
    return frozenset(
        sha256(dumps([*key, sorted(_meant(key, properties, extensions).items())]).encode()).hexdigest()[:16]
        for key, properties in catalog.objects.items()
        if key.kind != DEFAULT_PRIVILEGES
    )


def _meant(key: Key, properties: Properties, extensions: Mapping[str, str]) -> dict[str, str]:
    by_itself = key.kind == "extension" and properties.get("version") == extensions.get(key.name)
    return {
        name: value
        for name, value in properties.items()
        if name != OWNER and not name.startswith(GRANTS) and not (by_itself and name == "version")
    }


def _remembered(document: object) -> list[Change] | None:
    changes = []
    for line in document if isinstance(document, list) else ():
        match line:
            case [list(state), list(added), list(removed)]:
                changes.append(Change(*(tuple(map(str, values)) for values in (state, added, removed))))
            case _:
                return None
    return changes
