"""Looks at backups before any is deleted, and deletes what is no longer needed. What goes is decided by retention."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from app.migrations import archives, retention
from app.migrations.archives import Archive
from app.migrations.checksums import Advance
from app.migrations.retention import Backup, Policy, Verdict

IN_USE = "another command is reading it"


class Judgement(NamedTuple):
    """A verdict on each backup, the newest first, and the first fault of each that was found to be damaged, by name."""

    verdicts: list[Verdict]
    damaged: dict[str, str]


def judge(found: Sequence[Archive], dead: Sequence[str], policy: Policy, advance: Advance | None = None) -> Judgement:
    """Decide which of the backups `found`, the newest first, and of the leftovers `dead` go. Deletes nothing.

    Every byte is read of those on which a deletion rests: the newest intact ones, the last proven one and the last
     one with rows. Where nothing is to be deleted nothing is read. One whose proof failed counts no more than
    one that is damaged.
    """
    damaged: dict[str, str] = {}

    def verdicts() -> list[Verdict]:
        usable = {one.name for one in found if one.manifest and not one.refuted} - damaged.keys()
        seen = [Backup(one.name, one.started, one.name in usable, one.proven, one.empty) for one in found]
        return retention.decide(seen, dead, policy)

    if sum(verdict.deleted for verdict in verdicts()) > len(dead):
        damaged |= _damaged(found, policy.keep, advance)
    return Judgement(verdicts(), damaged)


def _damaged(found: Sequence[Archive], keep: int, advance: Advance | None) -> dict[str, str]:
    good: list[Archive] = []
    bad: dict[str, str] = {}
    for archive in (one for one in found if one.manifest and not one.refuted):
        proof, rows = any(one.proven for one in good), any(not one.empty for one in good)
        if len(good) >= keep and (proof or not archive.proven) and (rows or archive.empty):
            continue
        if faults := archives.check(archive, advance):
            bad[archive.name] = faults[0]
        else:
            good.append(archive)
    return bad


def apply(backup_dir: Path, environment: str, judgement: Judgement) -> list[Verdict]:
    """Delete what the verdicts say, one backup after the other, and what killed commands left; return what came of it.

    A backup that another command reads, to restore or to prove it, stays. Killed in between, it leaves whole backups
    and what the next `sweep` removes. Raises ConfigurationError.
    """
    left = {archive.name for archive in archives.listed(backup_dir, environment)}
    reached = []
    for verdict in judgement.verdicts:
        try:
            if verdict.deleted and verdict.name in left:
                archives.delete(backup_dir / environment / verdict.name)
        except archives.InUseError:
            reached.append(verdict._replace(deleted=False, reason=IN_USE))
        else:
            reached.append(verdict)
    archives.sweep(backup_dir, environment)
    return reached
