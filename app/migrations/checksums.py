"""The files of a backup, hashed and compared. Reads each byte once in flat memory; follows no links, writes nothing."""

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from app.migrations import durable, manifest
from app.migrations.manifest import File

BLOCK = 1 << 20
WORKERS = min(8, os.cpu_count() or 1)

Advance = Callable[[int], None]
"""Is told, from several threads, how many more bytes were read."""
NOTHING: Mapping[str, "Begun"] = MappingProxyType({})


class Found(NamedTuple):
    """One file that is really there; `fault` says why it cannot be read as one."""

    file: File
    fault: str = ""


class Begun:
    """The beginning of a file that is hashed already: its first `size` bytes."""

    def __init__(self) -> None:
        self.size = 0
        self.digest = sha256()

    def go_on(self, descriptor: int, advance: Advance | None = None) -> None:
        """Hash what the file of `descriptor` holds beyond, to its end as it is now. Raises OSError."""
        view = memoryview(bytearray(BLOCK))
        while count := os.preadv(descriptor, [view], self.size):
            self.digest.update(view[:count])
            self.size += count
            if advance:
                advance(count)


def hash_files(folder: Path, begun: Mapping[str, Begun] = NOTHING) -> tuple[File, ...]:
    """Return all files below `folder` but the manifest, by name. Raises OSError, also for what is no plain file.

    `begun` are beginnings, by name, of files that were only appended to since; they are not read again.
    """
    found = _found(folder, None, begun)
    for one in found:
        if one.fault:
            raise OSError(f"{one.file.name} {one.fault}")
    return tuple(one.file for one in found)


def faults(folder: Path, expected: Sequence[File], advance: Advance | None = None) -> list[str]:
    """Name every file below `folder` that is missing, cut, changed, swapped, not expected, or no plain file."""
    found = {one.file.name: one for one in _found(folder, advance)}
    known = {file.sha256: file.name for file in expected}
    missing = [f"{file.name} is missing" for file in expected if file.name not in found]
    changed = [
        f"{file.name} {fault}"
        for file in expected
        if file.name in found and (fault := _difference(file, found[file.name], known))
    ]
    names = {file.name for file in expected}
    return [*missing, *changed, *(f"{name} does not belong to the backup" for name in sorted(found.keys() - names))]


def _difference(expected: File, found: Found, known: dict[str, str]) -> str:
    if found.fault or found.file == expected:
        return found.fault
    if other := known.get(found.file.sha256):
        return f"holds what belongs into {other}"
    if found.file.size != expected.size:
        return f"has {found.file.size} bytes instead of {expected.size}"
    return "was changed: its bytes are not those that were written"


def _found(folder: Path, advance: Advance | None, begun: Mapping[str, Begun] = NOTHING) -> list[Found]:
    names = sorted(_names(folder))
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="hash") as pool:
        return list(pool.map(lambda name: _hashed(folder, name, advance, begun.get(name)), names))


def _names(folder: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder, onerror=_raised):
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        for name in (*files, *linked):
            path = Path(parent, name).relative_to(folder).as_posix()
            if path != manifest.NAME and not path.startswith(durable.temporary_prefix(manifest.NAME)):
                yield path


def _raised(error: OSError) -> None:
    raise error


def _hashed(folder: Path, name: str, advance: Advance | None, begun: Begun | None) -> Found:
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        what = "is a symbolic link" if (folder / name).is_symlink() else f"cannot be read: {error.strerror}"
        return Found(File(name, 0, ""), what)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return Found(File(name, 0, ""), "is no plain file")
        hashed = begun if begun and begun.size <= status.st_size else Begun()
        hashed.go_on(descriptor, advance)
    except OSError as error:
        return Found(File(name, 0, ""), f"cannot be read: {error.strerror}")
    finally:
        os.close(descriptor)
    return Found(File(name, hashed.size, hashed.digest.hexdigest()))
