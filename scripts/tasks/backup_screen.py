"""What people and programs see of backups: a table, a bar, verdicts, documents. Deletes nothing."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.migrations import archives, pruning
from app.migrations.archives import Archive
from app.migrations.pruning import Judgement
from app.migrations.retention import Policy, Verdict
from scripts.tasks import bars, documents
from scripts.tasks.documents import Document
from scripts.tasks.lines import Part, say

if TYPE_CHECKING:
    from app.migrations.gate import Secured

Faults = Mapping[str, Sequence[str]]

STAMP = 16
"""Characters of a backup's name that say when; they name it where no other was begun in the same second."""


def check_all(found: Sequence[Archive], quiet: bool) -> dict[str, list[str]]:
    """Read every byte of the backups; return what is wrong with each, by name."""
    with bars.counted("reading the backups", sum(archive.size for archive in found), quiet) as advance:
        return {archive.name: archives.check(archive, advance) for archive in found}


def judge(found: Sequence[Archive], dead: Sequence[str], policy: Policy, quiet: bool) -> Judgement:
    """Decide what `db.prune` deletes; say on stderr which backups do not count because they are damaged."""
    with bars.counted("reading the backups that stay", None, quiet) as advance:
        judgement = pruning.judge(found, dead, policy, advance)
    for name, fault in judgement.damaged.items():
        print(f"warning: the backup {name} is not intact: {fault}", file=sys.stderr)
    return judgement


def made(archive: Archive, as_document: bool) -> None:
    """Say what was backed up, and where it is."""
    if as_document:
        documents.show(archive_document(archive, None))
        return
    described = archive.readable()
    held = f"{count(sum(described.rows.values()))} rows in {len(described.rows)} tables, {size(archive.size)}"
    say(("done", "bold green"), f": backed up {described.described} at {', '.join(described.revisions) or 'base'}")
    say(f"  {archive.folder}: {held}, in {described.seconds:.1f} s")
    if described.proof is None:
        say(f"  not proven yet: inv db.prove --env={described.environment} --backup={archive.name}")


def proved(archive: Archive, as_document: bool) -> None:
    """Say whether the restored backup was what was backed up."""
    if as_document:
        documents.show(archive_document(archive, None))
        return
    proof = archive.readable().proof
    if proof is not None and proof.equal:
        where = f"restored on PostgreSQL {proof.server_version} and found equal, in {proof.seconds:.1f} s"
        say(("proven", "bold green"), f": {archive.folder}, {where}")


def secured(way_back: "Secured") -> None:
    """Say, before a change, which backup was made for it."""
    archive = way_back.archive
    state = "backed up and proven" if archive.proven else "backed up"
    mark = f", restore point {way_back.restore_point} at {way_back.lsn}" if way_back.lsn else ""
    say((state, "green"), f": {archive.name}, {size(archive.size)}{mark}")


def backups(name: str, home: Path, found: Sequence[Archive], faults: Faults | None) -> None:
    """Print the table of `db.backups`, the newest first; `faults` is None where nothing was read."""
    if not found:
        say(f"there is no backup of {name} in {home}")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("age", "backup", "revision", "size", "rows", "proven", *(["intact"] if faults is not None else [])):
        folds = column in {"backup", "revision"}
        table.add_column(
            column, overflow="fold", no_wrap=not folds, justify="right" if column in {"size", "rows"} else "left"
        )
    now = datetime.now(UTC)
    for archive in found:
        table.add_row(*(Text(cell) for cell in _cells(archive, found, now, faults)))
    Console(highlight=False).print(table)
    total = f"{len(found)} {'backup' if len(found) == 1 else 'backups'}"
    say(f"{total} of {name}, {size(sum(archive.size for archive in found))}, in {home}")
    for archive in found:
        for fault in (faults or {}).get(archive.name, [archive.fault] if archive.fault else []):
            say(("not usable  ", "bold red"), f"{archive.name}: {fault}")


