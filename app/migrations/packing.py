"""Packs the data files of a dump with gzip while pg_dump still writes them, and gives their room back at once.

A dump that pg_dump packs with gzip waits for zlib more than for the server; ISA-L is faster at it by far. What that is
worth `inv bench --only=backup` shows. Files of an uncompressed directory may be packed with the usual tools:
https://www.postgresql.org/docs/current/app-pgdump.html (--format=directory)

What is packed is punched out of its raw file at once: a dump needs little more room than one that pg_dump packs.
"""

import ctypes
import errno
import os
import re
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_int64
from mmap import PAGESIZE
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from app.migrations.durable import FILE_MODE
from app.migrations.growing import Growing

try:
    from isal import isal_zlib
except ImportError:  # there is none for this machine
    isal_zlib = None  # type: ignore[assignment]

RAW = re.compile(r"(?:blob_)?\d+\.dat")
"""Tables' rows and large objects; not the tables of contents, which pg_dump never packs."""
STEP = 4 << 20
"""Bytes that a file has to have grown by."""
SETTLED = 1.0
"""Seconds after which what a file was last given is packed although it is less."""
BLOCK = 1 << 20
LEVEL, GZIP = 1, 31
"""Of 0 to 3, and the header of gzip around it, not that of zlib. https://zlib.net/manual.html#Advanced"""
PUNCH_HOLE, KEEP_SIZE = 2, 1
"""https://man7.org/linux/man-pages/man2/fallocate.2.html"""
TOC = "toc.dat"
METHOD_AT = {(1, 14): 12, (1, 15): 11, (1, 16): 11}
"""Where an archive of this version says how it is packed: up to 1.14 a level (pg_dump 15), then a method; 1 is gzip."""

_libc = ctypes.CDLL(None, use_errno=True)


class Packing(Growing):
    """Packs the data files of the folder `dump` while the block runs; `finish` packs what is left and removes the raw.

    Each piece of a file becomes a member of its own, as gzip allows (https://www.rfc-editor.org/rfc/rfc1952), so that
    it does not matter whether more is to come.
    """

    def __init__(self, dump: Path, workers: int) -> None:
        super().__init__(dump)
        self.workers = workers
        self.packed: dict[str, int] = {}

    def has_grown(self, entry: "os.DirEntry[str]") -> bool:
        """Return whether a raw file holds another `STEP` of bytes, or something that has been there for a while."""
        if not RAW.fullmatch(entry.name):
            return False
        status = entry.stat(follow_symlinks=False)
        more = status.st_size - self.packed.get(entry.name, 0)
        return more >= STEP or (more > 0 and time.time() - status.st_mtime > SETTLED)

    def take(self, names: Sequence[str]) -> None:
        """Pack what they hold by now. What fails ends the packing; `finish` tells of it."""
        self.fault = OSError("the packing of the rows broke off")  # unless it is known to have gone well, or why not
        try:
            self._pack_all(names)
        except OSError as error:
            self.fault = error
        else:
            self.fault = None

    def finish(self) -> None:
        """Pack what is left once pg_dump has ended, remove the raw files, and have the archive say how it is packed.

        Raises OSError, also for what could not be packed earlier.
        """
        self.raise_fault()
        self.over.clear()
        raw = [path.name for path in self.dump.iterdir() if RAW.fullmatch(path.name)]
        self._pack_all(raw)
        for name in raw:
            path = self.dump / name
            if path.stat().st_size != self.packed[name]:
                raise OSError(f"{name} changed after pg_dump had ended")
            path.unlink()
        mark(self.dump / TOC)

    def _pack_all(self, names: Sequence[str]) -> None:
        with ThreadPoolExecutor(self.workers, "pack") as pool:
            try:
                list(pool.map(self._pack, names))
            except BaseException:
                self.over.set()
                raise

    def _pack(self, name: str) -> None:
        """Append what the raw file holds beyond the packed to the packed file, and punch it out of the raw one."""
        path, done = self.dump / name, self.packed.get(name, 0)
        with _opened(path, os.O_RDWR) as raw:
            if name in self.packed and os.fstat(raw.fileno()).st_size == done:
                return
            with _opened(path.with_name(f"{name}.gz"), os.O_WRONLY | os.O_CREAT | os.O_APPEND) as packed:
                at = self._member(raw, done, packed)
            start, end = (place // PAGESIZE * PAGESIZE for place in (done, at))  # the last page is still written to
            punch(raw.fileno(), start, end - start)
        self.packed[name] = at

    def _member(self, raw: BinaryIO, at: int, packed: BinaryIO) -> int:
        """Write one member of what stands in `raw` from `at` on; return up to where."""
        end = os.fstat(raw.fileno()).st_size
        packer = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, GZIP)
        view = memoryview(bytearray(max(0, min(BLOCK, end - at))))
        while not self.over.is_set() and (count := os.preadv(raw.fileno(), [view[: end - at]], at)):
            packed.write(packer.compress(view[:count]))
            at += count
        packed.write(packer.flush())
        return at


def able(folder: Path) -> bool:
    """Return whether this machine packs files of `folder`: with ISA-L, where the file system punches holes.

    Not where the size of files is limited: a raw one, holes and all, may be larger than what is kept of it.
    """
    limited = resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
    if isal_zlib is None or sys.platform != "linux" or sys.maxsize < 1 << 32 or limited:
        return False
    try:
        with TemporaryFile(dir=folder) as file:
            file.truncate(BLOCK)
            punch(file.fileno(), 0, BLOCK)
    except OSError:
        return False
    return True


def punch(descriptor: int, start: int, length: int) -> None:
    """Give back the room of a part of a file, which reads as zeros from then on; its size stays. Raises OSError."""
    while length and _libc.fallocate(descriptor, PUNCH_HOLE | KEEP_SIZE, c_int64(start), c_int64(length)):
        if (code := ctypes.get_errno()) != errno.EINTR:
            raise OSError(code, os.strerror(code))


def mark(toc: Path) -> None:
    """Have an archive's table of contents say that the files are packed with gzip, as where pg_dump packs them.

    pg_restore finds them anyway, but from 16 on it looks for their sizes under the name that follows from this, and
    begins with the largest. An archive of a version that is not known stays as it is.
    """
    with toc.open("r+b") as file:
        head = file.read(max(METHOD_AT.values()) + 1)
        at = METHOD_AT.get((head[5], head[6])) if head.startswith(b"PGDMP") else None
        if at is not None and not head[at]:
            file.seek(at)
            file.write(b"\1")


def _opened(path: Path, flags: int) -> BinaryIO:
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    return os.fdopen(descriptor, "ab" if flags & os.O_APPEND else "rb")
