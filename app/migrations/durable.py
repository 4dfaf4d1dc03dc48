"""Files that only their owner reads and that a power cut does not undo. Never changes the mode of what it did not make.

https://man7.org/linux/man-pages/man2/fsync.2.html
"""

import errno
import os
import secrets
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.migrations.errors import ConfigurationError

FILE_MODE, FOLDER_MODE = 0o600, 0o700
ELSEWHERE = "BACKUP_DIR=/ANOTHER/FOLDER and the same command again"

_MEANINGS = {
    (errno.ENOSPC, errno.EDQUOT): ("{place} is on a file system that is full: {free}", f"free space, or {ELSEWHERE}"),
    (errno.EFBIG,): ("{where} may not grow any more: this process has a limit", "ulimit -f unlimited"),
    (errno.EROFS,): ("{where} cannot be written: its file system is read-only", ELSEWHERE),
    (errno.EACCES, errno.EPERM): ("{where} may not be used by the user with the id {user}: {cause}", ELSEWHERE),
    (errno.ENOLCK, errno.EOPNOTSUPP): ("{where} is on a file system without file locks", ELSEWHERE),
    (errno.ENOTDIR, errno.EEXIST): ("{where} is a file where a folder is needed", ELSEWHERE),
}
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}


@contextmanager
def explained(place: Path) -> Iterator[None]:
    """Turn an OSError of the block, which works below `place`, into a ConfigurationError that says what to do."""
    try:
        yield
    except OSError as error:
        raise explanation(place, error) from error


def explanation(place: Path, error: OSError) -> ConfigurationError:
    """Return what an OSError below `place` means to a person: full, read-only, no right, or what the system says."""
    where = error.filename if isinstance(error.filename, str) else str(place)
    known = (meaning for codes, meaning in _MEANINGS.items() if error.errno in codes)
    message, hint = next(known, ("{where} cannot be used: {cause}", f"ls -ld {shlex.quote(str(place))}"))
    cause = error.strerror or str(error)
    words = {"place": place, "where": where, "cause": cause, "free": _free(place), "user": os.geteuid()}
    return ConfigurationError(message.format(**words), hint)


def _free(place: Path) -> str:
    for folder in (place, *place.parents):
        with suppress(OSError):
            return f"{shutil.disk_usage(folder).free / 1e6:,.0f} MB are left"
    return "nothing is left"


def make_folder(path: Path) -> None:
    """Make the folder `path`, and those above it that are missing, for their owner alone under any umask.

    What is there already keeps its mode. Raises OSError.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        with suppress(FileExistsError):
            folder.mkdir(FOLDER_MODE)
            folder.chmod(FOLDER_MODE)
            sync(folder.parent)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def write(path: Path, data: bytes, mode: int = FILE_MODE) -> None:
    """Put `data` in place of the file `path` in one step, synced: whoever looks sees the old bytes or the new.

    A process killed in between leaves a file named by `temporary`. Raises OSError.
    """
    new = path.with_name(f"{temporary_prefix(path.name)}{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE), "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise
    sync(path.parent)


def temporary_prefix(name: str) -> str:
    """Return how the names begin under which `write` fills a file that is to be called `name`."""
    return f".{name}."


def sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk; where folders cannot be synced, that is let be. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def seal(folder: Path) -> None:
    """Close `folder` and all below it to others, and sync it from the leaves up. Follows no links. Raises OSError."""
    for parent, _, names in os.walk(folder, topdown=False, onerror=_raised):
        for name in names:
            _close_to_others(Path(parent, name), FILE_MODE)
        _close_to_others(Path(parent), FOLDER_MODE)


def _close_to_others(path: Path, mode: int) -> None:
    if path.is_symlink():
        return
    if path.stat().st_mode & 0o777 != mode:
        path.chmod(mode)
    sync(path)


def _raised(error: OSError) -> None:
    raise error
