"""The code of revisions, read ahead of the run."""

import sys
import threading
from pathlib import Path

import pytest

from app.migrations.code_reader import CodeReader
from app.migrations.revision import digest


def revisions(folder: Path, count: int) -> list[str]:
    paths = [folder / f"{number}.py" for number in range(count)]
    for path in paths:
        path.write_text(f'revision = "{path.stem}"\n')
    return [str(path) for path in paths]


def test_what_is_read_ahead_is_what_stands_in_the_files(tmp_path: Path) -> None:
    paths, reader = revisions(tmp_path, 300), CodeReader()
    reader.start(paths)
    try:
        found = [reader[path] for path in reversed(paths)]
    finally:
        reader.close()
    assert [code.source for code in found] == [f'revision = "{number}"\n' for number in reversed(range(300))]
    assert all(code.digest == digest(code.source) for code in found)


def test_a_file_is_read_before_the_thread_has_come_to_it_and_without_one(tmp_path: Path) -> None:
    (path,) = revisions(tmp_path, 1)
    assert CodeReader()[path].source == 'revision = "0"\n'


def test_a_file_that_is_gone_is_told_where_it_is_needed(tmp_path: Path) -> None:
    reader, gone = CodeReader(), str(tmp_path / "gone.py")
    reader.start([gone])
    reader.close()
    with pytest.raises(FileNotFoundError):
        reader[gone]


def test_bytes_that_are_no_text_are_kept_as_far_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_bytes(b"revision = '\xff\0'")
    assert CodeReader()[str(path)].source == "revision = '\ufffd'"


def test_nothing_of_it_is_left_afterwards(tmp_path: Path) -> None:
    interval, reader = sys.getswitchinterval(), CodeReader()
    reader.start(revisions(tmp_path, 50))
    reader.start([])
    reader.close()
    assert sys.getswitchinterval() == interval
    assert "code" not in {thread.name for thread in threading.enumerate()}
