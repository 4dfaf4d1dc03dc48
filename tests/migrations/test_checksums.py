"""Every byte of a backup matters: what was cut, changed, lost, swapped or added is found and named."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.migrations import archives, manifest, scratch
from app.migrations.archives import Archive
from tests.migrations import kept_backups
from tests.migrations.kept_backups import keep
from tests.roads import ask

ROOT = Path(__file__).resolve().parents[2]
TABLES = """
CREATE TABLE "Été" (id int GENERATED ALWAYS AS IDENTITY, note text);
INSERT INTO "Été" (note) SELECT md5(n::text) FROM generate_series(1, 2000) n;
CREATE TABLE copied AS TABLE "Été";
SELECT lo_from_bytea(0, 'a large object')
"""


@pytest.fixture(scope="module")
def dumped(scratch_admin: str, pg: int, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A backup that the real pg_dump has made of a database with rows."""
    with scratch.database(scratch_admin) as url:
        ask(url, TABLES)
        return kept_backups.dump(tmp_path_factory.mktemp("dumped"), url, pg)


@pytest.fixture
def archive(dumped: Archive, tmp_path: Path) -> Archive:
    """A copy of it that may be broken."""
    return archives.read(Path(shutil.copytree(dumped.folder, tmp_path / "prod" / dumped.name)))


def files(archive: Archive) -> list[Path]:
    return sorted(path for path in archive.folder.rglob("*") if path.is_file())


def named(archive: Archive, path: Path) -> str:
    return path.relative_to(archive.folder).as_posix()


def faults(archive: Archive) -> str:
    """What is wrong with the backup, as it is found by whoever comes now."""
    return "\n".join(archives.check(archives.read(archive.folder)))


def test_a_backup_is_intact_when_it_is_made(archive: Archive) -> None:
    assert len(files(archive)) >= 6
    assert archives.check(archive) == []


def test_a_bit_that_flips_anywhere_is_found(archive: Archive) -> None:
    for path in files(archive):
        data = path.read_bytes()
        for at in {0, len(data) // 2, len(data) - 1}:
            path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
            assert named(archive, path) in faults(archive)
        path.write_bytes(data)
    assert archives.check(archive) == []


def test_a_file_that_is_cut_is_found(archive: Archive) -> None:
    for path in files(archive):
        data = path.read_bytes()
        for length in (0, len(data) - 1):
            path.write_bytes(data[:length])
            found = faults(archive)
            assert found.startswith(named(archive, path)) or "manifest.json is damaged" in found
        path.write_bytes(data)


def test_a_file_that_is_missing_is_found(archive: Archive) -> None:
    for path in files(archive):
        data = path.read_bytes()
        path.unlink()
        assert faults(archive) == f"{named(archive, path)} is missing"
        path.write_bytes(data)


def test_any_two_files_that_are_swapped_are_found(archive: Archive) -> None:
    hashed = [path for path in files(archive) if path.name != manifest.NAME]
    for n, one in enumerate(hashed):
        for other in hashed[n + 1 :]:
            here, there = one.read_bytes(), other.read_bytes()
            if here == there:
                continue
            one.write_bytes(there)
            other.write_bytes(here)
            assert f"{named(archive, one)} holds what belongs into" in faults(archive)
            assert f"{named(archive, other)} holds what belongs into" in faults(archive)
            one.write_bytes(here)
            other.write_bytes(there)


def test_a_manifest_of_another_backup_is_found(archive: Archive, tmp_path: Path) -> None:
    other = keep(tmp_path / "other")
    shutil.copy(other.folder / manifest.NAME, archive.folder / manifest.NAME)
    assert archives.check(archive) == ["manifest.json was replaced by another since it was read"]
    assert "does not belong to the backup" in faults(archive)


def test_what_does_not_belong_is_found(archive: Archive) -> None:
    (archive.dump / "new.dat").write_text("")
    os.mkfifo(archive.folder / "pipe")
    (archive.folder / "folder").symlink_to("/tmp")
    assert faults(archive).splitlines() == [
        f"{name} does not belong to the backup" for name in ("dump/new.dat", "folder", "pipe")
    ]


def test_a_link_is_no_file_even_to_the_same_bytes(archive: Archive, tmp_path: Path) -> None:
    toc = archive.dump / "toc.dat"
    toc.rename(tmp_path / "toc.dat")
    toc.symlink_to(tmp_path / "toc.dat")
    assert faults(archive) == "dump/toc.dat is a symbolic link"


def test_a_pipe_in_place_of_a_file_stops_nobody(archive: Archive) -> None:
    (archive.dump / "toc.dat").unlink()
    os.mkfifo(archive.dump / "toc.dat")
    assert faults(archive) == "dump/toc.dat is no plain file"


def test_every_byte_is_counted_once(archive: Archive) -> None:
    seen: list[int] = []
    archives.check(archive, seen.append)
    assert sum(seen) == archive.size == archive.readable().size


def test_memory_stays_flat_however_big_the_files(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(300 << 20)
    program = (
        "import resource, sys; from pathlib import Path; from app.migrations import archives\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "archives.hash_files(Path(sys.argv[1]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], cwd=ROOT, capture_output=True, check=True)
    assert int(done.stdout) < 20_000
