"""What people see of a roundtrip: the bar, a line for each revision, the faults with what to write instead."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scripts.tasks import bars
from scripts.tasks.lines import say

if TYPE_CHECKING:
    from app.migrations.roundtrip import Loss, Outcome, Report, Way

STYLES = {"ok": "green", "failed": "bold red", "irreversible": "yellow", "skipped": "yellow"}
LOSES = {"upgrade": "applying it, undone or not, loses", "downgrade": "undoing it loses"}
NOTED = 3
"""Notes and losses of one revision that are shown; `--json` has all."""


@contextmanager
def progress(quiet: bool) -> Iterator["Callable[[Outcome, int, int], None]"]:
    """Yield what shows how far the walk is, on a terminal; elsewhere it shows nothing."""
    with bars.steps("roundtrip", quiet) as update:

        def said(outcome: "Outcome", done: int, total: int) -> None:
            update(done, total, outcome.revision)

        yield said


def report(found: "Report") -> None:
    """Print a line for each revision, and below it what is wrong with it."""
    width = max((len(one.revision) for one in found.revisions), default=0)
    for one in found.revisions:
        _revision(one, width)
    for way in found.ways:
        _way(way)
    for line in found.models or ():
        say(("  models  ", "bold red"), line)
    for name in found.left:
        say(("  left    ", "bold red"), f"the role {name} could not be dropped: something else uses it")
    if found.stubbed:
        say(("  note    ", "dim"), f"empty modules stood in for {', '.join(found.stubbed)}")


def _revision(one: "Outcome", width: int) -> None:
    from app.migrations import findings

    result = one.result.value
    stage = f" ({one.stage.value})" if one.stage else ""
    more = f": {one.error}" if one.error and not one.findings else ""
    say("  ", (f"{result:<12}", STYLES[result]), f"  {one.revision:<{width}}  {one.path}{stage}{more}")
    for fault in one.findings:
        for line in findings.text(fault).splitlines():
            say(f"      {line}")
    said = [*(f"the columns of {moved.table} come back in another order" for moved in one.moved), *one.notes]
    said += [_loss(loss) for loss in one.lost]
    for line in said[:NOTED]:
        say(("      note: ", "dim"), line)
    if len(said) > NOTED:
        say(("      note: ", "dim"), f"{len(said) - NOTED} more; --json has them all")


def _loss(loss: "Loss") -> str:
    what = f"{loss.table}{f'.{loss.column}' if loss.column else ''}: {loss.detail}"
    return f"undoing it loses {what}" if loss.step == "downgrade" else f"undoing it does not bring back {what}"


def _way(way: "Way") -> None:
    failed = way.failed or bool(way.differences)
    stopped = f": stopped, as {way.stopped}" if way.stopped and not way.failed else ""
    wrong = f": {way.stopped}" if way.failed else ""
    say("  ", (f"{'failed' if failed else 'ok':<12}", STYLES["failed" if failed else "ok"]),
        f"  from {way.start} to {way.end} in one go{stopped}{wrong}")  # fmt: skip
    for one in way.differences:
        say(f"      {one.words('the walk', 'one go')}")


def conclude(found: "Report") -> None:
    """Print the last line, or raise NegativeAnswer where something is wrong."""
    from app.migrations.errors import NegativeAnswer

    counts = {result: sum(one.result.value == result for one in found.revisions) for result in STYLES}
    number = sum(counts.values())
    told = ", ".join(f"{count} {result}" for result, count in counts.items() if count) or "nothing to check"
    took = f"{number} revision{'' if number == 1 else 's'} in {found.seconds:.1f} s: {told}"
    if not found.failed:
        print(took, file=sys.stderr)
        return
    bad = [one.revision for one in found.revisions if one.result.value == "failed"]
    also = [
        *(["the models differ from the head"] if found.models else []),
        *(["the way in one go fails"] if any(way.failed or way.differences for way in found.ways) else []),
    ]
    what = "; ".join([f"{took} ({', '.join(bad[:5])}{', ...' if len(bad) > 5 else ''})" if bad else took, *also])
    only = " ".join(f"--only={revision}" for revision in bad[:5])
    raise NegativeAnswer(
        what, f"correct the revisions, then `inv db.roundtrip {only}`" if bad else "inv db.roundtrip --json"
    )
