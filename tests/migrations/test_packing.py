"""Files that are packed while they grow unpack to what was written, take no room twice, and are as pg_dump's own."""

import gzip
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from app.migrations import clients, growing, packing, scratch
from app.migrations.clients import Clients
from app.migrations.packing import Packing
from tests.migrations.chains import ask, dsn, until
from tests.migrations.private_servers import DEBIAN_15, fifteen
from tests.migrations.sites import ROOT, site
from tests.mounts import mounted

pytest.importorskip("isal", reason="there is no ISA-L for this machine, and pg_dump packs")
NAME = "7.dat"
TWO_TABLES = """
CREATE TABLE a_small AS SELECT 1 AS id;
CREATE TABLE z_large AS SELECT g AS id, md5(g::text) AS payload FROM generate_series(1, 20000) g;
"""


@pytest.fixture
def dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a dump in which every byte and every moment counts."""
    monkeypatch.setattr(packing, "STEP", 1)
    monkeypatch.setattr(growing, "PERIOD", 0.001)
    (tmp_path / packing.TOC).write_bytes(b"no archive")
    return tmp_path


def append(dump: Path, data: bytes, name: str = NAME) -> None:
    with (dump / name).open("ab") as file:
        file.write(data)


def wait_for(packer: Packing, size: int) -> None:
    until(lambda: packer.packed.get(NAME) == size, f"{size} bytes are packed")


def unpacked(dump: Path) -> dict[str, bytes]:
    """What the packed files hold, by the names that pg_dump gave them."""
    return {path.stem: gzip.decompress(path.read_bytes()) for path in dump.glob("*.gz")}


def test_a_file_that_grows_is_packed_in_pieces_that_make_the_whole(dump: Path) -> None:
    pieces = [b"1\tfirst\n", os.urandom(2 * packing.BLOCK + 5), b"2\tlast\n"]
    with Packing(dump, 2) as packer:
        for number, piece in enumerate(pieces, 1):
            append(dump, piece)
            wait_for(packer, len(b"".join(pieces[:number])))
    append(dump, b"\\.\n\n\n")
    packer.finish()
    assert unpacked(dump) == {NAME: b"".join(pieces) + b"\\.\n\n\n"}
    assert sorted(path.name for path in dump.iterdir()) == [f"{NAME}.gz", packing.TOC]


def test_what_is_packed_takes_no_room_twice(dump: Path) -> None:
    with Packing(dump, 1) as packer:
        append(dump, bytes(5_000_000))
        wait_for(packer, 5_000_000)
    raw = (dump / NAME).stat()
    assert (raw.st_size, raw.st_blocks * 512 < 100_000) == (5_000_000, True)


def test_rows_large_objects_and_empty_files_are_packed_and_tables_of_contents_are_not(dump: Path) -> None:
    written = {"12.dat": b"rows", "blob_34.dat": b"object", "blob_56.dat": b"", "blobs.toc": b"a", "blobs_7.toc": b"b"}
    for name, data in written.items():
        append(dump, data, name)
    Packing(dump, 2).finish()
    assert unpacked(dump) == {name: data for name, data in written.items() if name.endswith(".dat")}
    kept = {path.name: path.read_bytes() for path in dump.iterdir() if path.suffix != ".gz"}
    assert kept == {"blobs.toc": b"a", "blobs_7.toc": b"b", packing.TOC: b"no archive"}


def test_little_is_packed_only_when_no_more_comes(dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "STEP", 1000)
    monkeypatch.setattr(packing, "SETTLED", 3600)
    append(dump, b"settled")
    append(dump, b"new", "8.dat")
    os.utime(dump / NAME, (1, 1))
    with Packing(dump, 1) as packer:
        wait_for(packer, len(b"settled"))
    assert packer.packed == {NAME: len(b"settled")}


def test_what_cannot_be_packed_is_said_at_the_end(dump: Path) -> None:
    (dump / f"{NAME}.gz").mkdir()
    append(dump, b"rows")
    with Packing(dump, 1) as packer:
        until(lambda: isinstance(packer.fault, IsADirectoryError), "it was tried")
    (dump / f"{NAME}.gz").rmdir()
    with pytest.raises(IsADirectoryError):
        packer.finish()
    assert (dump / NAME).read_bytes() == b"rows"


def test_a_piece_that_is_packed_in_part_is_never_begun_again(dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever broke it off: the rows would stand in the file twice."""

    def exhausted(packer: Packing, name: str) -> None:
        raise MemoryError

    monkeypatch.setattr(Packing, "_pack", exhausted)
    append(dump, b"rows")
    packer = Packing(dump, 1)
    with pytest.raises(MemoryError):
        packer.take([NAME])
    monkeypatch.undo()
    with pytest.raises(OSError, match="broke off"):
        packer.finish()


def test_a_raw_file_that_was_cut_is_noticed(dump: Path) -> None:
    append(dump, b"12345")
    with Packing(dump, 1) as packer:
        wait_for(packer, 5)
    os.truncate(dump / NAME, 2)
    with pytest.raises(OSError, match="changed after pg_dump had ended"):
        packer.finish()


