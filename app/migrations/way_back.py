"""The backup to restore where a revision has no way back. Reads the folder of backups, never a database."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.script import Script
from alembic.script.revision import ResolutionError, Revision, RevisionMap

from app.migrations.environment_rules import Environment
from app.migrations.errors import MigrationError

if TYPE_CHECKING:
    from app.migrations.archives import Archive


def barrier(script: Script, action: str) -> str | None:
    """Return why a revision cannot be undone, where that is what is asked of it; None where it can."""
    reason = getattr(script.module, "irreversible", None) if action == "downgrade" else None
    return None if reason is None else str(reason)


def backup_before(root: Path, environment: Environment, known: RevisionMap, revision: str) -> str | None:
    """Return the name of the newest backup that was taken below `revision`; None where there is none to be trusted.

    One whose revisions this history does not know is passed over, and one whose restore differed from its manifest.
    """
    from app.migrations import archives  # noqa: PLC0415 -- every change loads this module, and few come so far

    with suppress(MigrationError):
        home = archives.resolve_dir(root, environment.backup_dir)
        for archive in archives.listed(home, environment.name):
            if not archive.refuted and _is_below(archive, known, revision):
                return archive.name
    return None


def _is_below(archive: "Archive", known: RevisionMap, revision: str) -> bool:
    if archive.manifest is None:
        return False
    try:
        reached = known.get_revisions(archive.manifest.revisions)
    except ResolutionError:
        return False
    barred = known._get_descendant_nodes([known.get_revision(revision)])
    above = {one.revision for one in barred if isinstance(one, Revision)}
    return all(isinstance(one, Revision) and one.revision not in above for one in reached)
