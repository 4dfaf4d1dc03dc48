"""The files of a backup, hashed and compared. Reads each byte once in flat memory; follows no links, writes nothing."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from app.migrations import durable, manifest
from app.migrations.manifest import File

BLOCK = 1 << 20
WORKERS = min(8, os.cpu_count() or 1)

Advance = Callable[[int], None]
"""Is told, from several threads, how many more bytes were read."""


class Found(NamedTuple):
    """One file that is really there; `fault` says why it cannot be read as one."""

    file: File
    fault: str = ""


def hash_files(folder: Path, advance: Advance | None = None) -> tuple[File, ...]:
    """Return all files below `folder` but the manifest, by name. Raises OSError, also for what is no plain file."""
    found = _found(folder, advance)
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


def _found(folder: Path, advance: Advance | None) -> list[Found]:
    names = sorted(_names(folder))
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="hash") as pool:
        return list(pool.map(lambda name: _hashed(folder, name, advance), names))


def _names(folder: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder, onerror=_raised):
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        for name in (*files, *linked):
            path = Path(parent, name).relative_to(folder).as_posix()
            if path != manifest.NAME and not path.startswith(durable.temporary_prefix(manifest.NAME)):
                yield path


def _raised(error: OSError) -> None:
    raise error


def _hashed(folder: Path, name: str, advance: Advance | None) -> Found:
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        what = "is a symbolic link" if (folder / name).is_symlink() else f"cannot be read: {error.strerror}"
        return Found(File(name, 0, ""), what)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Found(File(name, 0, ""), "is no plain file")
        try:
            size, digest = _digest(_blocks(file.readinto), advance)
        except OSError as error:
            return Found(File(name, 0, ""), f"cannot be read: {error.strerror}")
    return Found(File(name, size, digest))


def _blocks(readinto: Callable[[memoryview], int | None]) -> Iterator[memoryview]:
    view = memoryview(bytearray(BLOCK))
    while count := readinto(view):
        yield view[:count]


def _digest(blocks: Iterable[memoryview], advance: Advance | None) -> tuple[int, str]:
    size, digest = 0, sha256()
    for block in blocks:
        digest.update(block)
        size += len(block)
        if advance:
            advance(len(block))
    return size, digest.hexdigest()
