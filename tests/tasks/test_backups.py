"""`inv db.backups` and `inv db.prune`, on folders of backups, with no database within reach."""

import json
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.migrations import archives, manifest
from app.migrations.archives import Archive
from tests.clones import Clone, Done
from tests.migrations.kept_backups import PROOF, STARTED, keep

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
TASKS = """
from invoke.collection import Collection
from scripts.tasks import backups

db = Collection("db", backups.backups, backups.prune)
namespace = Collection(db)
"""


@pytest.fixture
def home(clone: Clone) -> Path:
    """The backups of a clone whose database nobody can reach."""
    (clone.folder / "tasks.py").write_text(TASKS)
    clone.environment |= {"DATABASE_URL": "postgresql://me:hunter22@nowhere.invalid/app", "APP_ENV": "prod"}
    return clone.folder / "backups"


def kept(home: Path, days: float, **changes: Any) -> Archive:
    """A backup of that age."""
    return keep(home, age=STARTED - NOW + days * DAY, **changes)


def spoil(archive: Archive, name: str = "dump/1.dat.gz") -> Archive:
    path = archive.folder / name
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    return archive


def rows(done: Done) -> list[list[str]]:
    return [re.split(r" {2,}", line.strip()) for line in done.out.splitlines()]


def left(home: Path) -> list[str]:
    return [archive.name for archive in archives.listed(home, "prod")]


def test_no_backup_is_an_answer(clone: Clone, home: Path) -> None:
    assert clone.inv("db.backups").out == f"there is no backup of prod in {home}/prod\n"
    assert json.loads(clone.inv("db.backups", "--check", "--json").out)["backups"] == []
    assert clone.inv("db.prune").out == f"nothing to delete: 0 of prod in {home}/prod stay\n"
    assert not home.exists()


def test_there_need_be_no_url_either(clone: Clone, home: Path) -> None:
    del clone.environment["DATABASE_URL"]
    kept(home, 1)
    assert "1 backup of prod" in clone.inv("db.backups").out


def test_the_backups_are_shown_newest_first(clone: Clone, home: Path) -> None:
    old = kept(home, 40.5, revisions=(), rows={}, proof=PROOF)
    new = kept(home, 0.25, revisions=("abc", "def"), rows={"a": 1_234_567})
    broken = spoil(kept(home, 2), "manifest.json")
    done = clone.inv("db.backups")
    assert rows(done)[:4] == [
        ["age", "backup", "revision", "size", "rows", "proven"],
        ["6 h", new.name[:16], "abc, def", "21 B", "1,234,567", "not yet"],
        ["2 d", broken.name[:16], "?", f"{broken_size(broken)}", "?", "?"],
        ["40 d", old.name[:16], "base", "21 B", "0", "yes"],
    ]
    assert f"3 backups of prod, {total_size([old, new, broken])}, in {home}/prod" in done.out
    assert f"not usable  {broken.name}: {broken.name}/manifest.json is damaged" in done.out


def broken_size(archive: Archive) -> str:
    total = sum(path.stat().st_size for path in archive.folder.rglob("*") if path.is_file())
    return f"{total / 1000:.3g} kB"


def total_size(found: list[Archive]) -> str:
    total = sum(archives.read(archive.folder).size for archive in found)
    return f"{total / 1000:.3g} kB"


def test_it_fits_80_columns(clone: Clone, home: Path) -> None:
    for days, count in ((400, 9_999_999), (3, 10**12), (0.1, 0)):
        kept(home, days, rows={"t": count}, revisions=("a91f6d2c4b7e", "e5a72b8c9d0f"), proof=PROOF)
    table = clone.inv("db.backups", "--check", COLUMNS="80").out.splitlines()[:-1]
    assert max(map(len, table)) <= 80
    assert "e5a72b8c9d0f" in "".join(table)


def test_backups_of_one_second_are_told_apart(clone: Clone, home: Path) -> None:
    names = {keep(home).name for _ in range(2)}
    assert names <= set(clone.inv("db.backups", COLUMNS="140").out.split())


def test_a_damaged_backup_is_an_answer_of_no(clone: Clone, home: Path) -> None:
    good, bad = kept(home, 2), kept(home, 1)
    assert clone.inv("db.backups", "--check").code == 0
    spoil(bad)
    assert clone.inv("db.backups").code == 0
    done = clone.inv("db.backups", "--check", ok=False)
    assert done.code == 1
    assert [row[-1] for row in rows(done)[:3]] == ["intact", "no", "yes"]
    assert f"not usable  {bad.name}: dump/1.dat.gz was changed" in done.out
    assert done.err == (
        f"error: of 2 backups of prod, 1 cannot be relied on: {bad.name}\n  next: inv db.backup --env=prod --prove\n"
    )
    assert left(home) == [bad.name, good.name]


def test_the_document_says_all(clone: Clone, home: Path) -> None:
    proven, plain, bad = kept(home, 3, proof=PROOF), kept(home, 2), spoil(kept(home, 1), "manifest.json")
    answer = json.loads(clone.inv("db.backups", "--json").out)
    assert (answer["environment"], answer["folder"]) == ("prod", f"{home}/prod")
    assert [one["name"] for one in answer["backups"]] == [bad.name, plain.name, proven.name]
    assert answer["backups"][2] == {
        "name": proven.name,
        "path": str(proven.folder),
        "started_at": proven.readable().started_at,
        "duration_ms": 2500,
        "size": 21,
        "database": 'database "MassaCorp été" on db.example:5432 as user "me"',
        "server": "18.4",
        "revisions": ["a91f6d2c4b7e"],
        "rows": 15,
        "proven": True,
        "proof": {
            "proved_at": "2026-11-22T11:00:00+00:00",
            "duration_ms": 1500,
            "server": "18.4",
            "equal": True,
            "differences": [],
        },
        "intact": None,
        "faults": [],
    }
    assert (answer["backups"][1]["proven"], answer["backups"][1]["proof"]) == (False, None)
    assert list(answer["backups"][0]) == list(answer["backups"][2])
    assert answer["backups"][0]["revisions"] is None
    assert answer["backups"][0]["intact"] is False


