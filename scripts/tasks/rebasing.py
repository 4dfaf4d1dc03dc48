"""The road of `db.rebase`: the plan is shown and accepted, databases go down, files change, databases go up again."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from app.migrations import failures, merging, rebase, rowcounts, runner, way_back
from app.migrations.errors import ConfigurationError, MigrationError, NegativeAnswer, Refused
from app.migrations.history import History
from app.migrations.losses import Loss
from app.migrations.plan import Plan, refuse_what_cannot_be_undone
from app.migrations.rebase import NotPutBackError, Rewrite
from app.migrations.reparenting import Reparenting
from app.migrations.roundtrip_report import Report
from app.migrations.whereabouts import Whereabout
from scripts.tasks import workplace
from scripts.tasks.command import ROOT

UNTOUCHED = Refused, ConfigurationError
"""Errors after which a database is as it was."""


class Descent(NamedTuple):
    """A database that goes down: one plan for each of Alembic's goals, and `back`, the command that undoes it."""

    name: str
    goals: tuple[str, ...]
    plans: tuple[Plan, ...]
    counts: dict[Loss, str]
    back: str


def descents(history: History, moving: Reparenting, places: Sequence[Whereabout]) -> list[Descent]:
    """Plan how the databases go down to the parting point. Raises Refused where one cannot."""
    return [_descent(history, moving, one) for one in places]


def _descent(history: History, moving: Reparenting, one: Whereabout) -> Descent:
    place = workplace.enter(one.name)
    place.status_before_change()
    applied = one.applied or frozenset()
    goals, plans = moving.ways_down(history, applied), list[Plan]()
    for goal in goals:
        plan = runner.plan(ROOT, place.script, "downgrade", goal, rebase.rows(history, applied))
        refuse_what_cannot_be_undone(
            plan.steps,
            one.name,
            lambda revision: way_back.backup_before(
                ROOT, place.target.environment, place.script.revision_map, revision
            ),
        )
        plans.append(plan)
        applied -= {step.revision for step in plan.steps}
    losses = [loss for plan in plans for loss in plan.losses]
    with failures.explained(place.target.place):
        counts = rowcounts.of(place.engine, losses)
    reached = " && ".join(
        f"inv db.upgrade --env={one.name} --to={id_}" for id_ in rebase.rows(history, one.applied or frozenset())
        if id_ in moving.moved
    )  # fmt: skip
    return Descent(one.name, tuple(goals), tuple(plans), counts, reached)


def take_down(going: Sequence[Descent]) -> None:
    """Undo the branch in each database, by the ordinary road; the first failure ends it, before any file is written."""
    from scripts.tasks.changes import change

    down: list[Descent] = []
    with _way_back(down, "no file was changed"):
        for one, goal in ((each, goal) for each in going for goal in each.goals):
            try:
                change("downgrade", one.name, goal, yes=True)
            except BaseException as error:
                if not isinstance(error, UNTOUCHED):
                    down.append(one)
                raise
            down.append(one)


def put(rewrites: Sequence[Rewrite], admin_url: str, moving: Reparenting, going: Sequence[Descent]) -> Report:
    """Exchange the headers and prove the result. Where that fails the files are put back and NegativeAnswer is raised.

    What went down stays there: the message has the command that takes it up again.
    """
    from scripts.tasks import roundtrip_screen

    with _way_back(going, "the files are as they were"), rebase.rewritten(rewrites):
        report = rebase.check(ROOT, admin_url, moving)
        roundtrip_screen.report(report._replace(models=None))
        if not merging.holds(report):
            bad = ", ".join(one.revision for one in report.revisions if one.findings or one.error) or moving.head
            raise NegativeAnswer(
                f"on {moving.onto} the roundtrip of {bad} fails; nothing is moved",
                f"correct {bad}, then inv db.rebase; or inv db.merge",
            )
    return report


def bring_up(going: Sequence[Descent], head: str) -> None:
    """Apply the moved branch, with what it stands on now, in each database that went down."""
    from scripts.tasks.changes import change

    for place, one in enumerate(going):
        try:
            change("upgrade", one.name, head, yes=True)
        except (MigrationError, KeyboardInterrupt) as error:
            rest = " && ".join(f"inv db.upgrade --env={each.name} --to={head}" for each in going[place:])
            said = "the files are rebased and proven; what is left to do is the upgrade"
            if isinstance(error, KeyboardInterrupt):
                print(f"{said}\n  next: {rest}", file=sys.stderr)
                raise
            raise type(error)(f"{error.message}; {said}", f"{error.hint}; here: {rest}") from error


@contextmanager
def _way_back(down: Sequence[Descent], state: str) -> Iterator[None]:
    """Say, with what ends the block, what the files are and how the databases that went down come up again."""
    try:
        yield
    except MigrationError as error:
        back = " && ".join(dict.fromkeys(one.back for one in down))
        hint = f"{error.hint}; to take up again what went down: {back}" if back else error.hint
        message = error.message if isinstance(error, NotPutBackError) else f"{error.message}; {state}"
        raise type(error)(message, hint) from error
    except BaseException:
        back = " && ".join(dict.fromkeys(one.back for one in down))
        print(f"ended before it was done; {state}" + (f"\n  next: {back}" if back else ""), file=sys.stderr)
        raise
