"""Which revisions a branch moves when it is put onto another head, and which parents they get. Pure: reads nothing.

Only the lowest revisions of the branch get another parent. What is published never moves.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from app.migrations.errors import Refused
from app.migrations.headers import Revision
from app.migrations.history import History

UNCHANGED = "nothing was changed"


class Edit(NamedTuple):
    """A file whose header gets other parents."""

    id: str
    path: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class Reparenting(NamedTuple):
    """The revisions that move, oldest first, and their head; `roots` are the lowest of them.

    `edits` are the headers that change: none where the branch stands on `onto` already.
    """

    onto: str
    moved: tuple[str, ...]
    roots: tuple[str, ...]
    head: str
    edits: tuple[Edit, ...]

    def ways_down(self, history: History, applied: Collection[str]) -> list[str]:
        """Return what Alembic is to be told, one after the other, to undo the branch and nothing else.

        The parting point alone would mean the other branch too, where a database has applied both. The highest root
        comes first: a lower one may be needed by it.
        """
        roots = [root for root in reversed(self.roots) if root in applied]
        return [f"{root}@{next(iter(history[root].parents), 'base')}" for root in roots]


def choose(history: History, published: Collection[str], merging: Collection[str] = ()) -> str:
    """Return which of several heads to put the branch onto: the published one.

    Where none is published it is the one that git is merging in. Raises Refused where that is not one.
    """
    for known in (published, merging):
        found = [head for head in history.heads if head in known]
        if len(found) == 1:
            return found[0]
        if found:
            break
    heads, what = history.heads, "several heads are" if found else "none of the heads is"
    raise Refused(
        f"{what} published, so that git does not say which one the others go onto: {', '.join(found or heads)};"
        f" {UNCHANGED}",
        "inv db.merge" if found else f"inv db.rebase --onto={heads[0]}, or --onto={heads[-1]}; or inv db.merge",
    )


def plan(history: History, published: Collection[str], onto: str) -> Reparenting:
    """Decide what moves onto `onto`: all that is not published and not below it.

    Raises Refused for a branch that cannot be moved, with the reason.
    """
    below = history.ancestors([onto])
    ours = {id_ for id_ in history.revisions if id_ not in published}
    moved = ours - below
    needed = ours & below - history.ancestors([onto], dependencies=False)
    if needed:
        raise _refused(f"{onto} depends on {_listed(needed)}, which is not published and would have to move onto it")
    above = history.descendants(moved) - moved
    if above:
        raise _refused(f"{_listed(above)} stands on {_listed(moved)}, and is published: it cannot move")
    order = tuple(id_ for id_ in reversed(history.order()) if id_ in moved)
    roots = tuple(id_ for id_ in order if not _inside(history[id_], moved))
    heads = [id_ for id_ in history.revisions if id_ in moved and moved.isdisjoint(history.children[id_])]
    if len(heads) > 1:
        raise Refused(
            f"this branch has {len(heads)} heads of its own, {', '.join(heads)}, and one is to be left; {UNCHANGED}",
            f"inv db.rebase --onto={heads[0]} && inv db.rebase",
        )
    direct = history.ancestors([onto], dependencies=False)
    edits = [_edit(history[id_], moved, direct, onto) for id_ in order]
    changed = tuple(edit for edit in edits if edit.before != edit.after)
    return Reparenting(onto, order, roots, heads[0] if heads else onto, changed)


def _inside(revision: Revision, moved: set[str]) -> list[str]:
    return [parent for parent in revision.parents if parent in moved]


def _edit(revision: Revision, moved: set[str], below: set[str], onto: str) -> Edit:
    """Return the new parents: `onto` in the place of what is below it; nothing there, where a parent moves as well."""
    inside = _inside(revision, moved)
    outside = [parent for parent in revision.parents if parent not in moved]
    elsewhere = [parent for parent in outside if parent not in below]
    if elsewhere:
        raise _refused(
            f"{revision.id} stands on {_listed(elsewhere)}, which is not below {onto}, and may need it there"
        )
    if not revision.parents and revision.labels:
        raise _refused(f"{revision.id} begins the branch {', '.join(revision.labels)}, which stands alone on purpose")
    return Edit(revision.id, revision.path, revision.parents, tuple(inside) or (onto,))


def after(history: History, moving: Reparenting) -> History:
    """Return the history as it will be."""
    parents = {edit.id: edit.after for edit in moving.edits}
    return History(each._replace(parents=parents.get(each.id, each.parents)) for each in history.files)


def _listed(ids: Collection[str] | Sequence[str]) -> str:
    return ", ".join(sorted(ids))


def _refused(reason: str) -> Refused:
    return Refused(f"{reason}; {UNCHANGED}", "inv db.merge")