def test_the_document_of_a_check_says_what_is_damaged(clone: Clone, home: Path) -> None:
    spoil(kept(home, 2)), kept(home, 1)
    done = clone.inv("db.backups", "--check", "--json", ok=False)
    assert done.code == 1
    assert [(one["intact"], one["faults"]) for one in json.loads(done.out)["backups"]] == [
        (True, []),
        (False, ["dump/1.dat.gz was changed: its bytes are not those that were written"]),
    ]


def test_backup_dir_may_be_elsewhere(clone: Clone, home: Path, tmp_path: Path) -> None:
    there = keep(tmp_path / "bäck ups")
    done = clone.inv("db.backups", "--json", BACKUP_DIR=str(tmp_path / "bäck ups"))
    assert [one["name"] for one in json.loads(done.out)["backups"]] == [there.name]


def keep_two(clone: Clone) -> None:
    path = clone.folder / "envs/prod.env"
    path.write_text(path.read_text().replace("BACKUP_KEEP=10", "BACKUP_KEEP=2"))


def test_old_backups_are_named_then_deleted(clone: Clone, home: Path) -> None:
    keep_two(clone)
    proven, old, *new = [kept(home, days, proof=PROOF if days == 9 else None) for days in (9, 8, 3, 2)]
    half = shutil.copytree(old.folder, f"{old.folder}x.partial")
    done = clone.inv("db.prune")
    assert done.out == (
        f"  keep    {new[1].name}  one of the 2 newest\n"
        f"  keep    {new[0].name}  one of the 2 newest\n"
        f"  delete  {old.name}  there are 2 newer ones\n"
        f"  keep    {proven.name}  the last proven one\n"
        f"  delete  {Path(half).name}  left half-made by a command that was killed\n"
    )
    assert sorted(path.name for path in (home / "prod").iterdir()) == [".lock", *sorted(a.name for a in (proven, *new))]
    assert clone.inv("db.prune").out == f"nothing to delete: 3 of prod in {home}/prod stay\n"


def test_a_backup_that_another_command_reads_stays_and_that_is_said(clone: Clone, home: Path) -> None:
    keep_two(clone)
    names = [kept(home, days).name for days in (4, 3, 2)]
    with archives.reading(home / "prod" / names[0]):
        done = clone.inv("db.prune", "--json")
    assert f"warning: the backup {names[0]} stays for now: another command is reading it" in done.err
    told = {"name": names[0], "deleted": False, "reason": "another command is reading it"}
    assert json.loads(done.out)["backups"][2] == told
    assert left(home) == names[::-1]


def test_what_is_younger_than_a_day_goes_only_with_consent(clone: Clone, home: Path) -> None:
    keep_two(clone)
    young = [kept(home, hours / 24) for hours in (9, 8, 7)]
    clone.inv("db.prune")
    assert len(left(home)) == 3
    clone.inv("db.prune", "--yes")
    assert left(home) == [young[2].name, young[1].name]


def test_a_damaged_backup_does_not_stand_in_for_a_good_one(clone: Clone, home: Path) -> None:
    keep_two(clone)
    good = [kept(home, 9, proof=PROOF), kept(home, 8)]
    bad = [spoil(kept(home, 3, proof=PROOF)), spoil(kept(home, 2), manifest.NAME)]
    done = clone.inv("db.prune")
    assert left(home) == [bad[1].name, bad[0].name, good[1].name, good[0].name]
    assert f"warning: the backup {bad[0].name} is not intact: dump/1.dat.gz was changed" in done.err


def test_the_document_of_a_prune_says_what_went(clone: Clone, home: Path) -> None:
    keep_two(clone)
    names = [kept(home, days).name for days in (4, 3, 2)]
    done = clone.inv("db.prune", "--json")
    assert json.loads(done.out) == {
        "environment": "prod",
        "folder": f"{home}/prod",
        "backups": [
            {"name": names[2], "deleted": False, "reason": "one of the 2 newest"},
            {"name": names[1], "deleted": False, "reason": "one of the 2 newest"},
            {"name": names[0], "deleted": True, "reason": "there are 2 newer ones"},
        ],
    }
    assert f"  delete  {names[0]}" in done.err
    assert left(home) == names[:0:-1]


def test_nothing_is_read_where_nothing_is_deleted(clone: Clone, home: Path) -> None:
    """A backup that is damaged in its rows alone is not even looked at."""
    spoil(kept(home, 2))
    assert clone.inv("db.prune").err == ""


def test_a_folder_that_cannot_be_read_is_named(clone: Clone, home: Path) -> None:
    home.mkdir()
    (home / "prod").write_text("")
    done = clone.inv("db.backups", ok=False)
    assert done.code == 2
    assert done.err.startswith(f"error: {home}/prod is a file where a folder is needed\n  next: BACKUP_DIR=")


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="no other file system here")
def test_backups_on_another_file_system_are_pruned(clone: Clone, home: Path, tmp_path: Path) -> None:
    keep_two(clone)
    other = Path("/dev/shm") / f"backups of {tmp_path.name} {os.getpid()}"
    try:
        for days in (4, 3, 2):
            kept(other, days)
        clone.inv("db.prune", BACKUP_DIR=str(other))
        assert len(left(other)) == 2
    finally:
        shutil.rmtree(other)
