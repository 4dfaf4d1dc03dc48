"""What people see: headings, steps, conclusions. Prints; decides nothing and reads nothing."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.migrations.status import State, Status

if TYPE_CHECKING:
    from app.migrations.recorder import Done
    from scripts.tasks.workplace import Workplace


def console() -> Console:
    """Return a console on stdout; rich itself respects NO_COLOR, COLUMNS and pipes."""
    return Console(highlight=False, soft_wrap=True)


def heading(place: "Workplace", before: Status) -> None:
    """Say which database is about to be changed, before it is."""
    line = Text.assemble((place.name, "bold"), f": {place.target.described}, PostgreSQL {before.server}, ")
    console().print(line + Text(standing(before)))


def step(done: "Done") -> None:
    """Print one line for a revision that was applied, undone or stamped."""
    line = Text.assemble("  ", (done.verb, "green"), f"  {done.revision}  {done.title}", (_took(done.seconds), "dim"))
    console().print(line)


def conclusion(name: str, before: Status, after: Status) -> None:
    """Say what was really reached, read again from the database."""
    at = f"{name} is at {revisions(after)}"
    if before.revisions == after.revisions:
        console().print(f"nothing to do: {at} ({standing(after)})")
    else:
        console().print(Text.assemble(("done", "bold green"), f": {at} ({standing(after)})"))


def status(place: "Workplace", read: Status) -> None:
    """Print the one screen of `db.status`."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in status_rows(place, read):
        table.add_row(name, Text(value))
    Console(highlight=False).print(table)


def status_rows(place: "Workplace", read: Status) -> list[tuple[str, str]]:
    """Return the rows of `db.status`: what is shown, in order."""
    rows = [
        ("environment", place.name),
        ("database", f"{place.target.described}, PostgreSQL {read.server}"),
        ("revision", revisions(read)),
        ("head", ", ".join(read.heads) or "none"),
        ("standing", standing(read)),
    ]
    rows += [("pending" if n == 0 else "", f"{one.revision}  {one.doc}") for n, one in enumerate(read.pending)]
    if read.state is not State.AT_HEAD:
        rows.append(("next", cure(place.name, read)))
    return rows


def cure(name: str, read: Status) -> str:
    """Return the command that brings the database to the head, as far as one can."""
    if read.state is State.UNKNOWN:
        return "git pull, or check out the branch that has this revision"
    if len(read.heads) > 1:
        return "inv db.merge"
    return f"inv db.upgrade --env={name}"


def standing(read: Status) -> str:
    """Return where the database stands, in a few words."""
    if read.state in {State.BEHIND, State.EMPTY}:
        count = len(read.pending)
        return f"{read.state.value}, {count} {'revision' if count == 1 else 'revisions'} pending"
    return read.state.value


def revisions(read: Status) -> str:
    """Return the revisions of the database, or `base` when there is none."""
    return ", ".join(read.revisions) or "base"


def written(path: Path) -> None:
    """Say which file was written, relative to where the user is."""
    console().print(f"wrote {os.path.relpath(path)}")


def _took(seconds: float) -> str:
    return f"  {seconds:.1f} s" if seconds >= 1 else f"  {seconds * 1000:.0f} ms"
