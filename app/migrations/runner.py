"""Upgrade, downgrade, stamp, merge and new revisions, through `alembic.command`. Holds no policy.

Everything here works from any current folder: paths are made absolute before Alembic sees them.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib.util import decode_source
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple, cast

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from app.migrations import candidates, guard, script_loading, way_back
from app.migrations.failures import migration_frame
from app.migrations.losses import could_lose, losses
from app.migrations.plan import Plan, PlannedStep
from app.migrations.targets import Target


def config(root: Path, target: Target | None = None, **attributes: Any) -> Config:
    """Return Alembic's configuration for the repository at `root`; `attributes` are handed to env.py."""
    settings = Config(str(root / "alembic.ini"))
    folder = settings.get_main_option("script_location") or "alembic"
    settings.set_main_option("script_location", str(root / folder).replace("%", "%%"))
    settings.set_main_option("prepend_sys_path", str(root).replace("%", "%%"))
    settings.attributes.update(attributes, target=target)
    return settings


def history(root: Path) -> ScriptDirectory:
    """Load the history; a broken file or graph raises ConfigurationError."""
    script = script_loading.swift(ScriptDirectory.from_config(config(root)))
    try:
        with warnings.catch_warnings():  # of a parent that is missing, which is told as an error
            warnings.filterwarnings("ignore", message="Revision .* is not present", category=UserWarning)
            script.get_heads()
    except Exception as error:
        raise candidates.broken_history(error, script.versions) from error
    return script


def plan(root: Path, script: ScriptDirectory, action: str, to: str, revisions: Sequence[str]) -> Plan:
    """Return the steps that `action` to `to` will take from `revisions`, as Alembic itself works them out.

    Raises ConfigurationError or Refused for a `to` that cannot be reached. Touches no database.
    """
    with advice(root, to):
        if action == "stamp":
            candidates.refuse_steps(to)
            ends = [end for end in script.get_revisions(to) if end]
            reached = {end.revision for end in ends} == set(revisions)
            steps = [PlannedStep(end.revision, end.doc) for end in ends] or [PlannedStep("base", "")]
            return Plan(action, () if reached else tuple(steps))
        ahead = script._upgrade_revs if action == "upgrade" else script._downgrade_revs
        return Plan(action, tuple(_planned(step, action) for step in ahead(to, cast("str", tuple(revisions)))))


class Goal(NamedTuple):
    """What to do, upgrade, downgrade or stamp, and up to which revision."""

    action: str
    to: str


def run(root: Path, target: Target, goal: Goal, request: guard.Request, script: ScriptDirectory) -> None:
    """Upgrade or downgrade, each revision in a transaction of its own, or stamp; `request` says who asked.

    `script` is the history that the plan was made of. Raises MigrationFailed, with the earlier steps kept,
    ConfigurationError for a goal that is not known, Refused, and Unreachable.
    """
    _walk(root, config(root, target, request=request), script, goal)


def sql(root: Path, script: ScriptDirectory, goal: Goal, revisions: Sequence[str], has_table: bool) -> str:
    """Return the statements from `revisions` to the goal; connects to nothing and runs nothing.

    `has_table` tells that alembic_version is there, maybe empty: then it is not created. A revision that asks the
    database something cannot be written out: a comment says so, with file and line.
    """
    settings = config(root, has_version_table=has_table)
    settings.output_buffer = written = StringIO()
    _walk(root, settings, script, goal, as_sql=True, starting_rev=tuple(revisions) or "base")
    return written.getvalue()


def _walk(root: Path, settings: Config, script: ScriptDirectory, goal: Goal, **options: Any) -> None:
    """Do what `alembic.command` does for an action, with a history that is loaded already."""
    action, to = goal
    ahead: dict[str, Callable[..., Sequence[MigrationStep]]] = {
        "upgrade": script._upgrade_revs,
        "downgrade": script._downgrade_revs,
        "stamp": lambda end, at: script._stamp_revs((end,), at),
    }

    def steps(at: Any, context: MigrationContext) -> Sequence[MigrationStep]:
        found = ahead[action](to, at)
        if settings.attributes.get("has_version_table"):  # Alembic does not look, it only writes
            cast("Any", context._version).create = lambda _: None
        for step in found if context.as_sql else ():
            if isinstance(step, RevisionStep):
                step.migration_fn = _rendered(step, context)
        return found

    with advice(root, to), EnvironmentContext(settings, script, fn=steps, destination_rev=to, **options):
        script.run_env()


def _rendered(step: RevisionStep, context: MigrationContext) -> Callable[..., None]:
    """Return the step's function; where it fails, a comment instead of what could not be written out."""
    function = step.migration_fn

    @wraps(function)
    def run(**words: Any) -> None:
        try:
            function(**words)
        except Exception as error:
            found = migration_frame(error)
            if found is None:
                raise
            path = "/".join(found[0].f_code.co_filename.replace("\\", "/").split("/")[-3:])
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            where = f"{step.revision.revision} cannot be written out in full: {path}:{found[1]}"
            context.impl.static_output(f"-- {where}: {reason}")

    return run


def revision(root: Path, target: Target | None, message: str, autogenerate: bool) -> Path:
    """Write a new revision file and return its path; with `autogenerate` the target is compared with the models."""
    with advice(root, "head"):
        return _path(command.revision(config(root, target), message, autogenerate=autogenerate))


def merge(root: Path, message: str, revisions: Sequence[str]) -> Path:
    """Write the revision that joins `revisions` and return its path."""
    with advice(root, " ".join(revisions)):
        return _path(command.merge(config(root), tuple(revisions), message))


def _planned(step: RevisionStep, action: str) -> PlannedStep:
    script = step.revision
    planned = PlannedStep(script.revision, script.doc, irreversible=way_back.barrier(script, action))
    if not could_lose(vars(script.module), action):
        return planned
    source = decode_source(Path(script.path).read_bytes())
    return planned._replace(losses=tuple(losses(source, action)))


def show(root: Path, name: str, target: Target | None = None, **options: Any) -> None:
    """Print what `alembic NAME` prints: current, heads or history."""
    with advice(root, None):
        getattr(command, name)(config(root, target), **options)


@contextmanager
def advice(root: Path, to: str | None) -> Iterator[None]:
    """Turn Alembic's refusals into errors that list what could have been meant."""
    try:
        yield
    except CommandError as error:
        raise candidates.explain(error, history(root), to) from error


def _path(written: Script | list[Script | None] | None) -> Path:
    (script,) = written if isinstance(written, list) else (written,)
    return Path(script.path) if script else Path()
