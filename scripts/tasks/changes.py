"""Tasks that change a database: upgrade, downgrade, stamp."""

from typing import TYPE_CHECKING

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.migrations.gate import Secured
    from app.migrations.plan import Consent, Plan
    from app.migrations.status import Status
    from scripts.tasks.workplace import Workplace

HELP = {
    "to": "head, base, a revision or its first characters, +1, -1, REV+2",
    "yes": "do not ask, on a protected environment",
    "dry_run": "print the plan and the SQL, and change nothing",
    "no_backup": "go on without the backup that the environment wants",
    "no_verify": "do not compare the schema with the history afterwards",
    "allow_downgrade": "undo migrations of a protected environment, and lose what they hold",
    "plan": "keep to the plan in this file, of `inv db.plan --out=FILE`; refused where anything deviates",
}


@command(help={name: HELP[name] for name in ("to", "plan", "dry_run", "yes", "no_backup", "no_verify")})
def upgrade(
    c: Context,
    env: str = "",
    to: str = "head",
    plan: str = "",
    dry_run: bool = False,
    yes: bool = False,
    no_backup: bool = False,
    no_verify: bool = False,
) -> None:
    """Apply pending migrations."""
    if dry_run:
        _show("upgrade", env, to, yes=yes, no_backup=no_backup)
    else:
        place = change("upgrade", env, to, planned=plan, yes=yes, no_backup=no_backup)
        if not no_verify:
            from scripts.tasks import verifying

            verifying.after_upgrade(place)


@command(help={name: HELP[name] for name in ("to", "dry_run", "allow_downgrade", "yes", "no_backup")})
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
        _show("downgrade", env, to, yes=yes, no_backup=no_backup, allow_downgrade=allow_downgrade)
    else:
        change("downgrade", env, to, yes=yes, no_backup=no_backup, allow_downgrade=allow_downgrade)


@command(
    help={
        **{name: HELP[name] for name in ("to", "yes", "no_backup")},
        "force": "record it although the schema is not that of the revision; the differences go into the journal",
        "detect": "only say which revision the schema is at",
    }
)
def stamp(
    c: Context,
    env: str = "",
    to: str = "",
    detect: bool = False,
    force: bool = False,
    yes: bool = False,
    no_backup: bool = False,
) -> None:
    """Record a revision without running it; refused unless the schema is at it."""
    from app.migrations.errors import ConfigurationError
    from scripts.tasks import verifying

    if detect:
        verifying.detect(env)
        return
    if not to:
        raise ConfigurationError("--to is missing: which revision to record is not said", "inv db.stamp --to=REV")
    change("stamp", env, to, force=force, yes=yes, no_backup=no_backup)


def change(action: str, env: str, to: str, force: bool = False, planned: str = "", **said: bool) -> "Workplace":
    """Gather, decide, ask, make the way back, act, and look again to see what was really reached."""
    from app.migrations import runner
    from app.migrations.plan import Consent
    from scripts.tasks import screen, verifying, workplace

    place = workplace.enter(env)
    before = place.status_before_change()
    plan = runner.plan(ROOT, place.script, action, to, before.standing.revisions)
    screen.heading(place, before)
    if planned:
        from scripts.tasks import planning

        planning.keep_to(place, to, before.standing.revisions, planned)
    if plan.steps:
        consent = Consent(**said)
        noted = verifying.check_stamp(place, to, force, consent.yes) if action == "stamp" else {}
        _permit(place, plan, consent._replace(yes=consent.yes or bool(noted)))
        _run(place, plan, to, _secured(place, plan, consent), noted)
    screen.conclusion(place.name, before, _look_again(place, plan) if plan.steps else before)
    return place


def _secured(place: "Workplace", plan: "Plan", consent: "Consent") -> "Secured | None":
    """Make the backup that the environment wants before a change; None where it wants none, or was told to go on."""
    from app.migrations.plan import needs_backup

    if not needs_backup(plan, place.target.environment, consent):
        return None
    from app.migrations import gate
    from scripts.tasks import backup_screen, bars

    secured = gate.secure(ROOT, place.target, place.engine, bars.followed)
    backup_screen.secured(secured)
    return secured


