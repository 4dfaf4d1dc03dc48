"""What people see of branches that become one: sides, the proof, the plan of a rebase. Prints; decides nothing."""

import os
from typing import TYPE_CHECKING

from scripts.tasks.command import ROOT
from scripts.tasks.lines import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.migrations.branches import Branches
    from app.migrations.commuting import Attempt, Failure, Proof
    from app.migrations.headers import Revision
    from app.migrations.history import History
    from app.migrations.merging import Written
    from app.migrations.reparenting import Reparenting
    from app.migrations.whereabouts import Whereabout
    from scripts.tasks.rebasing import Descent

SHOWN = 12
"""Differences and tables that are named; a line says how many more there are."""


def nothing_to_merge(heads: "Sequence[str]") -> None:
    """Say that there is nothing to do."""
    say(f"nothing to merge: the history has one head, {', '.join(heads) or 'none'}")


def branches(history: "History", parts: "Branches", authors: "Mapping[str, str]") -> None:
    """Say which heads there are, by whom, and where they part."""
    for side in parts.sides:
        head = history[side.head]
        author = f" by {authors[head.path]}" if head.path in authors else ""
        own = f"{len(side.own)} revision{'' if len(side.own) == 1 else 's'} of its own"
        say("  head  ", (titled(head), "bold"), f"  ({head.path}{author}; {own})")
    parted = ", ".join(titled(history[id_]) for id_ in parts.parted_at) or "no revision that they share"
    say(f"  they part at {parted}")


def titled(revision: "Revision") -> str:
    """Return a revision with its title."""
    return f'{revision.id} "{revision.message}"' if revision.message else revision.id


def sides(places: "Sequence[Whereabout]", history: "History", parts: "Branches") -> None:
    """Say which environment has applied which side."""
    width = max((len(one.name) for one in places), default=0)
    for one in places:
        say("  ", (f"{one.name:<{width}}", "bold"), f"  {_side(one, history, parts)}")


def _side(one: "Whereabout", history: "History", parts: "Branches") -> str:
    from app.migrations.branches import shares

    if one.applied is None:
        return f"not known: {one.why}"
    if one.why:
        return f"neither side: {one.why}"
    found = [share for share in shares(history, parts, one.applied) if share.done]
    whole = [share.head for share in found if share.done == share.total]
    if len(whole) < len(found):
        said = [
            share.head if share.head in whole else f"{share.done} of {share.total} of {share.head}" for share in found
        ]
        return f"has applied {', '.join(said)}"
    if len(whole) == len(parts.sides):
        return "both sides" if len(whole) == 2 else "all sides"
    return f"on the side of {', '.join(whole)}" if whole else "neither side"


def order(attempt: "Attempt") -> str:
    """Return the heads of an attempt as words."""
    return ", then ".join(attempt.order)


def proof(found: "Proof") -> None:
    """Say what the orders gave. Raises NegativeAnswer where they do not give the same schema."""
    from app.migrations.errors import NegativeAnswer

    for attempt in found.attempts:
        if attempt.failure:
            say("  ", ("fails ", "bold red"), f"  {order(attempt)}: {failed(attempt.failure)}")
        else:
            say("  ", ("goes up", "green"), f"  {order(attempt)}")
    for attempt, differences in found.differing:
        say(f"  {order(attempt)} gives another schema than {order(found.attempts[0])}:")
        for one in differences[:SHOWN]:
            say(f"    {one.words(order(found.attempts[0]), order(attempt))}")
        if len(differences) > SHOWN:
            say(f"    and {len(differences) - SHOWN} more")
    for failure in found.alone:
        say(("  note    ", "dim"), f"on rows, {failed(failure)}, whatever the order; it was tried on empty tables")
    if found.commutes:
        _commute(found)
        return
    heads = " and ".join(sorted({head for attempt in found.attempts for head in attempt.order}))
    raise NegativeAnswer(
        f"the branches {heads} do not commute: {_why(found)}; nothing was written",
        _cure(found),
    )


def _commute(found: "Proof") -> None:
    rows = "with rows in the tables" if found.on_rows else "on empty tables"
    number = len(found.attempts)
    for name in found.data[:SHOWN]:
        say(("  note    ", "dim"), f"{name} holds other values after another order: see whether that may be")
    took = f"PostgreSQL {found.server}, {found.seconds:.1f} s"
    say("  ", ("proven", "bold green"), f"  {number} orders give the same schema, {rows} ({took})")


def failed(failure: "Failure") -> str:
    """Return what failed, and where."""
    line = f":{failure.error.line}" if failure.error.line else ""
    return f"{failure.revision} fails at {failure.path}{line}: {failure.error.text}"


def _why(found: "Proof") -> str:
    bad = [attempt for attempt in found.attempts if attempt.failure]
    if len(bad) == len(found.attempts):
        return "no order goes up"
    if bad:
        good = next(attempt for attempt in found.attempts if not attempt.failure)
        stuck = f"a database that has {bad[0].order[0]} already could not be upgraded"
        return f"{order(good)} goes up, and {order(bad[0])} does not; {stuck}"
    count = sum(len(differences) for _, differences in found.differing)
    differ = f"{count} object{'' if count == 1 else 's'} differ{'s' if count == 1 else ''} by the order"
    return f"{differ}; two databases at one head would not be the same"


