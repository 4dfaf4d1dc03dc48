"""What has to exist before a change: the backup, its proof, and a restore point where the server keeps its log.

Decides by the environment's BACKUP; changes nothing in the target but a mark in its write-ahead log.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from app.migrations import archives, backup, proof
from app.migrations.archives import Archive
from app.migrations.dump_progress import Advance
from app.migrations.environment_rules import Backup
from app.migrations.errors import ConfigurationError, MigrationError, MigrationFailed, Refused
from app.migrations.targets import Target

Followed = Callable[[str], AbstractContextManager[Advance | None]]
"""Shows, under a title, how far something is."""

RESTORE_POINT = text("SELECT pg_create_restore_point(:name)::text")
ARCHIVES = text("SELECT current_setting('archive_mode') <> 'off'")


class Secured(NamedTuple):
    """The way back that was made before a change; `restore_point` and `lsn` are "" where the log has no mark."""

    archive: Archive
    restore_point: str = ""
    lsn: str = ""

    @property
    def detail(self) -> Mapping[str, str]:
        """Return what the rows of the journal say about it."""
        mark = {"restore_point": self.restore_point, "lsn": self.lsn} if self.lsn else {}
        return {"backup": self.archive.name} | mark

    def failed(self, error: MigrationFailed, environment: str) -> MigrationFailed:
        """Return the failure of the change with the command added that brings back the state before it."""
        back = f"inv db.restore --env={environment} --backup={self.archive.name}"
        return MigrationFailed(error.message, f"{error.hint}; to bring back everything as it was before: {back}")


def secure(root: Path, target: Target, engine: Engine, followed: Followed) -> Secured:
    """Make the backup that the environment wants, prove it where it wants that, and mark the point in the log.

    Raises Refused or ConfigurationError where any of it fails: nothing was changed then. Reads and writes of others
    go on meanwhile.
    """
    wanted = target.environment.backup
    try:
        archive = _made(root, target, engine, wanted, followed)
    except (Refused, ConfigurationError):
        raise
    except MigrationError as error:
        why = error.message.removesuffix("; no backup was made")
        raise Refused(f"{why}; BACKUP={wanted.value} wants a backup first: nothing was changed", error.hint) from error
    return Secured(archive, *_restore_point(engine, archive.name))


def _made(root: Path, target: Target, engine: Engine, wanted: Backup, followed: Followed) -> Archive:
    environment = target.environment
    if wanted is Backup.PROVEN:
        proof.check_provable(root, environment, engine)
    with followed("backing up") as advance:
        archive = backup.make(root, target, engine, advance)
    if wanted is Backup.PROVEN:
        with followed("proving the backup") as advance:
            found = proof.prove(root, archive, environment, advance)
        proof.refuse_unless_equal(archive, found)
    return archives.read(archive.folder)


def _restore_point(engine: Engine, name: str) -> tuple[str, str]:
    """Mark this point in the write-ahead log; ("", "") where the role may not, or where no log is kept.

    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-BACKUP
    """
    label = f"before_{name}"[:63]
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(ARCHIVES):
                return "", ""
            return label, str(connection.scalar(RESTORE_POINT, {"name": label}))
    except DBAPIError:
        return "", ""
