"""Who reads a backup keeps it from being deleted, and who deletes it keeps others from beginning to read it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.migrations import archive_lock, archives
from app.migrations.archive_lock import InUseError
from app.migrations.errors import Refused
from tests.migrations.kept_backups import keep

READ = """
import sys
from pathlib import Path
from app.migrations import archive_lock
with archive_lock.reading(Path(sys.argv[1])):
    print("reading", flush=True)
    sys.stdin.read()
"""
ROOT = Path(__file__).resolve().parents[2]


def test_several_read_at_the_same_time_and_then_it_can_be_deleted(tmp_path: Path) -> None:
    folder = keep(tmp_path).folder
    with archive_lock.reading(folder), archive_lock.reading(folder):
        pass
    archives.delete(folder)
    assert not folder.exists()


def test_what_is_read_is_not_deleted(tmp_path: Path) -> None:
    kept = keep(tmp_path)
    with archive_lock.reading(kept.folder), pytest.raises(InUseError):
        archives.delete(kept.folder)
    assert archives.check(kept) == []


def test_what_is_being_deleted_cannot_be_read(tmp_path: Path) -> None:
    kept = keep(tmp_path)
    with archive_lock.deleting(kept.folder):
        assert archives.check(kept) == [
            f"the backup {kept.name} is being deleted by another command; nothing was changed"
        ]
        with pytest.raises(Refused, match="is being deleted"), archive_lock.reading(kept.folder):
            pass


def test_a_reader_that_was_killed_is_in_nobodys_way(tmp_path: Path) -> None:
    folder = keep(tmp_path).folder
    command = [sys.executable, "-c", READ, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
        with pytest.raises(InUseError), archive_lock.deleting(folder):
            pass
        reader.send_signal(signal.SIGKILL)
        reader.wait()
    archives.delete(folder)
    assert not folder.exists()


def test_a_backup_without_its_table_of_contents_can_be_deleted_and_is_found_damaged(tmp_path: Path) -> None:
    kept = keep(tmp_path)
    (kept.dump / "toc.dat").unlink()
    assert archives.check(kept) == ["dump/toc.dat is missing"]
    archives.delete(kept.folder)
    assert not kept.folder.exists()
