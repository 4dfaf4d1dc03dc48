"""Upgrade, downgrade, stamp, merge and new revisions, through `alembic.command`. Holds no policy.

Everything here works from any current folder: paths are made absolute before Alembic sees them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from app.migrations import candidates, guard
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


def revision(root: Path, target: Target | None, message: str, autogenerate: bool) -> Path:
    """Write a new revision file and return its path; with `autogenerate` the target is compared with the models."""
    with advice(root, "head"):
        return _path(command.revision(config(root, target), message, autogenerate=autogenerate))


def merge(root: Path, message: str, revisions: Sequence[str]) -> Path:
    """Write the revision that joins `revisions` and return its path."""
    with advice(root, " ".join(revisions)):
        return _path(command.merge(config(root), tuple(revisions), message))


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
