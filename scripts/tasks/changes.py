"""Tasks that change a database: upgrade, downgrade, stamp."""

from typing import TYPE_CHECKING

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from app.migrations.status import Status
    from scripts.tasks.workplace import Workplace

TO = {"to": "head, base, a revision or its first characters, +1, -1, REV+2"}


@command(help=TO)
def upgrade(c: Context, env: str = "", to: str = "head") -> None:
    """Apply pending migrations."""
    from app.migrations import runner
    from scripts.tasks import screen, workplace

    place = workplace.enter(env)
    before = place.status_before_change()
    screen.heading(place, before)
    runner.upgrade(ROOT, place.target, to, screen.step)
    _conclude(place, before, place.status())


@command(help=TO)
def downgrade(c: Context, env: str = "", to: str = "-1") -> None:
    """Undo the last migration, or all above --to."""
    from app.migrations import runner
    from scripts.tasks import screen, workplace

    place = workplace.enter(env)
    before = place.status_before_change()
    screen.heading(place, before)
    runner.downgrade(ROOT, place.target, to, screen.step)
    _conclude(place, before, place.status())


@command(help=TO)
def stamp(c: Context, env: str = "", to: str = "") -> None:
    """Record a revision without running it."""
    from app.migrations import runner
    from app.migrations.errors import ConfigurationError
    from scripts.tasks import screen, workplace

    if not to:
        raise ConfigurationError("--to is missing: which revision to record is not said", "inv db.stamp --to=REV")
    place = workplace.enter(env)
    before = place.status_before_change()
    screen.heading(place, before)
    runner.stamp(ROOT, place.target, to, screen.step)
    _conclude(place, before, place.status())


def _conclude(place: "Workplace", before: "Status", after: "Status") -> None:
    from scripts.tasks import screen

    screen.conclusion(place.name, before, after)
