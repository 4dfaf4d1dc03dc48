"""What is read before a backup is deleted, and what is left when deleting is cut short."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.migrations import archives, drafts, pruning
from app.migrations.archives import Archive
from app.migrations.pruning import Judgement
from app.migrations.retention import Policy
from tests.migrations.kept_backups import PROOF, STARTED, keep

NOW = STARTED + timedelta(days=5)


def kept(home: Path, days: int, **changes: Any) -> Archive:
    return keep(home, age=timedelta(days=days), **changes)


def spoil(archive: Archive) -> None:
    (archive.dump / "toc.dat").write_bytes(b"table of c0ntents")


def judged(home: Path, count: int) -> Judgement:
    return pruning.judge(archives.listed(home, "prod"), [], Policy(count, NOW))


def deleted(judgement: Judgement) -> list[str]:
    return [verdict.name for verdict in judgement.verdicts if verdict.deleted]


def test_only_what_a_deletion_rests_on_is_read(tmp_path: Path) -> None:
    backups = [kept(tmp_path, days, proof=PROOF if days in {3, 4} else None) for days in (5, 4, 3, 2, 1, 0)]
    read: list[int] = []
    pruning.judge(archives.listed(tmp_path, "prod"), [], Policy(2, NOW), read.append)
    assert sum(read) == 3 * backups[0].size
    read.clear()
    pruning.judge(archives.listed(tmp_path, "prod"), [], Policy(6, NOW), read.append)
    assert read == []


def test_the_damaged_are_named_and_older_ones_take_their_place(tmp_path: Path) -> None:
    backups = [kept(tmp_path, days) for days in (4, 3, 2, 1)]
    spoil(backups[3])
    judgement = judged(tmp_path, 2)
    assert judgement.damaged == {backups[3].name: "dump/toc.dat was changed: its bytes are not those that were written"}
    assert deleted(judgement) == [backups[0].name]


def test_a_last_proven_one_that_is_damaged_protects_an_older_one(tmp_path: Path) -> None:
    backups = [kept(tmp_path, days, proof=PROOF if days > 2 else None) for days in (5, 4, 2, 1)]
    assert deleted(judged(tmp_path, 1)) == [backups[2].name, backups[0].name]
    spoil(backups[1])
    assert deleted(judged(tmp_path, 1)) == [backups[2].name, backups[1].name]


def test_one_whose_proof_failed_does_not_count(tmp_path: Path) -> None:
    good = kept(tmp_path, 4)
    for days in (3, 2, 1):
        kept(tmp_path, days, proof=PROOF._replace(equal=False))
    assert good.name not in deleted(judged(tmp_path, 1))


def test_deleting_that_is_cut_short_leaves_whole_backups_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups = [kept(tmp_path, days) for days in (4, 3, 2, 1)]
    judgement = judged(tmp_path, 1)
    monkeypatch.setattr(drafts, "_remove", lambda folder: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        pruning.apply(tmp_path, "prod", judgement)
    monkeypatch.undo()
    whole = archives.listed(tmp_path, "prod")
    assert [archive.name for archive in whole] == [backups[n].name for n in (3, 1, 0)]
    assert [archives.check(archive) for archive in whole] == [[], [], []]
    pruning.apply(tmp_path, "prod", judgement)
    assert sorted(path.name for path in (tmp_path / "prod").iterdir()) == [".lock", backups[3].name]


def test_a_last_one_with_rows_that_is_damaged_protects_an_older_one(tmp_path: Path) -> None:
    backups = [kept(tmp_path, days, rows={"t": 0 if days < 3 else 1}) for days in (5, 4, 2, 1)]
    assert deleted(judged(tmp_path, 1)) == [backups[2].name, backups[0].name]
    spoil(backups[1])
    assert deleted(judged(tmp_path, 1)) == [backups[2].name, backups[1].name]


def test_a_backup_that_is_read_stays_until_that_is_over(tmp_path: Path) -> None:
    backups = [kept(tmp_path, days) for days in (4, 3, 2, 1)]
    judgement = judged(tmp_path, 1)
    with archives.reading(backups[1].folder):
        reached = pruning.apply(tmp_path, "prod", judgement)
    assert [(verdict.name, verdict.reason) for verdict in reached if not verdict.deleted][1:] == [
        (backups[1].name, "another command is reading it")
    ]
    assert [archive.name for archive in archives.listed(tmp_path, "prod")] == [backups[n].name for n in (3, 1)]
    pruning.apply(tmp_path, "prod", judged(tmp_path, 1))
    assert [archive.name for archive in archives.listed(tmp_path, "prod")] == [backups[3].name]