def _cure(found: "Proof") -> str:
    """Return what to do: a fixed order, where one goes up; else the revision that fails."""
    failure = next((attempt.failure for attempt in found.attempts if attempt.failure), None)
    if failure and all(attempt.failure for attempt in found.attempts):
        return f"correct {failure.path}, then inv db.merge"
    correct = f", or correct {failure.path}" if failure else ""
    return f"inv db.rebase, which gives them an order{correct}"


def written(made: "Written") -> None:
    """Say which file was written and that it holds. Raises NegativeAnswer where it did not and is gone again."""
    from app.migrations.errors import NegativeAnswer
    from scripts.tasks import roundtrip_screen

    path = os.path.relpath(made.path)
    roundtrip_screen.report(made.report._replace(models=None))
    if made.failed:
        raise NegativeAnswer(
            f"the revision that joins them does not hold its roundtrip, and was removed again: {path}",
            "correct the revisions above, then inv db.merge",
        )
    if made.report.models:
        count = len(made.report.models)
        say(("  note    ", "dim"), f"the models differ from the head in {count} places: inv db.verify names them")
    say(f"wrote {path}")
    say(("done", "bold green"), f": one head, {made.revision}\n  next: git add {path} && git commit")


def nothing_to_rebase(history: "History", moving: "Reparenting | None", branch: str) -> None:
    """Say that there is nothing to do, and why."""
    if moving is None:
        say(f"nothing to rebase: the history has one head, {', '.join(history.heads) or 'none'}")
    elif not moving.moved:
        say(f"nothing to rebase: every revision that is not below {moving.onto} is published on {branch}")
    else:
        say(f"nothing to rebase: {moving.roots[0]} stands on {moving.onto} already")


def moving(history: "History", plan: "Reparenting") -> None:
    """Say which revisions move, and what changes in which file."""
    say(f"onto {titled(history[plan.onto])}:")
    for id_ in plan.moved:
        say("  moves  ", (titled(history[id_]), "bold"))
    for edit in plan.edits:
        say(f"  edits  {edit.path}: {', '.join(edit.before) or 'None'} becomes {', '.join(edit.after)}")


def having(places: "Sequence[Whereabout]", plan: "Reparenting") -> None:
    """Say which environment has applied what moves."""
    width = max((len(one.name) for one in places), default=0)
    for one in places:
        found = [id_ for id_ in plan.moved if one.applied is not None and id_ in one.applied]
        told = f"has applied {', '.join(found)}" if found else "has applied none of them"
        told = f"not known: {one.why}" if one.applied is None else f"{told}: {one.why}" if one.why else told
        say("  ", (f"{one.name:<{width}}", "bold"), f"  {told}")


def unseen(places: "Sequence[Whereabout]", history: "History", plan: "Reparenting", pushed: bool) -> None:
    """Warn of databases that nobody has looked at: those that --offline accepts, and other people's."""
    if pushed:
        ways = " && ".join(f"inv db.downgrade --to={way}" for way in plan.ways_down(history, set(plan.moved)))
        warn = ("  warning ", "bold yellow")
        say(warn, f"the branch was pushed: who has applied {plan.roots[0]} elsewhere runs `{ways}` before git pull")
    for one in places:
        if one.unknown:
            warn = ("  warning ", "bold yellow")
            say(warn, f"{one.name} was not asked: had it applied {plan.roots[0]}, it would lack what is below that now")


def tried(attempt: "Attempt", plan: "Reparenting") -> None:
    """Say that the branch goes up there. Raises NegativeAnswer where it does not."""
    from app.migrations.errors import NegativeAnswer

    if attempt.failure is None:
        say(("  tried   ", "bold green"), f"{plan.head} goes up above {plan.onto}, on a scratch database")
        return
    raise NegativeAnswer(
        f"above {plan.onto}, {failed(attempt.failure)}; nothing was changed",
        f"correct {attempt.failure.path}, then inv db.rebase",
    )


def descents(going: "Sequence[Descent]", plan: "Reparenting") -> None:
    """Say which databases go down and up again, and what that loses."""
    from scripts.tasks import screen

    for one in going:
        say((one.name, "bold"), f" goes down, and then up to {plan.head}:")
        for each in one.plans:
            screen.plan(each, one.counts)


def rebased(history: "History", plan: "Reparenting") -> None:
    """Say what was reached, and what is left to do."""
    from app.migrations.reparenting import after

    heads = after(history, plan).heads
    say(("done", "bold green"), f": {plan.roots[0]} stands on {plan.onto}; head: {', '.join(heads)}")
    if len(heads) > 1:
        say("  next: inv db.rebase")
    else:
        say(f"  next: git add {' '.join(os.path.relpath(ROOT / edit.path) for edit in plan.edits)} && git commit")
