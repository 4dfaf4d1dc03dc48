"""Upgrade, downgrade, stamp, merge and new revisions, through `alembic.command`. Holds no policy.

Everything here works from any current folder: paths are made absolute before Alembic sees them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import decode_source
from pathlib import Path
from typing import Any, cast

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import RevisionStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from app.migrations import candidates, guard
from app.migrations.losses import losses
from app.migrations.plan import Plan, PlannedStep
from app.migrations.recorder import Done
from app.migrations.targets import Target

Progress = Callable[[Done], None]


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
    script = ScriptDirectory.from_config(config(root))
    try:
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


def upgrade(root: Path, target: Target, to: str, progress: Progress) -> None:
    """Apply the revisions up to `to`, each in a transaction of its own; `progress` hears of each one.

    Raises MigrationFailed, with the earlier revisions kept, ConfigurationError for an unknown `to`,
    and Unreachable.
    """
    with advice(root, to):
        command.upgrade(_asked(root, target, progress), to)


def downgrade(root: Path, target: Target, to: str, progress: Progress) -> None:
    """Undo the revisions above `to`, each in a transaction of its own. Raises as `upgrade` does."""
    with advice(root, to):
        command.downgrade(_asked(root, target, progress), to)


def stamp(root: Path, target: Target, to: str, progress: Progress) -> None:
    """Write `to` into alembic_version and run nothing. Raises as `upgrade` does."""
    with advice(root, to):
        command.stamp(_asked(root, target, progress), to)


RUN = {"upgrade": upgrade, "downgrade": downgrade, "stamp": stamp}


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
    source = decode_source(Path(script.path).read_bytes())
    return PlannedStep(script.revision, script.doc, tuple(losses(source, action)))


def _asked(root: Path, target: Target, progress: Progress) -> Config:
    return config(root, target, request=guard.Request(guard.ASKED, progress=progress))


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
