"""Files that are hashed while they grow have the hash of the whole, and no failure of the disk is lost on the way."""

import errno
import os
from pathlib import Path

import pytest

from app.migrations import archives, backup, checksums, following, growing
from app.migrations.dump_progress import DumpMeter
from app.migrations.following import Following
from app.migrations.growing import Growing
from tests.migrations.chains import until
from tests.migrations.restores import shop

NAME = "7.dat.gz"
GROWN = f"dump/{NAME}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A backup's folder in which every byte and every moment counts."""
    monkeypatch.setattr(following, "STEP", 1)
    monkeypatch.setattr(growing, "PERIOD", 0.001)
    (tmp_path / "dump").mkdir()
    return tmp_path


def append(folder: Path, data: bytes, name: str = GROWN) -> None:
    with (folder / name).open("ab") as file:
        file.write(data)


def wait_for(followed: Following, size: int) -> None:
    until(lambda: NAME in followed.begun and followed.begun[NAME].size == size, f"{size} bytes are hashed")


def test_a_file_that_grows_has_the_hash_of_the_whole(folder: Path) -> None:
    with Following(folder / "dump") as followed:
        for size in (5, 3_000_005, 3_000_010):
            append(folder, os.urandom(size - (followed.begun[NAME].size if followed.begun else 0)))
            wait_for(followed, size)
    append(folder, b"the end")
    append(folder, b"listed", "dump/toc.dat")
    assert followed.hashed().keys() == {GROWN}
    found = checksums.hash_files(folder, followed.hashed())
    assert {file.name: file.size for file in found} == {GROWN: 3_000_017, "dump/toc.dat": 6}
    assert found == checksums.hash_files(folder)


def test_what_is_hashed_is_not_read_again_and_a_change_in_it_is_found(folder: Path) -> None:
    append(folder, b"12345")
    with Following(folder / "dump") as followed:
        wait_for(followed, 5)
    (folder / GROWN).write_bytes(b"1x345")
    written = checksums.hash_files(folder, followed.hashed())
    assert checksums.faults(folder, written) == [
        f"{GROWN} was changed: its bytes are not those that were written",
    ]


def test_a_file_that_was_cut_is_hashed_anew(folder: Path) -> None:
    append(folder, b"12345")
    with Following(folder / "dump") as followed:
        wait_for(followed, 5)
    (folder / GROWN).write_bytes(b"12")
    assert checksums.hash_files(folder, followed.hashed()) == checksums.hash_files(folder)


def test_small_files_and_raw_ones_are_left_for_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "STEP", 1000)
    append(folder, b"small", "dump/8.dat.gz")
    append(folder, bytes(2000), "dump/9.dat")
    append(folder, bytes(1000))
    with Following(folder / "dump") as followed:
        wait_for(followed, 1000)
    assert followed.hashed().keys() == {GROWN}


def test_what_the_disk_did_not_take_is_said_at_the_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system reports a write that failed to the first who asks, and to nobody after him."""

    def refuse(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", refuse)
    append(folder, b"12345")
    with Following(folder / "dump") as followed:
        until(lambda: followed.fault is not None, "the disk was asked")
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        followed.hashed()


def test_a_folder_that_is_not_there_yet_or_no_more_is_waited_for(folder: Path) -> None:
    (folder / "dump").rmdir()
    with Following(folder / "dump") as followed:
        (folder / "dump").mkdir()
        append(folder, b"12345")
        wait_for(followed, 5)
        (folder / GROWN).unlink()
        (folder / "dump").rmdir()
        (folder / "dump").mkdir()
        append(folder, b"1234567")
        wait_for(followed, 7)


def test_a_look_that_fails_leaves_no_folder_open(folder: Path) -> None:
    """A file that is gone when it is looked at; pytest fails for the warning of a listing that nobody closed."""
    looks: list[str] = []

    class Failing(Growing):
        def has_grown(self, entry: "os.DirEntry[str]") -> bool:
            looks.append(entry.name)
            raise FileNotFoundError(entry.name)

    append(folder, b"12345")
    with Failing(folder / "dump"):
        until(lambda: len(looks) > 1, "it was looked at twice")


def test_a_real_backup_is_followed(
    folder: Path, scratch_admin: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The dump is over only when something of it is hashed: a quick one would be whole before the first look."""
    seen: list[Following] = []

    def listened(dump: Path) -> Following:
        seen.append(Following(dump))
        return seen[-1]

    def finished(meter: DumpMeter) -> None:
        until(lambda: seen[0].begun, "what is dumped is hashed")

    monkeypatch.setattr(backup, "Following", listened)
    monkeypatch.setattr(DumpMeter, "finished", finished)
    with shop(scratch_admin, tmp_path) as ours:
        made = ours.site.make()
        (followed,) = seen
        assert made.manifest
        written = {file.name: file.size for file in made.manifest.files}
        assert {name for name, begun in followed.hashed().items() if 0 < begun.size <= written[name]}
        assert archives.check(made) == []
