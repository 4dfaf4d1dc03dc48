"""What an upgrade would do: db.plan, the same view in a dry run, and an upgrade that keeps to a plan."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.migrations.errors import MigrationError
    from app.migrations.forecast import Forecast, Journey
    from app.migrations.history import History
    from app.migrations.kept_plan import Accepted, KeptPlan
    from scripts.tasks.workplace import Workplace

FORMATS = ("text", "json", "github", "sarif", "markdown")


class View(NamedTuple):
    """A forecast and whose it is; `place` is None where no target was reached."""

    name: str
    described: str
    found: "Forecast"
    place: "Workplace | None"


@command(
    iterable=["accept"],
    help={
        "to": "head, or a revision",
        "since": "without a target: a branch such as main, or the revision to begin at",
        "sql": "print the statements, as they ran on a scratch database",
        "out": "keep the plan in this file, for `inv db.upgrade --plan=FILE`",
        "accept": '"RULE: reason": a finding that may stand; repeatable',
        "format": "text, json, github, sarif or markdown",
    },
)
def plan(
    c: Context,
    env: str = "",
    to: str = "head",
    since: str = "",
    sql: bool = False,
    out: str = "",
    accept: "list[str] | None" = None,
    format: str = "text",  # noqa: A002 -- the option's name
    json: bool = False,
) -> None:
    """Show which locks an upgrade will really take, on which tables, and what is wrong with it."""
    from app.migrations import kept_plan
    from scripts.tasks import documents

    how = documents.form("json" if json else format, FORMATS)
    accepted = kept_plan.accept(accept or [])
    view = look(env, to, since)
    kept_plan.refuse_stale(view.found, accepted)
    _show(view, how, sql, accepted)
    if out:
        _keep(view, Path(out), accepted)
    if kept_plan.unaccepted(view.found, accepted):
        raise SystemExit(1)


def look(env: str, to: str, since: str) -> View:
    """Trace what is pending on the environment's database; where that cannot be reached, what `since` has added."""
    from app.migrations.errors import MigrationError, Refused
    from scripts.tasks import workplace

    if since:
        return _without(env, to, since, "it was not asked, because of --since")
    try:
        place = workplace.enter(env)
        before = place.status()
    except Refused:
        raise
    except MigrationError as error:
        if not _is_absence(error):
            raise
        print(f"{error.message}\n  next: {error.hint}", file=sys.stderr)
        return _without(env, to, "", "no target was reached")
    return ahead(place, to, before.standing.revisions)


def ahead(place: "Workplace", to: str, revisions: "Sequence[str]") -> View:
    """Trace what is pending on a database that stands at `revisions`, with its figures."""
    from sqlalchemy.pool import NullPool

    from app.core.config import variables
    from app.core.engine import make_engine
    from app.migrations import forecast, past_runs
    from app.migrations.build_inputs import Inputs
    from app.migrations.expected import gather
    from app.migrations.project import open_project
    from app.migrations.survey import Surveyor
    from app.migrations.workshop import workshop
    from scripts.tasks import verifying

    journey = forecast.Journey(tuple(revisions), to)
    _, wanted = gather(place.target, place.engine, Inputs(ROOT), verifying.tell)
    with workshop(wanted) as built, open_project(ROOT) as project:
        found = forecast.look_ahead(project, built.admin_url, journey, place.engine)
    surveyor = Surveyor(ROOT, variables(), lambda url: make_engine(url, NullPool))
    past = past_runs.read(surveyor, place.name, [step.revision for step in found.trace.steps])
    return View(place.name, place.target.described, found._replace(past=tuple(past)), place)


def show(place: "Workplace", to: str, revisions: "Sequence[str]") -> None:
    """Print the forecast; where none can be had, the reason: a dry run has more to say than that."""
    from app.migrations.errors import MigrationError
    from scripts.tasks import plan_screen

    try:
        found = ahead(place, to, revisions).found
    except MigrationError as error:
        print(f"no forecast: {error.message}\n  next: {error.hint}", file=sys.stderr)
    else:
        plan_screen.forecast(found)


def _without(env: str, to: str, since: str, why: str) -> View:
    from app.core.config import variables
    from app.migrations import environments, forecast, scratch
    from app.migrations.project import open_project

    environment = environments.for_tasks(ROOT, env, variables(), need_url=False)
    admin_url = scratch.admin_url(ROOT, environment.scratch_url or scratch.EMBEDDED, environment.pg_bin)
    with open_project(ROOT) as project:
        journey = _journey(project.history, since, to)
        found = forecast.look_ahead(project, admin_url, journey, None, why)
    return View(environment.name or "", "", found, None)