def _run(place: "Workplace", plan: "Plan", to: str, secured: "Secured | None", noted: "Mapping[str, object]") -> None:
    """Change, with what is `noted` in the journal's rows; where that fails, say how everything comes back."""
    from app.migrations import guard, runner
    from app.migrations.errors import MigrationFailed
    from scripts.tasks import progress

    with progress.shown(place, plan) as done:
        request = guard.Request(guard.ASKED, progress=done, detail={**noted, **(secured.detail if secured else {})})
        try:
            runner.run(ROOT, place.target, runner.Goal(plan.action, to), request, place.script)
        except MigrationFailed as error:
            if secured is None:
                raise
            raise secured.failed(error, place.name) from error


def _look_again(place: "Workplace", plan: "Plan") -> "Status":
    """Read what was reached; where the database is gone by now, say that the steps themselves are done."""
    from app.migrations.errors import Unreachable
    from app.migrations.recorder import VERBS

    try:
        return place.status()
    except Unreachable as error:
        done = f"every step was {VERBS[plan.action]} and verified, the last one {plan.steps[-1].revision}"
        raise Unreachable(f"{done}; only the closing look failed: {error.message}", error.hint) from error


def _show(action: str, env: str, to: str, **said: bool) -> None:
    """Gather and decide as `_change` does, and print instead of acting; another's database is only warned about."""
    from app.migrations import failures, rowcounts, runner
    from app.migrations.plan import Consent
    from scripts.tasks import planning, screen, workplace

    place, consent = workplace.enter(env), Consent(**said)
    before = place.status()
    at = before.standing.revisions
    plan = runner.plan(ROOT, place.script, action, to, at)
    screen.heading(place, before)
    with failures.explained(place.target.place):
        screen.plan(plan, rowcounts.of(place.engine, plan.losses) if plan.losses else {})
    if plan.steps:
        if action == "upgrade":
            planning.show(place, to, at)
        has_table = bool(at) or _has_version_table(place)
        screen.statements(runner.sql(ROOT, place.script, runner.Goal(action, to), at, has_table))
        screen.run_for_real(_hindrances(place, before, plan, consent))
    screen.unchanged(place.name, plan)


def _has_version_table(place: "Workplace") -> bool:
    """Tell whether alembic_version is there; at base it may be there and empty."""
    from app.migrations import failures, journal
    from app.migrations.course import VERSION_TABLE

    with failures.explained(place.target.place), place.engine.connect() as connection:
        return journal.exists(connection, journal.home(connection), VERSION_TABLE)


def _hindrances(place: "Workplace", before: "Status", plan: "Plan", consent: "Consent") -> list[str]:
    """Say what the same command without --dry-run would meet before it changes anything."""
    from app.migrations import ownership
    from app.migrations.errors import Refused
    from app.migrations.plan import needs_backup, refuse_what_is_not_allowed

    environment, found = place.target.environment, []
    try:
        ownership.refuse_unless_ours(place.target, before.verdict)
        _refuse_without_way_back(place, plan)
        refuse_what_is_not_allowed(plan, environment, consent)
    except Refused as refusal:
        return [f"is refused: {refusal.message.removesuffix('; nothing was changed')}"]
    if needs_backup(plan, environment, consent):
        found.append(f"makes a backup first (BACKUP={environment.backup.value}), and goes on only where that works")
    if environment.protected and not consent.yes:
        found.append(f"asks for the name {place.name} to be typed back")
    return found


def _permit(place: "Workplace", plan: "Plan", consent: "Consent") -> None:
    """Show what will happen and what will be lost; raise Refused unless it is allowed and agreed to."""
    from app.migrations import failures, rowcounts
    from app.migrations.plan import refuse_what_is_not_allowed
    from scripts.tasks import confirmation, screen

    environment = place.target.environment
    _refuse_without_way_back(place, plan)
    if plan.losses or environment.protected:
        with failures.explained(place.target.place):
            screen.plan(plan, rowcounts.of(place.engine, plan.losses))
    refuse_what_is_not_allowed(plan, environment, consent)
    if environment.protected:
        confirmation.confirm(place.name, consent.yes)


def _refuse_without_way_back(place: "Workplace", plan: "Plan") -> None:
    """Raise Refused, which names the backup to restore, where the plan crosses a revision that cannot be undone."""
    from app.migrations import way_back
    from app.migrations.plan import refuse_what_cannot_be_undone

    environment, known = place.target.environment, place.script.revision_map
    refuse_what_cannot_be_undone(
        plan.steps, place.name, lambda revision: way_back.backup_before(ROOT, environment, known, revision)
    )
