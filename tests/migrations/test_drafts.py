"""Backups that are made and deleted: whole or not there, whatever happens in between."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.migrations import archives
from app.migrations.errors import ConfigurationError
from tests.migrations.kept_backups import PROOF, SAMPLE, STARTED, keep
from tests.mounts import full_soon, mounted, read_only

ROOT = Path(__file__).resolve().parents[2]
DAY = timedelta(days=1)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_only_the_owner_reads_it_under_any_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        kept = keep(tmp_path / "made/by us")
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "made").rglob("*")}
    modes[tmp_path / "made"] = stat.S_IMODE((tmp_path / "made").stat().st_mode)
    assert modes == {path: 0o700 if path.is_dir() else 0o600 for path in modes}
    assert kept.folder in modes


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "prod").mkdir(mode=0o755)
    tmp_path.chmod(0o750)
    keep(tmp_path)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path, tmp_path / "prod")] == [0o750, 0o755]


@pytest.mark.parametrize("name", ["bäck ups", "it's", 'a "b"', "{braces}", "[red]", "%s", "new\nline"])
def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    kept = keep(tmp_path / name)
    assert archives.find(tmp_path / name, "prod") == kept
    assert archives.check(kept) == []


@pytest.mark.parametrize(
    ("revisions", "name"),
    [
        (["a91f6d2c4b7e"], "20261122T101530Z_a91f6d2c4b7e"),
        ([], "20261122T101530Z_base"),
        (["abc", "def"], "20261122T101530Z_abc+def"),
        (["../../etc/é x"], "20261122T101530Z_.._.._etc___x"),
        (["x.partial"], "20261122T101530Z_x.partial+29f2630b"),
        (["a" * 32, "b" * 32, "c" * 300], f"20261122T101530Z_{'a' * 32}+{'b' * 32}+ccccc+4ab564c0"),
    ],
    ids=["one revision", "none", "two", "odd characters", "the ending of a draft", "long"],
)
def test_a_backup_is_named_by_time_and_revision(tmp_path: Path, revisions: list[str], name: str) -> None:
    assert keep(tmp_path, revisions=tuple(revisions)).name == name
    assert [archive.name for archive in archives.listed(tmp_path, "prod")] == [name]


def test_backups_of_the_same_second_stand_side_by_side(tmp_path: Path) -> None:
    names = [keep(tmp_path).name for _ in range(3)]
    assert names == [f"20261122T101530Z_a91f6d2c4b7e{end}" for end in ("", ".2", ".3")]
    assert len(archives.listed(tmp_path, "prod")) == 3


@pytest.mark.parametrize("linked", ["backups", "backups/prod"])
def test_the_folder_may_be_a_link(tmp_path: Path, linked: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / linked).parent.mkdir(exist_ok=True)
    (tmp_path / linked).symlink_to(tmp_path / "elsewhere")
    assert archives.check(keep(tmp_path / "backups")) == []
    assert archives.find(tmp_path / "backups", "prod").name in {path.name for path in tmp_path.rglob("2026*")}


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    with (
        archives.create(tmp_path, "prod", STARTED, ["a"]) as one,
        archives.create(tmp_path, "prod", STARTED, ["a"]) as other,
    ):
        assert one.folder != other.folder
        assert archives.sweep(tmp_path, "prod") == []
        assert one.folder.is_dir()


class Stop(BaseException):
    """As abrupt as Ctrl-C."""


def interrupted(home: Path, error: type[BaseException]) -> None:
    """Make half a backup."""
    with archives.create(home, "prod", STARTED, ["a"]) as draft:
        draft.dump.mkdir()
        (draft.dump / "toc.dat").write_text("half")
        assert archives.listed(home, "prod") == []
        raise error


@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt, OSError], ids=lambda error: error.__name__)
def test_what_is_not_finished_is_removed(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        interrupted(tmp_path, error)
    assert [path.name for path in (tmp_path / "prod").iterdir()] == [".lock"]


CHILD = """
import sys
from pathlib import Path
from app.migrations import archives, drafts, durable
from tests.migrations.kept_backups import keep

def halt():
    print("here", flush=True)
    sys.stdin.read()

def halting(place, name, before):
    real = getattr(place, name)
    def replaced(*arguments, **keywords):
        if before:
            halt()
        done = real(*arguments, **keywords)
        halt()
        return done
    setattr(place, name, replaced)

home, stage = Path(sys.argv[1]), sys.argv[2]
if stage == "delete":
    found = keep(home)
    halting(drafts, "_remove", before=True)
    archives.delete(found.folder)
names = {"begin": "_begin"}
places = {"begin": drafts, "rename": Path}
halting(places.get(stage, durable), names.get(stage, stage), before=stage == "rename")
keep(home)
"""


def stopped_at(stage: str, home: Path) -> subprocess.Popen[str]:
    """A process that makes or deletes a backup in `home` and stands still at `stage`."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home), stage],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "here\n"
    return child


