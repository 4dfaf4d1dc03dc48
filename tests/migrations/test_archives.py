"""Backups in their folders: listed, found by name, proven."""

import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.migrations import archives, manifest
from app.migrations.archives import Archive
from app.migrations.errors import ConfigurationError, Refused
from tests.migrations.kept_backups import PROOF, SAMPLE, STARTED, keep

DAY = timedelta(days=1)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """A small backup that is intact."""
    return keep(tmp_path)


def test_the_folder_begins_at_the_repository(tmp_path: Path) -> None:
    assert archives.resolve_dir(tmp_path, "backups") == tmp_path / "backups"
    assert archives.resolve_dir(tmp_path, "/mnt/backups") == Path("/mnt/backups")


def test_the_newest_comes_first_and_strangers_are_left_out(tmp_path: Path) -> None:
    names = [keep(tmp_path, age=n * DAY).name for n in (3, 1, 2)]
    (tmp_path / "prod/notes").mkdir()
    (tmp_path / "prod/20261122T101530Z_abc.partial").mkdir()
    (tmp_path / "prod/20261122T101530Z_file").write_text("")
    assert [archive.name for archive in archives.listed(tmp_path, "prod")] == [names[1], names[2], names[0]]
    assert archives.listed(tmp_path, "staging") == []


def turned_into_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "manifest.json is missing"),
    "empty": (lambda path: path.write_bytes(b""), "manifest.json is damaged"),
    "a folder": (
        turned_into_a_folder,
        "manifest.json cannot be read: Is a directory",
    ),
    "another environment's": (
        lambda path: path.write_bytes(manifest.render(replace(SAMPLE, environment="staging"))),
        "it is a backup of staging, not of prod",
    ),
}


@pytest.mark.parametrize(("spoil", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_manifest_that_cannot_be_trusted_is_a_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], object], fault: str
) -> None:
    old, new = keep(tmp_path, age=DAY), keep(tmp_path)
    spoil(new.folder / manifest.NAME)
    listed = archives.listed(tmp_path, "prod")
    assert [archive.name for archive in listed] == [new.name, old.name]
    assert (listed[0].manifest, listed[0].started) == (None, STARTED)
    assert fault in listed[0].fault
    assert archives.check(listed[0]) != []
    assert archives.find(tmp_path, "prod") == old
    assert f"warning: the backup {new.name} is passed over: " in capsys.readouterr().err
    with pytest.raises(Refused, match=f"the backup {new.name} cannot be used"):
        archives.find(tmp_path, "prod", new.name).readable()


def test_the_latest_is_none_whose_proof_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = keep(tmp_path, age=DAY), keep(tmp_path, proof=PROOF._replace(equal=False))
    assert archives.find(tmp_path, "prod") == old
    assert capsys.readouterr().err == (
        f"warning: the backup {new.name} is passed over: a restore of it differed from its manifest\n"
    )
    assert archives.find(tmp_path, "prod", refuted_too=True) == new
    assert archives.find(tmp_path, "prod", new.name) == new
    assert capsys.readouterr().err == ""


def test_a_backup_is_found_by_name_beginning_and_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = keep(tmp_path, age=DAY), keep(tmp_path)
    monkeypatch.chdir(tmp_path)
    for which, meant in {
        "latest": new,
        old.name: old,
        "20261121": old,
        str(old.folder): old,
        f"{old.folder}/": old,
        f"./prod/{new.name}": new,
    }.items():
        assert archives.find(tmp_path, "prod", which).name == meant.name
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("which", ["", "2026", "nonsense", "/", "/nowhere/at/all", "../prod", "."])
def test_what_cannot_be_found_lists_what_there_is(tmp_path: Path, which: str) -> None:
    names = [keep(tmp_path, age=n * DAY).name for n in range(7)]
    with pytest.raises(ConfigurationError) as raised:
        archives.find(tmp_path, "prod", which)
    assert f"{', '.join(names[:5])} and 2 more" in raised.value.message
    assert raised.value.hint == "inv db.backups --env=prod"


def test_no_backup_at_all_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        archives.find(tmp_path, "prod")
    assert str(raised.value) == (
        f"error: there is no backup that can be used: {tmp_path}/prod holds none\n  next: inv db.backup --env=prod"
    )


def test_a_half_made_backup_is_not_found_by_its_path_either(tmp_path: Path) -> None:
    kept = keep(tmp_path)
    half = kept.folder.rename(f"{kept.folder}.partial")
    with pytest.raises(ConfigurationError):
        archives.find(tmp_path, "prod", str(half))


def test_a_proof_is_recorded_in_one_step_and_changes_nothing_else(archive: Archive) -> None:
    proven = archives.record_proof(archive, PROOF)
    assert proven.manifest == replace(archive.readable(), proof=PROOF)
    assert proven.proven
    assert archives.check(proven) == archives.check(archive) == []
    assert stat.S_IMODE((archive.folder / manifest.NAME).stat().st_mode) == 0o600
    assert not archives.record_proof(proven, PROOF._replace(equal=False)).proven


def test_a_killed_proof_leaves_the_backup_intact(archive: Archive) -> None:
    (archive.folder / ".manifest.json.1234abcd").write_text("half of a mani")
    assert archives.check(archive) == []
    assert archives.hash_files(archive.folder) == archive.readable().files


def test_the_proof_of_another_backup_is_not_recorded(archive: Archive, tmp_path: Path) -> None:
    other = manifest.render(replace(archive.readable(), rows={"t": 1}))
    (archive.folder / manifest.NAME).write_bytes(other)
    with pytest.raises(Refused, match="was replaced by another while it was proven"):
        archives.record_proof(archive, PROOF)
    assert (archive.folder / manifest.NAME).read_bytes() == other
