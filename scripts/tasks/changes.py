"""Tasks that change a database: upgrade, downgrade, stamp."""

from typing import TYPE_CHECKING

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from app.migrations.plan import Consent, Plan
    from scripts.tasks.workplace import Workplace

HELP = {
    "to": "head, base, a revision or its first characters, +1, -1, REV+2",
    "yes": "do not ask, on a protected environment",
    "no_backup": "go on without the backup that the environment wants",
    "allow_downgrade": "undo migrations of a protected environment, and lose what they hold",
}


@command(help={name: HELP[name] for name in ("to", "yes", "no_backup")})
def upgrade(c: Context, env: str = "", to: str = "head", yes: bool = False, no_backup: bool = False) -> None:
    """Apply pending migrations."""
    _change("upgrade", env, to, yes=yes, no_backup=no_backup)


@command(help=HELP)
def downgrade(
    c: Context,
    env: str = "",
    to: str = "-1",
    allow_downgrade: bool = False,
    yes: bool = False,
    no_backup: bool = False,
) -> None:
    """Undo the last migration, or all above --to."""
    _change("downgrade", env, to, yes=yes, no_backup=no_backup, allow_downgrade=allow_downgrade)


@command(help={name: HELP[name] for name in ("to", "yes", "no_backup")})
def stamp(c: Context, env: str = "", to: str = "", yes: bool = False, no_backup: bool = False) -> None:
    """Record a revision without running it."""
    from app.migrations.errors import ConfigurationError

    if not to:
        raise ConfigurationError("--to is missing: which revision to record is not said", "inv db.stamp --to=REV")
    _change("stamp", env, to, yes=yes, no_backup=no_backup)


def _change(action: str, env: str, to: str, **said: bool) -> None:
    """Gather, decide, ask, act, and look again to see what was really reached."""
    from app.migrations import runner
    from app.migrations.plan import Consent
    from scripts.tasks import screen, workplace

    place = workplace.enter(env)
    before = place.status_before_change()
    plan = runner.plan(ROOT, place.script, action, to, before.standing.revisions)
    screen.heading(place, before)
    if plan.steps:
        _permit(place, plan, Consent(**said))
        runner.RUN[action](ROOT, place.target, to, screen.step)
    screen.conclusion(place.name, before, place.status() if plan.steps else before)


def _permit(place: "Workplace", plan: "Plan", consent: "Consent") -> None:
    """Show what will happen and what will be lost; raise Refused unless it is allowed and agreed to."""
    from app.migrations import failures, rowcounts
    from app.migrations.plan import refuse_what_is_not_allowed
    from scripts.tasks import confirmation, screen

    environment = place.target.environment
    if plan.losses or environment.protected:
        with failures.explained(place.target.place):
            screen.plan(plan, rowcounts.of(place.engine, plan.losses))
    refuse_what_is_not_allowed(plan, environment, consent)
    if environment.protected:
        confirmation.confirm(place.name, consent.yes)