@pytest.mark.parametrize("stage", ["begin", "write", "seal", "rename", "delete"])
def test_a_killed_command_leaves_no_backup_that_looks_whole(tmp_path: Path, stage: str) -> None:
    child = stopped_at(stage, tmp_path)
    assert archives.listed(tmp_path, "prod") == []
    child.kill()
    child.communicate()
    assert archives.listed(tmp_path, "prod") == []
    left = [path.name for path in archives.dead(tmp_path, "prod")]
    assert archives.sweep(tmp_path, "prod") == left == ["20261122T101530Z_a91f6d2c4b7e.partial"]
    assert [path.name for path in (tmp_path / "prod").iterdir()] == [".lock"]


def test_what_is_being_made_is_left_alone_however_old(tmp_path: Path) -> None:
    child = stopped_at("rename", tmp_path)
    (draft,) = (tmp_path / "prod").glob("*.partial")
    os.utime(draft, (0, 0))
    assert archives.dead(tmp_path, "prod") == []
    assert archives.sweep(tmp_path, "prod") == []
    assert (draft / "dump/toc.dat").exists()
    child.kill()
    child.communicate()


def test_the_next_backup_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    child = stopped_at("write", tmp_path)
    child.kill()
    child.communicate()
    keep(tmp_path)
    assert sorted(path.name for path in (tmp_path / "prod").iterdir()) == [".lock", "20261122T101530Z_a91f6d2c4b7e"]


def test_a_killed_command_after_the_rename_leaves_a_whole_backup(tmp_path: Path) -> None:
    kept = keep(tmp_path)
    stale = tmp_path / "prod" / f".{kept.name}.partial.lock"
    stale.write_text("")
    assert archives.sweep(tmp_path, "prod") == []
    assert not stale.exists()
    assert archives.check(archives.find(tmp_path, "prod")) == []


def test_deleting_takes_it_all(tmp_path: Path) -> None:
    archives.delete(keep(tmp_path).folder)
    assert [path.name for path in (tmp_path / "prod").iterdir()] == [".lock"]


def test_deleting_a_link_leaves_what_it_points_to(tmp_path: Path) -> None:
    kept = keep(tmp_path / "elsewhere")
    (tmp_path / "here/prod").mkdir(parents=True)
    link = tmp_path / "here/prod" / kept.name
    link.symlink_to(kept.folder)
    assert [archive.name for archive in archives.listed(tmp_path / "here", "prod")] == [kept.name]
    archives.delete(link)
    assert archives.check(kept) == []
    assert not link.is_symlink()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    with mounted(tmp_path / "small", full_soon(1)) as place:
        yield place


def filled(home: Path) -> None:
    """Make a backup until there is no room for its manifest."""
    with archives.create(home, "prod", STARTED + DAY, ["a"]) as draft:
        with pytest.raises(OSError, match="No space left"):
            (draft.folder / "filler").write_bytes(bytes(2 << 20))
        draft.finish(replace(SAMPLE, files=()))


def test_a_full_disk_is_named_and_the_old_backups_stay(small: Path) -> None:
    old = keep(small)
    with pytest.raises(ConfigurationError) as raised:
        filled(small)
    assert raised.value.message == (
        f"{small}/prod/20261123T101530Z_a.partial is on a file system that is full: 0 MB are left"
    )
    assert raised.value.hint == "free space, or BACKUP_DIR=/ANOTHER/FOLDER and the same command again"
    assert archives.listed(small, "prod") == [old]
    assert archives.check(old) == []
    assert keep(small, age=-DAY).name in {archive.name for archive in archives.listed(small, "prod")}


def test_a_full_disk_does_not_take_the_old_manifest_with_the_proof(small: Path) -> None:
    old = keep(small)
    with pytest.raises(OSError, match="No space left"):
        (small / "filler").write_bytes(bytes(2 << 20))
    with pytest.raises(ConfigurationError, match="is full"):
        archives.record_proof(old, PROOF._replace(differences=("difference " * 2000,)))
    assert archives.check(old) == []
    assert archives.read(old.folder) == old


def test_a_limit_on_the_size_of_files_is_named(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from tests.migrations.kept_backups import keep\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: keep(Path(sys.argv[1]))\n"
        "except Exception as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "may not grow any more: this process has a limit\n  next: ulimit -f unlimited" in done.stdout
    assert archives.listed(tmp_path, "prod") == []


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[Path]:
    """A folder with one backup, mounted read-only."""
    kept = keep(tmp_path / "kept")
    with mounted(tmp_path / "frozen", *read_only(kept.folder.parents[1])) as place:
        yield place


def test_a_read_only_folder_can_be_read_and_says_so_when_written(frozen: Path) -> None:
    (kept,) = archives.listed(frozen, "prod")
    assert archives.check(kept) == []
    assert archives.sweep(frozen, "prod") == []
    for change in (
        lambda: keep(frozen),
        lambda: archives.delete(kept.folder),
        lambda: archives.record_proof(kept, PROOF),
    ):
        with pytest.raises(ConfigurationError) as raised:
            change()
        assert raised.value.message.endswith("cannot be written: its file system is read-only")


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("")
    with pytest.raises(ConfigurationError, match="is a file where a folder is needed"):
        keep(tmp_path / "backups")
    with pytest.raises(ConfigurationError, match="is a file where a folder is needed"):
        keep(tmp_path / "backups/below")