def _cells(archive: Archive, found: Sequence[Archive], now: datetime, faults: Faults | None) -> list[str]:
    described = archive.manifest
    alone = sum(one.name.startswith(archive.name[:STAMP]) for one in found) == 1
    cells = [
        age(now - archive.started),
        archive.name[:STAMP] if alone else archive.name,
        ", ".join(described.revisions) or "base" if described else "?",
        size(archive.size),
        count(sum(described.rows.values())) if described else "?",
        proven(archive),
    ]
    return cells if faults is None else [*cells, "no" if faults[archive.name] else "yes"]


def proven(archive: Archive) -> str:
    """Return whether a backup was restored and compared, in a word."""
    if archive.manifest is None:
        return "?"
    proof = archive.manifest.proof
    return "not yet" if proof is None else "yes" if proof.equal else "DIFFERS"


def verdicts(name: str, home: Path, found: Sequence[Verdict], quiet: bool) -> None:
    """Say, before it is done, what `db.prune` deletes and why the others stay; on stderr where `quiet`."""
    lines: list[tuple[Part, ...]] = [
        ("  ", ("delete", "bold red") if one.deleted else ("keep  ", "green"), f"  {one.name}  ", (one.reason, "dim"))
        for one in found
    ]
    if not any(one.deleted for one in found):
        lines = [(f"nothing to delete: {len(found)} of {name} in {home} stay",)]
    for line in lines:
        if quiet:
            print("".join(part if isinstance(part, str) else part[0] for part in line), file=sys.stderr)
        else:
            say(*line)
    (sys.stderr if quiet else sys.stdout).flush()


def kept_after_all(found: Sequence[Verdict], reached: Sequence[Verdict]) -> None:
    """Say on stderr which backups `db.prune` was to delete and did not, and why."""
    for before, after in zip(found, reached, strict=True):
        if before.deleted and not after.deleted:
            print(f"warning: the backup {after.name} stays for now: {after.reason}", file=sys.stderr)


def age(passed: timedelta) -> str:
    """Return a time that has passed, in its largest unit."""
    seconds = max(0, int(passed.total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def size(number: float) -> str:
    """Return a number of bytes in decimal units."""
    if number < 1000:
        return f"{number:.0f} B"
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 999.5:
            return f"{number:.3g} {unit}"
    return f"{number / 1000:,.1f} TB"


def count(number: int) -> str:
    """Return a number of rows in few characters."""
    return f"{number:,}" if number < 10_000_000 else f"{number / 1e6:,.0f} M"


def backups_document(name: str, home: Path, found: Sequence[Archive], faults: Faults | None) -> Document:
    """Return what `db.backups` answers, the newest first; `intact` is null where nothing was read."""
    return {
        "environment": name,
        "folder": str(home),
        "backups": [archive_document(archive, None if faults is None else faults[archive.name]) for archive in found],
    }


def archive_document(archive: Archive, faults: Sequence[str] | None) -> Document:
    """Return one backup; what only its manifest says is null where that cannot be trusted."""
    described = archive.manifest
    proof = described.proof if described else None
    return {
        "name": archive.name,
        "path": str(archive.folder),
        "started_at": archive.started.isoformat(),
        "duration_ms": round(described.seconds * 1000) if described else None,
        "size": archive.size,
        "database": described.described if described else None,
        "server": described.server_version if described else None,
        "revisions": list(described.revisions) if described else None,
        "rows": sum(described.rows.values()) if described else None,
        "proven": described.proven if described else None,
        "proof": {
            "proved_at": proof.proved_at,
            "duration_ms": round(proof.seconds * 1000),
            "server": proof.server_version,
            "equal": proof.equal,
            "differences": list(proof.differences),
        }
        if proof
        else None,
        "intact": False if archive.fault else None if faults is None else not faults,
        "faults": list(faults if faults is not None else [archive.fault] if archive.fault else []),
    }


def prune_document(name: str, home: Path, found: Sequence[Verdict]) -> Document:
    """Return what `db.prune` has done, the newest first."""
    rows = [{"name": one.name, "deleted": one.deleted, "reason": one.reason} for one in found]
    return {"environment": name, "folder": str(home), "backups": rows}
