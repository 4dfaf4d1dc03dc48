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
    "dry_run": "print the plan and the SQL, and change nothing",
    "no_backup": "go on without the backup that the environment wants",
    "allow_downgrade": "undo migrations of a protected environment, and lose what they hold",
}


@command(help={name: HELP[name] for name in ("to", "dry_run", "yes", "no_backup")})
def upgrade(
    c: Context, env: str = "", to: str = "head", dry_run: bool = False, yes: bool = False, no_backup: bool = False
) -> None:
    """Apply pending migrations."""
    if dry_run:
        _show("upgrade", env, to)
    else:
        _change("upgrade", env, to, yes=yes, no_backup=no_backup)


@command(help=HELP)
def downgrade(
    c: Context,
    env: str = "",
    to: str = "-1",
    dry_run: bool = False,
    allow_downgrade: bool = False,
    yes: bool = False,
    no_backup: bool = False,
) -> None:
    """Undo the last migration, or all above --to."""
    if dry_run:
        _show("downgrade", env, to)
    else:
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
    from scripts.tasks import progress, screen, workplace

    place = workplace.enter(env)
    before = place.status_before_change()
    plan = runner.plan(ROOT, place.script, action, to, before.standing.revisions)
    screen.heading(place, before)
    if plan.steps:
        _permit(place, plan, Consent(**said))
        with progress.shown(place, plan) as done:
            runner.RUN[action](ROOT, place.target, to, done, place.script)
    screen.conclusion(place.name, before, place.status() if plan.steps else before)


def _show(action: str, env: str, to: str) -> None:
    """Gather and decide as `_change` does, and print instead of acting; another's database is only warned about."""
    from app.migrations import failures, rowcounts, runner
    from scripts.tasks import screen, workplace

    place = workplace.enter(env)
    before = place.status()
    at = before.standing.revisions
    plan = runner.plan(ROOT, place.script, action, to, at)
    screen.heading(place, before)
    with failures.explained(place.target.place):
        screen.plan(plan, rowcounts.of(place.engine, plan.losses) if plan.losses else {})
    if plan.steps:
        screen.statements(runner.sql(ROOT, place.script, action, to, at))
    screen.unchanged(place.name, plan)


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
