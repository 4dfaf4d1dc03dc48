"""Backups that are being made or taken away. Never shows a half one: a single rename makes it whole, or takes it away.

While a backup is made, its folder's name ends in .partial, and a lock file beside it is held, which ends with the
process, even with kill -9: whether its maker lives is never told by age.
https://man7.org/linux/man-pages/man2/flock.2.html
"""

import fcntl
import itertools
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from app.migrations import archive_lock, durable, filelock, manifest
from app.migrations.manifest import Manifest

PARTIAL = ".partial"
LOCK = ".lock"
STAMP = "%Y%m%dT%H%M%SZ"
LONGEST_REVISIONS = 80


class Draft:
    """A backup that is being made, in `folder`; it is listed only from `finish` on."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self.name = folder.name.removesuffix(PARTIAL)
        self.finished = False
        self._descriptor = descriptor

    @property
    def dump(self) -> Path:
        """Return the folder for pg_dump to make."""
        return self.folder / "dump"

    def finish(self, described: Manifest) -> Path:
        """Write the manifest, close all to others, sync it and give it its name; return the folder of the whole backup.

        Raises ConfigurationError where the disk does not take it; the folder is then still a draft.
        """
        whole = self.folder.with_name(self.name)
        with durable.explained(self.folder):
            durable.write(self.folder / manifest.NAME, manifest.render(described))
            durable.seal(self.folder)
            self.folder.rename(whole)
            self.finished = True
            durable.sync(whole.parent)
        return whole

    def close(self) -> None:
        """Remove what was not finished, then the lock."""
        if not self.finished:
            shutil.rmtree(self.folder, ignore_errors=True)
        lock_of(self.folder).unlink(missing_ok=True)
        os.close(self._descriptor)


@contextmanager
def create(backup_dir: Path, environment: str, started_at: datetime, revisions: Sequence[str]) -> Iterator[Draft]:
    """Yield the folder of a new backup, which is removed again unless it is finished within the block.

    What killed processes left is removed first: it may be what fills the disk. Raises ConfigurationError.
    """
    sweep(backup_dir, environment)
    home = backup_dir / environment
    with durable.explained(home):
        durable.make_folder(home)
        with _alone(home):
            draft = _begin(home, f"{started_at.astimezone(UTC).strftime(STAMP)}_{_shortened(revisions)}")
    try:
        yield draft
    finally:
        draft.close()


def _begin(home: Path, wanted: str) -> Draft:
    names = itertools.chain([wanted], (f"{wanted}.{n}" for n in itertools.count(2)))
    name = next(name for name in names if not any(os.path.lexists(home / f"{name}{end}") for end in ("", PARTIAL)))
    folder = home / f"{name}{PARTIAL}"
    descriptor = os.open(lock_of(folder), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, durable.FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder.mkdir(durable.FOLDER_MODE)
        folder.chmod(durable.FOLDER_MODE)
    except BaseException:
        lock_of(folder).unlink(missing_ok=True)
        os.close(descriptor)
        raise
    return Draft(folder, descriptor)


def _shortened(revisions: Sequence[str]) -> str:
    """Return the revisions as a piece of a file name: sane characters, and not too many."""
    joined = "+".join(re.sub(r"[^A-Za-z0-9._-]", "_", revision) for revision in revisions) or "base"
    if len(joined) <= LONGEST_REVISIONS and not joined.endswith(PARTIAL):
        return joined
    return f"{joined[: LONGEST_REVISIONS - 9]}+{sha256(joined.encode()).hexdigest()[:8]}"


def lock_of(folder: Path) -> Path:
    """Return the lock file of a draft's folder, which stands beside it."""
    return folder.with_name(f".{folder.name}{LOCK}")


def _alone(home: Path) -> AbstractContextManager[int]:
    return filelock.locked(home / LOCK, f"looking for half-made backups in {home}")


def dead(backup_dir: Path, environment: str) -> list[Path]:
    """Return what processes left that no longer live: half-made and half-deleted backups. Raises ConfigurationError."""
    home = backup_dir / environment
    with durable.explained(home):
        if not any(home.glob(f"*{PARTIAL}")):  # nothing to lock for, also where nothing may be written
            return []
        with _alone(home):
            return [folder for folder in sorted(home.glob(f"*{PARTIAL}")) if not _is_held(lock_of(folder))]


def sweep(backup_dir: Path, environment: str) -> list[str]:
    """Remove what `dead` returns, and the locks of makers that are gone; return the names that are no longer there.

    What cannot be removed stays, unlisted as before. Raises ConfigurationError.
    """
    found = dead(backup_dir, environment)
    for folder in found:
        _remove(folder)
    home = backup_dir / environment
    with durable.explained(home):
        if any(home.glob(f".*{PARTIAL}{LOCK}")):
            with _alone(home):
                for lock in home.glob(f".*{PARTIAL}{LOCK}"):
                    if not (home / lock.name[1 : -len(LOCK)]).exists() and not _is_held(lock):
                        lock.unlink(missing_ok=True)
    return [folder.name for folder in found if not os.path.lexists(folder)]


def delete(folder: Path) -> None:
    """Remove a whole backup; killed in between, it leaves what `sweep` removes. Raises ConfigurationError.

    Of a backup that is a symbolic link the link alone goes. Raises InUseError where another command reads it.
    """
    with durable.explained(folder), nullcontext() if folder.is_symlink() else archive_lock.deleting(folder):
        gone = folder.with_name(f"{folder.name}{PARTIAL}")
        folder.rename(gone)
        durable.sync(folder.parent)
        _remove(gone)
        if os.path.lexists(gone):
            raise OSError("some of its files cannot be removed")


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _is_held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
