"""What people and programs see of a verification: sentences, and the document of `--json`. Decides nothing."""

from typing import TYPE_CHECKING, Any

from app.migrations.verification import Check
from scripts.tasks.lines import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.migrations.catalog import Difference
    from app.migrations.detection import Detection
    from app.migrations.verification import Problem, Report

Document = dict[str, Any]


def report(name: str, found: "Report") -> None:
    """Print each check with what it has found and the way out; notes come last."""
    skipped = {one.check: one for one in found.skipped}
    for check in Check:
        problems = [one for one in found.problems if one.check is check]
        if problems:
            say(("no   ", "bold red"), check.value)
        elif check in skipped:
            one = skipped[check]
            say(("?    ", "bold yellow"), f"{check.value}: not checked, {one.why}")
            say(("     next: ", "dim"), one.way_out)
        else:
            say(("yes  ", "green"), check.value)
        for one_problem in problems:
            _problem(one_problem)
    notes(found.notes)
    say(conclusion(name, found))


def short(name: str, found: "Report") -> None:
    """Print the end of an upgrade: what is wrong, or in a line that nothing is."""
    for one in found.problems:
        say(("no   ", "bold red"), one.check.value)
        _problem(one)
    for skipped in found.skipped:
        say(("?    ", "bold yellow"), f"{skipped.check.value}: not checked, {skipped.why}")
    if found.clean:
        accepted = f"; {found.accepted} differences accepted" if found.accepted else ""
        say(("verified", "bold green"), f": the schema of {name} is what the history builds{accepted}")


def notes(lines: "Iterable[str]") -> None:
    """Print what is worth knowing and no problem."""
    for line in lines:
        say(("note ", "dim"), line)


def detected(name: str, seen: "Detection") -> None:
    """Print the revision that a schema is at, and how to record it."""
    states = [", ".join(state) or "base" for state in seen.equal]
    say(f"the schema of {name} is that of ", (" and that of ".join(states), "bold green"))
    if len(states) > 1:
        notes(["between these no schema changes; which changes of data were made cannot be seen"])
    newest = states[-1].split(", ")
    if newest != ["base"] and len(newest) == 1:
        say(("next: ", "dim"), f"inv db.stamp --to={newest[0]} --env={name}")


def nearest(name: str, seen: "Detection") -> str:
    """Return, in a sentence after the list of differences, that a schema is at no revision."""
    at = ", ".join(seen.nearest) or "base"
    differences(name, at, seen.differences)
    count = f"{len(seen.differences)} difference{'' if len(seen.differences) == 1 else 's'}"
    return f"the schema of {name} is that of no revision; the nearest is {at}, with {count}"


def differences(name: str, to: str, found: "Iterable[Difference]") -> None:
    """Print how a database differs from a revision."""
    for one in found:
        say(f"  {one.words(to, name)}")


def conclusion(name: str, found: "Report") -> str:
    """Return the last line: what the answer is, and what it was compared with."""
    at = ", ".join(found.revision) or "base"
    count = len(found.problems)
    answer = "nothing found" if found.clean else f"{count} problem{'' if count == 1 else 's'}"
    if found.skipped:
        answer += f", {len(found.skipped)} not checked"
    accepted = f", {found.accepted} accepted by the baseline" if found.accepted else ""
    built = f", the history built on {found.expected_on}" if found.expected_on else ""
    return f"{name} at {at}: {answer}{accepted}{built}"


def document(name: str, found: "Report") -> Document:
    """Return what `db.verify` answers."""
    return {
        "environment": name,
        "revisions": list(found.revision),
        "clean": found.clean,
        "expected_on": found.expected_on or None,
        "accepted": found.accepted,
        "problems": [
            {
                "check": one.check.name.lower(),
                "message": one.words,
                "next": one.cure,
                "difference": one.difference.to_document() if one.difference else None,
            }
            for one in found.problems
        ],
        "skipped": [{"check": one.check.name.lower(), "reason": one.why, "next": one.way_out} for one in found.skipped],
        "notes": list(found.notes),
    }


def _problem(one: "Problem") -> None:
    say(f"     {one.words}")
    say(("       next: ", "dim"), " ".join(one.cure.split()))
