"""The folders in which backups are kept: listed, found, checked, proven. Never reads what is inside a dump.

BACKUP_DIR/ENV/20261122T101530Z_REVISION/ holds dump/ (pg_dump's directory format), catalog.json and manifest.json.
"""

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from app.migrations import checksums, durable, manifest
from app.migrations.archive_lock import InUseError, reading
from app.migrations.checksums import Advance, hash_files
from app.migrations.drafts import PARTIAL, STAMP, Draft, create, dead, delete, sweep
from app.migrations.errors import ConfigurationError, MigrationError, Refused
from app.migrations.manifest import Manifest, Proof

__all__ = [
    "Archive", "Draft", "InUseError", "check", "create", "dead", "delete", "find", "hash_files", "listed", "read",
    "reading", "record_proof", "resolve_dir", "sweep",
]  # fmt: skip

LATEST = "latest"
SHOWN = 5

_NAME = re.compile(r"\d{8}T\d{6}Z_.+")


class Archive(NamedTuple):
    """One whole backup; `manifest` is None where `fault` says why it cannot be trusted."""

    folder: Path
    manifest: Manifest | None
    fault: str = ""

    @property
    def name(self) -> str:
        """Return the name that `find` takes."""
        return self.folder.name

    @property
    def dump(self) -> Path:
        """Return the folder that pg_restore reads."""
        return self.folder / "dump"

    @property
    def started(self) -> datetime:
        """Return when the backup was begun: by its manifest, else by its name, else by its folder's time."""
        if self.manifest is not None:
            return self.manifest.started
        with suppress(ValueError):
            return datetime.strptime(self.name.partition("_")[0], STAMP).replace(tzinfo=UTC)
        return datetime.fromtimestamp(self.folder.stat().st_mtime, UTC)

    @property
    def size(self) -> int:
        """Return the bytes of its files: by its manifest, else as they are there now."""
        if self.manifest is not None:
            return self.manifest.size
        return sum(path.lstat().st_size for path in self.folder.rglob("*") if not path.is_dir())

    @property
    def proven(self) -> bool:
        """Return whether it was restored once and found equal to its manifest."""
        return self.manifest is not None and self.manifest.proven

    @property
    def refuted(self) -> bool:
        """Return whether it was restored once and found to differ from its manifest."""
        return self.manifest is not None and self.manifest.proof is not None and not self.manifest.proof.equal

    @property
    def empty(self) -> bool:
        """Return whether it holds no row at all."""
        return self.manifest is not None and not any((*self.manifest.rows.values(), self.manifest.large_objects))

    def readable(self) -> Manifest:
        """Return the manifest. Raises Refused where there is none to trust."""
        if self.manifest is None:
            raise Refused(
                f"the backup {self.name} cannot be used: {self.fault}; nothing was changed",
                f"inv db.backups --env={self.folder.parent.name} --check",
            )
        return self.manifest


def resolve_dir(root: Path, backup_dir: str) -> Path:
    """Return the folder that BACKUP_DIR means: a relative one begins at the repository."""
    return root / backup_dir


def read(folder: Path, environment: str | None = None) -> Archive:
    """Read the manifest of a whole backup; what is wrong with it is the archive's `fault`, nothing is raised.

    With `environment`, a backup of another one is at fault too: it stands in the wrong folder.
    """
    where = folder / manifest.NAME
    try:
        found = manifest.parse(where.read_bytes(), f"{folder.name}/{manifest.NAME}")
    except FileNotFoundError:
        return Archive(folder, None, f"{manifest.NAME} is missing")
    except OSError as error:
        return Archive(folder, None, f"{manifest.NAME} cannot be read: {error.strerror}")
    except MigrationError as error:
        return Archive(folder, None, error.message)
    if environment is not None and found.environment != environment:
        return Archive(folder, None, f"it is a backup of {found.environment}, not of {environment}")
    return Archive(folder, found)