def test_a_folder_that_is_not_there_yet_or_no_more_is_waited_for(dump: Path) -> None:
    place = dump / "dump"
    with Packing(place, 1) as packer:
        place.mkdir()
        append(place, b"12345")
        wait_for(packer, 5)
        for path in place.iterdir():
            path.unlink()
        place.rmdir()
    with pytest.raises(FileNotFoundError):
        packer.finish()


def test_nothing_is_packed_here_where_files_are_limited_or_may_not_be_written(tmp_path: Path) -> None:
    asked = "from pathlib import Path; from app.migrations import packing; print(packing.able(Path('.')))"
    for limit, answer in ((resource.RLIM_INFINITY, "True\n"), (100 * packing.BLOCK, "False\n")):
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {asked}"],
            cwd=tmp_path, capture_output=True, text=True, check=True,
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),  # type: ignore[misc]
        )  # fmt: skip
        assert done.stdout == answer
    assert not packing.able(tmp_path / "missing")


def dumped(programs: Clients, url: str, folder: Path, option: str) -> Path:
    """Two tables, dumped into `folder`."""
    command = [programs.path("pg_dump"), "-Fd", f"--file={folder}", option, f"--dbname={dsn(url)}"]
    subprocess.run(command, check=True)
    return folder


def listing(programs: Clients, folder: Path) -> str:
    command = [programs.path("pg_restore"), "--list", str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check_as_its_own(programs: Clients, url: str, folder: Path) -> None:
    """Compare an archive that is packed here with one that pg_dump has packed itself."""
    own = dumped(programs, url, folder / "own", clients.compression_option(programs, clients.FALLBACK))
    ours = dumped(programs, url, folder / "ours", "--compress=0")
    Packing(ours, 2).finish()
    assert {path.name for path in ours.iterdir()} == {path.name for path in own.iterdir()}
    assert unpacked(ours) == unpacked(own)
    heads = [(place / packing.TOC).read_bytes()[: max(packing.METHOD_AT.values()) + 1] for place in (ours, own)]
    assert heads[0] == heads[1]
    said = [
        [line for line in listing(programs, place).splitlines() if "Archive created" not in line]
        for place in (ours, own)
    ]
    assert said[0] == said[1]


def test_an_archive_is_as_the_one_that_pg_dump_packs(database: str, tmp_path: Path, pg: int) -> None:
    ask(database, TWO_TABLES)
    check_as_its_own(clients.find("", os.environ["PATH"], pg), database, tmp_path)


def test_the_largest_table_is_restored_first(scratch_admin: str, database: str, tmp_path: Path, pg: int) -> None:
    """Its size is looked for under the name that follows from what the archive says of itself."""
    ask(database, TWO_TABLES)
    programs = clients.find("", os.environ["PATH"], pg)
    made = site(tmp_path, database, backup_jobs=2).make()
    with scratch.database(scratch_admin) as url:
        command = [programs.path("pg_restore"), "--jobs=2", "--verbose", f"--dbname={dsn(url)}", str(made.dump)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    first, second = (said.index(f"launching item {number}") for number in _data_items(programs, made.dump))
    assert second < first


def _data_items(programs: Clients, folder: Path) -> list[str]:
    lines = [line.partition(";") for line in listing(programs, folder).splitlines() if " TABLE DATA " in line]
    assert [name for _, _, rest in lines for name in rest.split() if name in {"a_small", "z_large"}] == [
        "a_small",
        "z_large",
    ]
    return [number for number, _, _ in lines]


@pytest.mark.slow
@pytest.mark.parametrize("major", [16, 18])
def test_an_archive_of_each_version_is_as_the_one_that_its_pg_dump_packs(tmp_path: Path, major: int) -> None:
    with scratch.database(scratch.admin_url(ROOT, scratch.EMBEDDED, major=major)) as url:
        ask(url, TWO_TABLES)
        check_as_its_own(clients.find("", "", major), url, tmp_path)


@pytest.mark.slow
def test_an_archive_of_version_15_is_as_the_one_that_its_pg_dump_packs(tmp_path: Path) -> None:
    with fifteen(tmp_path) as url:
        ask(url, TWO_TABLES)
        check_as_its_own(clients.find(str(DEBIAN_15), "", 15), url, tmp_path)


def test_where_no_holes_can_be_punched_pg_dump_packs(scratch_admin: str, database: str, tmp_path: Path) -> None:
    ask(database, TWO_TABLES)
    with mounted(tmp_path / "ramfs", ["-t", "ramfs", "ramfs"]) as place:
        assert not packing.able(place)
        there = site(place, database, scratch_url=scratch_admin)
        made = there.make()
        assert sorted({path.name.partition(".")[2] for path in made.dump.iterdir()}) == ["dat", "dat.gz"]
        assert there.prove(made).equal
