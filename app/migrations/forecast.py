"""What an upgrade will do to a target: its revisions traced on a scratch database, weighed by the target's figures.

The target is only read, and needs not be there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.migrations import appraisal, squawk, trace, weights, wishes
from app.migrations.appraisal import NOT_CAPTURED, Cause
from app.migrations.checks import rules, settings, surroundings
from app.migrations.errors import ConfigurationError
from app.migrations.findings import Finding, Severity
from app.migrations.past_runs import Past
from app.migrations.project import Project
from app.migrations.squawk import Remark
from app.migrations.trace import Step, Trace
from app.migrations.weights import Figures


class Journey(NamedTuple):
    """From where to where an upgrade goes; `start` are rows of the version table, `to` as Alembic takes it."""

    start: tuple[str, ...]
    to: str


class Forecast(NamedTuple):
    """What was found out. `figures` are those of the target's tables, None with the reason in `unweighed`."""

    journey: Journey
    trace: Trace
    causes: tuple[Cause, ...]
    figures: Mapping[str, Figures] | None
    unweighed: str = ""
    past: tuple[Past, ...] = ()

    @property
    def fails(self) -> bool:
        """Return whether a finding is an error."""
        return any(cause.finding.blocks for cause in self.causes)

    def causes_of(self, revision: str) -> list[Cause]:
        """Return the findings of one revision, the gravest first."""
        return [cause for cause in self.causes if cause.revision == revision]


def look_ahead(project: Project, admin_url: str, journey: Journey, target: Engine | None, absent: str = "") -> Forecast:
    """Trace the revisions of `journey` on the scratch server at `admin_url` and weigh what they do.

    `target` is read in a transaction of its own that locks nothing; where it is None, `absent` says why. A revision
    that cannot be captured is a finding. Raises ConfigurationError and Unreachable for the scratch server.
    """
    traced = trace.capture(project, admin_url, journey.start, journey.to)
    figures, absent = (None, absent) if target is None else _figures(target, traced)
    return weigh(project, traced, journey, figures, absent)


def weigh(
    project: Project, traced: Trace, journey: Journey, figures: Mapping[str, Figures] | None, absent: str = ""
) -> Forecast:
    """Say what a trace means for tables with these figures; where they are None, `absent` says why."""
    causes = list(_causes(project, traced, figures))
    missing = [] if squawk.program() else [_no_squawk(traced)]
    return Forecast(journey, traced, (*_blaming_one(causes), *missing), figures, absent)


def touched(traced: Trace) -> set[str]:
    """Return the tables that were there before and on which a revision takes a lock, by their names there."""
    locks = (lock for step in traced.steps for statement in step.statements for lock in statement.locks)
    return {lock.table or lock.origin or lock.relation for lock in locks if not lock.new}


def seconds_to_rewrite(forecast: Forecast, step: Step) -> tuple[float, float] | None:
    """Return how long the tables that a revision writes anew take on the target, at least and at most, by assumption.

    None where the target's figures are not known, or nothing is written anew.
    """
    known = forecast.figures or {}
    tables = {table for statement in step.statements for table in statement.rewritten if table in known}
    spans = [weights.rewriting(known[table]) for table in tables]
    return (sum(low for low, _ in spans), sum(high for _, high in spans)) if spans else None


def _figures(target: Engine, traced: Trace) -> tuple[dict[str, Figures] | None, str]:
    try:
        with target.connect() as connection:
            return weights.read(connection, touched(traced)), ""
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().partition("\n")[0]
        return None, f"the figures of the target could not be read: {reason}"


def _causes(project: Project, traced: Trace, figures: Mapping[str, Figures] | None) -> Iterator[Cause]:
    """Return the findings of all revisions. Raises ConfigurationError for settings of the checks that are wrong."""
    chosen = settings.load(str(project.root))
    known = surroundings.gather(str(project.root), chosen)
    for step in traced.steps:
        source = (project.root / step.path).read_bytes()
        static = rules.check_file(step.path, source, chosen, known)
        said = wishes.read(step.path, source, chosen)
        yield from appraisal.appraise(step, static, _remarks(project, traced, step), figures, said)


def _blaming_one(causes: Sequence[Cause]) -> Iterator[Cause]:
    """Make notes of the revisions that were not run because one below them fails: one finding for one cause."""
    failed = False
    for cause in causes:
        late = failed and cause.finding.rule == NOT_CAPTURED
        failed = failed or cause.finding.rule == NOT_CAPTURED
        yield cause._replace(finding=cause.finding._replace(severity=Severity.NOTE)) if late else cause


def _remarks(project: Project, traced: Trace, step: Step) -> list[Remark]:
    program = squawk.program()
    if program is None:
        return []
    return squawk.lint(program, step.statements, traced.server_version // 10000, project.root)


def _no_squawk(traced: Trace) -> Cause:
    error = ConfigurationError(
        "squawk is not installed: its rules were not applied", "./scripts/inv setup, and the same command again"
    )
    first = traced.steps[0] if traced.steps else None
    finding = Finding("no-squawk", Severity.NOTE, first.path if first else "", 0, error.message, error.hint)
    return Cause(finding, first.revision if first else "")
