"""What people and programs see of a rehearsal. Decides nothing."""

from typing import TYPE_CHECKING, Any

from app.migrations import plan_report, weights
from scripts.tasks import plan_screen
from scripts.tasks.lines import say

if TYPE_CHECKING:
    from app.migrations.rehearsal import Back, Rehearsal, Size

Document = dict[str, Any]
SHOWN = 10


def report(name: str, found: "Rehearsal") -> None:
    """Print what happened, revision by revision, and how long the upgrade will take."""
    settings = "the target's settings" if found.settings is not None else "PostgreSQL's own settings"
    say(f"{name}: rehearsed on {found.archive.name}, on {found.server}, with {settings}")
    if not found.forecast.trace.steps:
        say("nothing is pending on this backup")
        return
    plan_screen.forecast(found.forecast)
    for step in found.forecast.trace.steps:
        held = [row for row in plan_report.table_locks(step) if row.held_ms is not None]
        for row in held[:SHOWN]:
            say(
                f"  {step.revision}  {row.table}: {row.lock.mode} for {plan_report.duration((row.held_ms or 0) / 1000)}"
            )
    for size in found.sizes[:SHOWN]:
        say(f"  size  {size.table}: {_bytes(size.before)} -> {_bytes(size.after)}")
    say(f"  size  the database: {_bytes(found.database[0])} -> {_bytes(found.database[1])}")
    if found.back is not None:
        _way_back(found.back)
    total = sum(step.ms for step in found.forecast.trace.steps) / 1000
    say(("expect", "bold"), f" about {plan_report.duration(total)} for the upgrade itself")


def _way_back(back: "Back") -> None:
    took = plan_report.duration(sum(way.seconds for way in back.down))
    if back.stopped:
        say(("no", "bold red"), f": the way back ends: {back.stopped}")
        return
    say(f"  going down takes {took}, and up again {plan_report.duration(sum(way.seconds for way in back.up))}")
    for one in back.differences[:SHOWN]:
        say(("no", "bold red"), f": {one.words('the backup', 'what the downgrade left')}")
    for one in back.again[:SHOWN]:
        say(("no", "bold red"), f": {one.words('the first upgrade', 'the second')}")
    for gone in back.lost[:SHOWN]:
        say(("lost  ", "bold yellow"), f"by going down and up again: {gone.detail}")
    if not back.lost:
        say("  no row and no value is lost by going down and up again")


def _bytes(count: int | None) -> str:
    return "none" if count is None else weights.size(count)


def document(name: str, found: "Rehearsal") -> Document:
    """Return what `db.rehearse --json` answers."""
    back = found.back
    return {
        "environment": name,
        "backup": found.archive.name,
        "server": found.server,
        "settings": None if found.settings is None else dict(found.settings),
        "restored_seconds": round(found.restored_seconds, 3),
        "bytes": {"before": found.database[0], "after": found.database[1]},
        "sizes": [_size(size) for size in found.sizes],
        "plan": plan_report.document(found.forecast),
        "back": None if back is None else _back(back),
    }


def _size(size: "Size") -> Document:
    return size._asdict()


def _back(back: "Back") -> Document:
    return {
        "clean": back.clean,
        "stopped": back.stopped or None,
        "down": [{"revision": way.revision, "seconds": round(way.seconds, 3)} for way in back.down],
        "up": [{"revision": way.revision, "seconds": round(way.seconds, 3)} for way in back.up],
        "differences": [one.to_document() for one in back.differences],
        "differences_again": [one.to_document() for one in back.again],
        "lost": [one._asdict() for one in back.lost],
    }
