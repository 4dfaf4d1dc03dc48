"""What each of several heads has alone, the orders in which they can be applied, and who has applied what. Pure."""

from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import NamedTuple

from app.migrations.errors import ConfigurationError
from app.migrations.history import History

ALL_ORDERS = 3
"""Up to so many heads every order is tried; beyond it there are too many, and each pair is tried in both of its own."""


class Side(NamedTuple):
    """A head, and the revisions that no other head has below it, first things first."""

    head: str
    own: tuple[str, ...]


class Branches(NamedTuple):
    """Several heads: what all of them have below them, first things first, and where they part."""

    sides: tuple[Side, ...]
    common: tuple[str, ...]
    parted_at: tuple[str, ...]

    @property
    def heads(self) -> tuple[str, ...]:
        """Return the heads."""
        return tuple(side.head for side in self.sides)


class Share(NamedTuple):
    """How much of each side a database has applied, in the order of the sides: `done` of `total` revisions."""

    head: str
    done: int
    total: int


def of(history: History, heads: Sequence[str]) -> Branches:
    """Return the branches that end in these heads. Raises ValueError where the history has a circle."""
    below = [history.ancestors([head]) for head in heads]
    sides = []
    for place, head in enumerate(heads):
        others = set[str]().union(*(each for at, each in enumerate(below) if at != place))
        sides.append(Side(head, _in_order(history, below[place] - others)))
    return Branches(tuple(sides), _in_order(history, set.intersection(*below)), history.parted_at(heads))


def _in_order(history: History, ids: set[str]) -> tuple[str, ...]:
    return tuple(id_ for id_ in reversed(history.order()) if id_ in ids)


def orders(heads: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the orders that have to give the same schema; in them each pair of heads comes in both ways."""
    if len(heads) <= ALL_ORDERS:
        return list(permutations(heads))
    return [tuple(heads), tuple(reversed(heads))]


def steps(history: History, branches: Branches, order: Iterable[str]) -> tuple[str, ...]:
    """Return what is applied after `branches.common` by somebody who takes the heads in this order."""
    applied, found = {*branches.common}, list[str]()
    for head in order:
        fresh = _in_order(history, history.ancestors([head]) - applied)
        applied.update(fresh)
        found += fresh
    return tuple(found)


def shares(history: History, branches: Branches, revisions: Iterable[str]) -> tuple[Share, ...]:
    """Return how much of each side a database with these rows in its version table has; ids must be known."""
    applied = history.ancestors(revisions)
    return tuple(Share(side.head, len(applied.intersection(side.own)), len(side.own)) for side in branches.sides)


def resolve(history: History, name: str) -> str:
    """Return the revision of this id, label, or beginning of an id. Raises ConfigurationError for none or several."""
    if name in history:
        return name
    if name in history.label_owners:
        return history.label_owners[name]
    found = [id_ for id_ in history.revisions if name and id_.startswith(name)]
    if len(found) == 1:
        return found[0]
    what = f"begins several revisions: {', '.join(found)}" if found else "is no revision of this history"
    raise ConfigurationError(f"{name or 'an empty name'} {what}; nothing was written", "inv db.history")


def chosen(history: History, names: Sequence[str]) -> tuple[str, ...]:
    """Return the heads that were named, or all. Raises ConfigurationError for what is no head, or only one."""
    if not names:
        return history.heads
    found = tuple(dict.fromkeys(resolve(history, name) for name in names))
    others = [id_ for id_ in found if id_ not in history.heads]
    heads = ", ".join(history.heads)
    if others:
        raise ConfigurationError(
            f"{', '.join(others)} is no head, and only heads can be merged; the heads are {heads}; nothing was written",
            "inv db.heads",
        )
    if len(found) < 2:
        raise ConfigurationError(
            f"--revisions names one head, {found[0]}, and a merge joins several: {heads}; nothing was written",
            " ".join(["inv db.merge", *(f"--revisions={head}" for head in history.heads)]),
        )
    return found
