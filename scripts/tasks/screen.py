"""What people see: headings, steps, conclusions. Prints; decides nothing and reads nothing."""

import os
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from app.migrations.standing import State, cure, revisions, words
from app.migrations.status import Status
from scripts.tasks.lines import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from app.migrations.archives import Archive
    from app.migrations.journal import Entry
    from app.migrations.losses import Loss
    from app.migrations.plan import Plan
    from app.migrations.recorder import Done
    from scripts.tasks.workplace import Workplace


def heading(place: "Workplace", before: Status) -> None:
    """Say which database is about to be changed, before it is."""
    where = f": {place.target.described}, PostgreSQL {before.server}, {words(before.standing)}"
    say((place.name, "bold"), where)


def plan(planned: "Plan", rows: "dict[Loss, str]") -> None:
    """Say what will be done, and what will be lost with how many rows."""
    verb = {"upgrade": "apply", "downgrade": "undo", "stamp": "stamp"}[planned.action]
    for one in planned.steps:
        say(f"  will {verb}  {one.revision}  {one.title}")
        for loss in one.losses:
            say(("    will lose  ", "bold red"), f"{loss}: {rows.get(loss, 'not counted')}")


def step(done: "Done", below: "Console | None" = None) -> None:
    """Print one line for a revision that was applied, undone or stamped; `below` is a console that shows bars."""
    took = (_took(done.seconds), "dim")
    say("  ", (done.verb, "green"), f"  {done.revision}  {done.title}", took, console=below)


def statements(text: str) -> None:
    """Print SQL as it is: no colour, no folding, nothing that cannot be pasted."""
    print(text, end="" if text.endswith("\n") else "\n")


def run_for_real(hindrances: "Sequence[str]") -> None:
    """Say what the command that was shown would meet."""
    for one in hindrances:
        say(f"without --dry-run, this {one}")


def unchanged(name: str, planned: "Plan") -> None:
    """Say that a dry run has changed nothing."""
    count = f"{len(planned.steps)} {'revision' if len(planned.steps) == 1 else 'revisions'}"
    say(f"dry run: nothing was changed; {count} to {planned.action} on {name}")


def conclusion(name: str, before: Status, after: Status) -> None:
    """Say what was really reached, read again from the database."""
    at = f"{name} is at {revisions(after.standing)}"
    if before.standing.revisions == after.standing.revisions:
        say(f"nothing to do: {at} ({words(after.standing)})")
    else:
        say(("done", "bold green"), f": {at} ({words(after.standing)})")


def status(place: "Workplace", read: Status) -> None:
    """Print the one screen of `db.status`."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in status_rows(place, read):
        table.add_row(name, Text(value))
    Console(highlight=False).print(table)


def journal(name: str, entries: "Sequence[Entry]") -> None:
    """Print the rows of the journal, newest first, in a table that fits the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not entries:
        say(f"the journal of {name} is empty: nothing was changed since it is kept")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("started (UTC)", "took", "action", "revision"):
        table.add_column(column, no_wrap=True)
    table.add_column("by", overflow="fold")
    table.add_column("code", overflow="fold")
    for row in entries:
        who = f"{row.actor.os_user}@{row.actor.os_host}, {row.actor.road}"
        code = (row.actor.git_commit or "unknown")[:7] + (" changed" if row.actor.git_dirty else "")
        took = "" if row.duration_ms is None else _took(row.duration_ms / 1000).strip()
        cells = (f"{row.started_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}", took, row.action, row.revision, who, code)
        table.add_row(*(Text(cell) for cell in cells))
    Console(highlight=False).print(table)


def status_rows(place: "Workplace", read: Status) -> list[tuple[str, str]]:
    """Return the rows of `db.status`: what is shown, in order."""
    standing = read.standing
    rows = [
        ("environment", place.name + (", protected" if place.target.environment.protected else "")),
        ("database", f"{place.target.described}, PostgreSQL {read.server}"),
        ("identity", identity(read)),
        ("revision", revisions(standing)),
        ("head", ", ".join(standing.heads) or "none"),
        ("standing", words(standing, read.running)),
    ]
    rows += [("pending" if n == 0 else "", f"{one.revision}  {one.doc}") for n, one in enumerate(standing.pending)]
    if read.last is not None:
        rows.append(("last change", entry(read.last)))
    if (archive := place.last_backup()) is not None:
        rows.append(("last backup", backup(archive)))
    if standing.state is not State.AT_HEAD:
        rows.append(("next", cure(place.name, standing, read.running)))
    return rows


def backup(archive: "Archive") -> str:
    """Return a backup in a few words: its name, and whether a restore has shown that it is good."""
    if archive.fault:
        return f"{archive.name}, not usable: {archive.fault}"
    state = "proven" if archive.proven else "it DIFFERED when it was restored" if archive.refuted else "not proven yet"
    return f"{archive.name}, {state}"


def identity(read: Status) -> str:
    """Return whose database this is, as far as it says so."""
    recorded = read.seen.recorded
    if recorded is None:
        return read.seen.unreadable or "not recorded yet"
    return recorded.environment + ("" if read.verdict.allows_change else f" ({read.verdict.standing.value})")


def entry(row: "Entry") -> str:
    """Return one row of the journal in a few words."""
    when = row.started_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{row.action} {row.revision}, {when}, by {row.actor.os_user}@{row.actor.os_host}"


def written(path: Path) -> None:
    """Say which file was written, relative to where the user is."""
    say(f"wrote {os.path.relpath(path)}")


def _took(seconds: float) -> str:
    return f"  {seconds:.1f} s" if seconds >= 1 else f"  {seconds * 1000:.0f} ms"