def listed(backup_dir: Path, environment: str) -> list[Archive]:
    """Return the whole backups, the newest first; those whose manifest cannot be trusted too. Writes nothing.

    Raises ConfigurationError where the folder cannot be read; one that is not there holds none.
    """
    home = backup_dir / environment
    with durable.explained(home):
        if not home.exists():
            return []
        names = [path.name for path in home.iterdir() if _is_whole(path)]
        found = [read(home / name, environment) for name in names]
    return sorted(found, key=lambda archive: (archive.name[:16], archive.started, archive.name), reverse=True)


def _is_whole(path: Path) -> bool:
    return _NAME.fullmatch(path.name) is not None and not path.name.endswith(PARTIAL) and path.is_dir()


def find(backup_dir: Path, environment: str, which: str = LATEST, refuted_too: bool = False) -> Archive:
    """Return the backup that is meant: "latest", a name or how only one begins, or the path of a folder.

    "latest" is the newest that can be trusted: newer ones whose manifest is at fault, and, unless `refuted_too`,
    whose proof failed, are named on stderr. One that is named is returned as it is: its `fault` is for the caller to
    look at. Raises ConfigurationError, which lists what there is.
    """
    archives = listed(backup_dir, environment)
    if which == LATEST:
        return _latest(archives, backup_dir / environment, environment, refuted_too)
    exact = [archive for archive in archives if archive.name == which]
    meant = exact or [archive for archive in archives if which and archive.name.startswith(which)]
    if len(meant) == 1:
        return meant[0]
    path = Path(which).expanduser()
    if "/" in which and (path / manifest.NAME).is_file() and not path.resolve().name.endswith(PARTIAL):
        return read(path.resolve())
    what = f"{len(meant)} backups of {environment} begin with {which}" if meant else f"there is no backup {which}"
    raise _not_found(what, meant or archives, backup_dir / environment, environment)


def _latest(archives: Sequence[Archive], home: Path, environment: str, refuted_too: bool) -> Archive:
    for archive in archives:
        if archive.manifest is not None and (refuted_too or not archive.refuted):
            return archive
        reason = archive.fault or "a restore of it differed from its manifest"
        sys.stderr.write(f"warning: the backup {archive.name} is passed over: {reason}\n")
    raise _not_found("there is no backup that can be used", archives, home, environment)


def _not_found(what: str, archives: Sequence[Archive], home: Path, environment: str) -> ConfigurationError:
    if not archives:
        return ConfigurationError(f"{what}: {home} holds none", f"inv db.backup --env={environment}")
    names = ", ".join(archive.name for archive in archives[:SHOWN])
    more = f" and {len(archives) - SHOWN} more" if len(archives) > SHOWN else ""
    return ConfigurationError(f"{what}; in {home} there are: {names}{more}", f"inv db.backups --env={environment}")


def check(archive: Archive, advance: Advance | None = None) -> list[str]:
    """Read every byte and name each file that is not as it was written; [] where the backup is intact.

    Missing, cut, changed, swapped, added, no plain file: each is one sentence. The manifest is read again, too.
    Nothing is raised for what is wrong with the backup.
    """
    now = read(archive.folder)
    if now.manifest is None or archive.manifest is None:
        return [now.fault or archive.fault]
    if replace(now.manifest, proof=None) != replace(archive.manifest, proof=None):
        return [f"{manifest.NAME} was replaced by another since it was read"]
    try:
        with reading(archive.folder):
            return checksums.faults(archive.folder, now.manifest.files, advance)
    except Refused as refused:
        return [refused.message]
    except OSError as error:
        return [str(durable.explanation(archive.folder, error).message)]


def record_proof(archive: Archive, proof: Proof) -> Archive:
    """Write the proof into the manifest, in one step; whatever proof was there is replaced.

    Raises Refused where the manifest is no longer the one that was proven, ConfigurationError where the disk does
    not take it; the old manifest is then still there.
    """
    now, proven = read(archive.folder).readable(), archive.readable()
    if replace(now, proof=None) != replace(proven, proof=None):
        raise Refused(
            f"the backup {archive.name} was replaced by another while it was proven; the proof is not recorded",
            f"inv db.prove --env={now.environment} --backup={archive.name}",
        )
    path = archive.folder / manifest.NAME
    with durable.explained(archive.folder):
        durable.write(path, manifest.render(replace(now, proof=proof)))
    return read(archive.folder)
