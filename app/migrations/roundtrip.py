"""Takes each revision of a history up, down and up again on scratch databases with rows, and compares. Never a target.

Nothing is left on the server: databases and the roles that revisions made are dropped at the end, also of a run that
is interrupted; what a killed run leaves, the next one sweeps.
"""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import NamedTuple

import alembic
import sqlalchemy
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import raw, roundtrip_order, roundtrip_roles, roundtrip_snapshot, roundtrip_ways, scratch
from app.migrations.build_inputs import Inputs
from app.migrations.errors import MigrationError
from app.migrations.project import Project
from app.migrations.roundtrip_order import Course
from app.migrations.roundtrip_report import Loss, Outcome, Report, Result, Stage, Way
from app.migrations.roundtrip_site import BrokenError, Site, build
from app.migrations.roundtrip_steps import drive
from app.migrations.roundtrip_walk import Walker, Wish

__all__ = ["Loss", "Outcome", "Report", "Result", "Settings", "Stage", "Way", "check"]

Said = Callable[[Outcome, int, int], None]
"""Hears of each revision that was checked, with its number and how many there are."""


class Settings(NamedTuple):
    """What to check, and how: `since` is a revision or a branch, `only` ids; no `rows` leave the tables empty."""

    since: str | None = None
    only: tuple[str, ...] = ()
    rows: int = 20
    seed: int = 0
    strict: bool = False


EVERYTHING = Settings()


def check(project: Project, admin_url: str, settings: Settings = EVERYTHING, said: Said | None = None) -> Report:
    """Check the revisions of a project on the server of `admin_url`, and return what was found, failures too.

    Raises ConfigurationError for what `settings` name and is not there, and for an env.py that cannot be run;
    Unreachable without a server.
    """
    course = roundtrip_order.plan(project.history, project.root, settings.since, settings.only)
    for shortcuts in (True, False):
        report = _checked(project, admin_url, course, settings, said, shortcuts)
        if report is not None:
            return report
    raise AssertionError("two readings of one catalog, both whole, are not the same")


def _checked(  # noqa: PLR0913, PLR0917
    project: Project, admin_url: str, course: Course, settings: Settings, said: Said | None, shortcuts: bool
) -> Report | None:
    """Check; None where reading only what changed has missed something, so that all has to be read each time."""
    began = time.monotonic()
    with Site(project, admin_url, shortcuts) as site:
        course, template = _founded(project, admin_url, course)
        site.start(template, course.base)
        wish = Wish(settings.rows, settings.seed, settings.strict)
        walker = Walker(project, course, wish, site, said or _silent)
        drive(project, walker.walk(), site.place, looking=True)
        if shortcuts and not roundtrip_snapshot.same(walker.here, site.reader.read_whole()):
            return None
        models = _models(project, site) if course.whole and not walker.dead else None
        server = str(raw.value(site.watcher, "SELECT current_setting('server_version')")).split(" ")[0]
        ways = roundtrip_ways.walk(project, site, template, walker) if course.whole else ()
    seconds = time.monotonic() - began
    return Report(walker.outcomes, models, seconds, ways, server, tuple(site.roles_left), project.stubbed)


def _silent(_outcome: Outcome, _done: int, _total: int) -> None:
    pass


def _founded(project: Project, admin_url: str, course: Course) -> tuple[Course, str | None]:
    """Return a template with what is only built upon; where that does not go up, a course that begins at nothing."""
    if not course.base:
        return course, None
    key = _key(project, course.base)
    try:
        if key is not None and not _makes_roles(project, course.base):
            return course, scratch.template(admin_url, key, build(project, course.base))
    except BrokenError:
        pass
    return course._replace(base=(), steps=(*course.base, *course.steps)), None


def _makes_roles(project: Project, base: tuple[str, ...]) -> bool:
    """Tell whether a template would keep roles of the cluster: the next one, of another state, could not make them."""
    paths = (project.root / project.history[revision].path for revision in base)
    return any(
        roundtrip_roles.MAKES_A_ROLE.search(path.read_text(encoding="utf-8", errors="replace")) for path in paths
    )


def _key(project: Project, base: tuple[str, ...]) -> str | None:
    """Return what tells one base from another; None for a project whose files cannot all be told from its settings."""
    with suppress(MigrationError):
        inputs = Inputs(project.root)
        if inputs.history.revisions == project.history.revisions:
            how = f"{project.section} {project.plain_env} {project.stubbed}"
            return inputs.key(base, "roundtrip", alembic.__version__, sqlalchemy.__version__, how)
    return None


def _models(project: Project, site: Site) -> tuple[str, ...] | None:
    with closing(create_engine(site.url, poolclass=NullPool).connect()) as connection:
        return project.models(connection)