def _journey(history: "History", since: str, to: str) -> "Journey":
    from app.migrations import roundtrip_order
    from app.migrations.forecast import Journey
    from app.migrations.history import History

    below = roundtrip_order.plan(history, ROOT, since, ()).base if since else ()
    return Journey(History(history[id_] for id_ in below).version_rows, to)


def keep_to(place: "Workplace", to: str, revisions: "Sequence[str]", path: str) -> "Sequence[Accepted]":
    """Raise Refused unless the upgrade is the one that was planned in the file `path`; return what it accepts."""
    from app.migrations import kept_plan
    from app.migrations.errors import Refused

    planned = _read(path)
    found = ahead(place, to, revisions)
    now = kept_plan.keep(found.found, place.name, place.target.described, planned.accepted)
    again = f"inv db.plan --env={place.name} --out={path}, and look at it again"
    deviations = list(kept_plan.deviations(planned, now))
    if deviations:
        raise Refused(f"the plan in {path} does not hold any more: {'; '.join(deviations)}; nothing was changed", again)
    if now.errors:
        raise Refused(
            f"the plan in {path} has errors that nobody has accepted: {', '.join(now.errors)}; nothing was changed",
            f'inv db.plan --env={place.name} --out={path} --accept="{now.errors[0]}: why it may stand"',
        )
    return planned.accepted


def _read(path: str) -> "KeptPlan":
    from app.migrations import kept_plan
    from app.migrations.errors import ConfigurationError

    try:
        text = Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the plan {path} cannot be read: {getattr(error, 'strerror', error)}; nothing was changed",
            f"inv db.plan --out={path}",
        ) from error
    return kept_plan.parse(text, path)


def _keep(view: View, path: Path, accepted: "Sequence[Accepted]") -> None:
    from app.migrations import kept_plan
    from app.migrations.errors import ConfigurationError
    from scripts.tasks import plan_screen

    if view.place is None:
        raise ConfigurationError(
            "a plan is kept for a database that was reached, and none was: it would promise nothing; it was not kept",
            "correct the environment, or leave out --out",
        )
    if view.found.trace.complete:
        path.write_text(kept_plan.render(kept_plan.keep(view.found, view.name, view.described, accepted)))
        plan_screen.kept(str(path))


def _show(view: View, how: str, sql: bool, accepted: "Sequence[Accepted]") -> None:
    from app.migrations import findings, kept_plan, plan_report
    from scripts.tasks import documents, plan_screen, screen

    rules = [one.rule for one in accepted]
    found = view.found
    if sql:
        screen.statements(script(found))
    elif how == "json":
        target = {"environment": view.name, "database": view.described or None}
        given = {"accepted": [one._asdict() for one in accepted]}
        documents.show({**target, **plan_report.document(found, rules), **given})
    elif how == "markdown":
        print(plan_report.markdown(found, f"Migrations for {view.name}", rules))
    elif how in {"github", "sarif"}:
        findings.write(findings.render(plan_report.findings(found, rules), how))
    else:
        plan_screen.forecast(found, accepted)
        plan_screen.conclusion(view.name, found, kept_plan.unaccepted(found, accepted))


def script(found: "Forecast") -> str:
    """Return the statements of a forecast, each transaction as one, with the place in the revision that issued them."""
    lines = []
    for step in found.trace.steps:
        lines.append(f"-- {step.revision}: {step.title}")
        opened = 0
        for statement in step.statements:
            if statement.transactional and statement.segment != opened:
                lines += (["COMMIT;"] if opened else []) + ["BEGIN;"]
            elif not statement.transactional and opened:
                lines.append("COMMIT;")
            opened = statement.segment if statement.transactional else 0
            lines.append(f"{statement.sql.strip().removesuffix(';')};  -- {statement.path}:{statement.line}")
        lines += ["COMMIT;"] if opened else []
        lines += [f"-- not captured: {step.error}"] if step.error else []
    return "".join(f"{line}\n" for line in lines)


def _is_absence(error: "MigrationError") -> bool:
    """Tell whether there is no target here to be asked, which a plan can do without; anything else is an error."""
    from app.migrations.errors import Unreachable

    return isinstance(error, Unreachable) or "DATABASE_URL" in error.message
