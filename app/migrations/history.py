"""The graph of revisions: heads, bases, order, and what is wrong with it. Never reads a file or a database.

Its words are Alembic's: a head is a revision that no other names as its parent, whatever depends on it; `depends_on`
counts for the order, for what is pending and for the rows that the version table holds. Parents and dependencies
are named in full: Alembic abbreviates ids on its command line, not in a file. Each algorithm walks the graph once.
"""

from __future__ import annotations

from itertools import takewhile

from app.migrations.headers import Revision
from app.migrations.lean import TYPE_CHECKING, cached_property

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


class History:
    """The revisions of one history in the order in which Alembic loads them.

    It can be made of a broken one: `missing`, `duplicates`, `cycles`, `clashes` and `unreachable` say what is wrong,
    and the other answers stand for what is left. Of revisions with the same id the last counts.
    """

    def __init__(self, revisions: Iterable[Revision]) -> None:
        self.files: tuple[Revision, ...] = tuple(revisions)
        self.revisions: dict[str, Revision] = {revision.id: revision for revision in self.files}
        self.children: dict[str, list[str]] = {id_: [] for id_ in self.revisions}
        for revision in self.revisions.values():
            for parent in dict.fromkeys(revision.parents):
                if parent in self.children:
                    self.children[parent].append(revision.id)

    def __contains__(self, id_: object) -> bool:
        return id_ in self.revisions

    def __getitem__(self, id_: str) -> Revision:
        return self.revisions[id_]

    def __iter__(self) -> Iterator[Revision]:
        return iter(self.revisions.values())

    def __len__(self) -> int:
        return len(self.revisions)

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """The revisions without a child, in the order of the files."""
        return tuple(id_ for id_, children in self.children.items() if not children)

    @cached_property
    def bases(self) -> tuple[str, ...]:
        """The revisions without a parent, in the order of the files."""
        return tuple(id_ for id_, revision in self.revisions.items() if not revision.parents)

    @cached_property
    def version_rows(self) -> tuple[str, ...]:
        """The rows of the version table once everything is applied: heads on which nothing depends."""
        needed = {each for dependencies in self._dependencies.values() for each in dependencies}
        return tuple(head for head in self.heads if head not in needed)

    @cached_property
    def branch_points(self) -> tuple[str, ...]:
        """The revisions with several children, in the order of the files."""
        return tuple(id_ for id_, children in self.children.items() if len(children) > 1)

    @cached_property
    def merge_points(self) -> tuple[str, ...]:
        """The revisions with several parents, in the order of the files."""
        return tuple(id_ for id_, revision in self.revisions.items() if len(revision.parents) > 1)

    @cached_property
    def missing(self) -> tuple[tuple[Revision, str], ...]:
        """Each revision that names a parent or a dependency which is not there, and that name.

        Alembic stops with a KeyError. A branch label can be depended on, but cannot be a parent.
        """
        known = {*self.revisions, *self.label_owners}
        absent = [(each, parent) for each in self.files for parent in each.parents if parent not in self.revisions]
        return (*absent, *((each, name) for each in self.files for name in each.depends_on if name not in known))

    @cached_property
    def duplicates(self) -> tuple[tuple[Revision, ...], ...]:
        """The revisions that share an id, together. Alembic warns, and one of them is never run."""
        by_id: dict[str, list[Revision]] = {}
        for revision in self.files:
            by_id.setdefault(revision.id, []).append(revision)
        return tuple(tuple(same) for same in by_id.values() if len(same) > 1)

    @cached_property
    def clashes(self) -> tuple[tuple[str, Revision], ...]:
        """Each label that is an id too, or that another revision has, and who uses it. Alembic refuses to load them."""
        taken = dict.fromkeys(self.revisions)
        found = []
        for label, revision in ((label, each) for each in self for label in each.labels):
            if label in taken:
                found.append((label, revision))
            taken[label] = None
        return tuple(found)

    @cached_property
    def label_owners(self) -> dict[str, str]:
        """The revision that each branch label is written in."""
        return {label: each.id for each in self.revisions.values() for label in each.labels}

    @cached_property
    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """Circles of parents and dependencies, each revision the child of the next, the last of the first.

        At least one of every knot of them: when it is untied, another may show.
        """
        settled = set(self._bottom_up)
        knot = {id_ for id_ in self.revisions if id_ not in settled}
        found, seen = [], set[str]()
        for start in (id_ for id_ in self.revisions if id_ in knot):
            path, here = dict[str, None](), start
            while here not in path and here not in seen:
                path[here] = None
                here = next(each for each in self.needs(here) if each in knot)
            if here in path:
                ids = list(path)
                found.append(tuple(ids[ids.index(here) :]))
            seen.update(path)
        return tuple(found)

    @cached_property
    def unreachable(self) -> tuple[str, ...]:
        """The revisions to which no way leads from a base: those of a circle, and all above it or a missing parent."""
        reached = self._reach(self.bases, self.children.__getitem__)
        return tuple(id_ for id_ in self.revisions if id_ not in reached)

    def ancestors(self, ids: Iterable[str], dependencies: bool = True) -> set[str]:
        """Return these and all below them, by parents alone without `dependencies`; unknown ids are left out."""
        return self._reach(ids, self.needs if dependencies else self._parents)

    def descendants(self, ids: Iterable[str], dependencies: bool = True) -> set[str]:
        """Return these and all above them, by parents alone without `dependencies`; unknown ids are left out."""
        return self._reach(ids, (self._needed_by if dependencies else self.children).__getitem__)

    def parted_at(self, heads: Iterable[str]) -> tuple[str, ...]:
        """Return the last revisions that all of these have below them, in file order; () where there is none.

        Two heads part at one revision, unless merges lie below; three may part in several places, pair by pair.
        """
        each = [self.ancestors([head], dependencies=False) for head in heads]
        common = set.intersection(*each) if each else set()
        return tuple(id_ for id_ in self.revisions if id_ in common and common.isdisjoint(self.children[id_]))

    def order(self) -> tuple[str, ...]:
        """Return all revisions, newest first, as `alembic history` lists them.

        Where one revision has several dependencies Alembic's own order varies from run to run; here it does not.
        Raises ValueError where there are `cycles`.
        """
        return tuple(self._sorted(set(self.revisions), self.version_rows))

    def pending(self, current: Iterable[str], to: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return what `alembic upgrade` would run from these rows of the version table, first things first.

        `to` are full ids; everything where it is None. Raises KeyError for an id that the history does not have,
        ValueError where there are `cycles`.
        """
        targets = self.version_rows if to is None else tuple(to)
        current = tuple(current)
        for id_ in (*current, *targets):
            _ = self.revisions[id_]
        todo = self.ancestors(targets) - self.ancestors(current)
        return tuple(reversed(self._sorted(todo, targets)))

    def labels(self, id_: str) -> frozenset[str]:
        """Return the branch labels that hold for a revision: its own and those of the branch that it is on."""
        return frozenset(self._labels.get(id_, ()))

    @cached_property
    def _dependencies(self) -> dict[str, tuple[str, ...]]:
        """The ids that `depends_on` means, of those that have it; labels are names of revisions here."""
        names = {**self.label_owners, **{id_: id_ for id_ in self.revisions}}
        named = ((each, [names[name] for name in each.depends_on if name in names]) for each in self if each.depends_on)
        return {each.id: tuple(dict.fromkeys(ids)) for each, ids in named}

    def _parents(self, id_: str) -> Sequence[str]:
        return [parent for parent in self.revisions[id_].parents if parent in self.revisions]

    def needs(self, id_: str) -> Sequence[str]:
        """Return the parents of a revision, and what it depends on."""
        return [*self._parents(id_), *self._dependencies.get(id_, ())]

    @cached_property
    def _needed_by(self) -> dict[str, list[str]]:
        above = {id_: list(children) for id_, children in self.children.items()}
        for id_, dependencies in self._dependencies.items():
            for each in dependencies:
                if id_ not in above[each]:
                    above[each].append(id_)
        return above

    def _reach(self, ids: Iterable[str], step: Callable[[str], Iterable[str]]) -> set[str]:
        reached: set[str] = set()
        pending = [id_ for id_ in ids if id_ in self.revisions]
        while pending:
            if (id_ := pending.pop()) not in reached:
                reached.add(id_)
                pending.extend(step(id_))
        return reached

    @cached_property
    def _bottom_up(self) -> list[str]:
        """The revisions, what they need before them; without those of a circle and all above it."""
        open_below = {id_: len(set(self.needs(id_))) for id_ in self.revisions}
        done = [id_ for id_, count in open_below.items() if not count]
        for id_ in done:
            for above in self._needed_by[id_]:
                open_below[above] -= 1
                if not open_below[above]:
                    done.append(above)
        return done

    @cached_property
    def _nearest(self) -> dict[str, tuple[str, ...]]:
        """What each revision needs, less the dependencies that an ancestor of it has as well: Alembic's edges."""
        bits: dict[str, int] = {}
        own = {
            id_: sum(bits.setdefault(each, 1 << len(bits)) for each in dependencies)
            for id_, dependencies in self._dependencies.items()
        }
        inherited: dict[str, int] = {}
        nearest = {}
        for id_ in self._bottom_up:
            parents = self._parents(id_)
            inherited[id_] = 0
            for parent in parents:
                inherited[id_] |= inherited[parent] | own.get(parent, 0)
            kept = [each for each in self._dependencies.get(id_, ()) if not bits[each] & inherited[id_]]
            nearest[id_] = tuple(dict.fromkeys([*parents, *kept]))
        return nearest

    def _sorted(self, todo: set[str], heads: Iterable[str]) -> list[str]:
        """Return `todo` with what is needed behind what needs it, branch by branch from the heads down, as Alembic."""
        if self.cycles:
            raise ValueError("a history with a circle has no order")
        above: dict[str, list[str]] = {id_: [] for id_ in self.revisions if id_ in todo}
        front = [id_ for id_ in above if id_ in set(heads)]
        for id_ in above:
            for each in self._nearest[id_]:
                if each in todo:
                    above[each].append(id_)
        unmet = {id_: len(needing) for id_, needing in above.items()}
        waiting, output, at = set(front), list[str](), 0
        while front:
            id_ = front[at]
            if unmet[id_]:
                at = _first_above(id_, front, above)
                continue
            output.append(id_)
            below = [each for each in self._nearest[id_] if each in todo]
            for each in below:
                unmet[each] -= 1
                above[each].remove(id_)
            fresh = [each for each in below if each not in waiting]
            waiting.update(fresh)
            front[at : at + 1] = fresh[:1]
            front += fresh[1:]
            at = at if fresh else max(at - 1, 0)
        return output

    @cached_property
    def _labels(self) -> dict[str, set[str]]:
        """A label holds above the revision that has it, and below it down to the next branch or merge point."""
        labels = {each.id: set(each.labels) for each in self.revisions.values() if each.labels}
        for id_ in [*labels]:
            held = set(labels[id_])
            for each in self.descendants([id_], dependencies=False):
                labels.setdefault(each, set()).update(held)
            if all(map(self._is_inner, self._chain(id_, self.children.__getitem__))):
                for each in takewhile(self._is_inner, self._chain(id_, self._parents)):
                    labels.setdefault(each, set()).update(held)
        return labels

    def _is_inner(self, id_: str) -> bool:
        return len(self._needed_by[id_]) < 2 and len(self.revisions[id_].parents) < 2

    def _chain(self, id_: str, step: Callable[[str], Sequence[str]]) -> Iterator[str]:
        """Return a revision and those that follow one by one."""
        seen = set[str]()
        while id_ not in seen:
            seen.add(id_)
            yield id_
            id_ = next(iter(step(id_)), id_)


def _first_above(id_: str, front: Sequence[str], above: Mapping[str, Sequence[str]]) -> int:
    """Return the place in `front` of the first revision that has to come before `id_`."""
    pending, found = [*above[id_]], set[str]()
    while pending:
        if (each := pending.pop()) not in found:
            found.add(each)
            pending += above[each]
    return next(place for place, each in enumerate(front) if each in found)
