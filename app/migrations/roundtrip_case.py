"""One revision of a roundtrip while it is checked: its faults in the order in which they showed. Never connects."""

from typing import NamedTuple

from app.migrations import roundtrip_findings, roundtrip_snapshot
from app.migrations.catalog import Difference, Moved
from app.migrations.findings import Finding
from app.migrations.headers import Revision
from app.migrations.roundtrip_findings import Told
from app.migrations.roundtrip_report import Loss, Outcome, Result, Stage
from app.migrations.roundtrip_snapshot import Snapshot


class Problem(NamedTuple):
    """One fault: differences, or an error of a step; `up` tells which function of the revision has it."""

    stage: Stage
    up: bool
    differences: tuple[Difference, ...] = ()
    error: Told | None = None


class Case:
    """What is known of one revision so far; `checked` tells whether it is to be checked, or only built upon."""

    def __init__(self, revision: Revision, source: str, checked: bool) -> None:
        self.revision, self.source, self.checked = revision, source, checked
        self.problems: list[Problem] = []
        self.moved: dict[str, Moved] = {}
        self.lost: tuple[Loss, ...] = ()
        self.notes: list[str] = []
        self._skipped: str | None = None

    def skip(self, reason: str) -> None:
        """Note why it cannot be checked."""
        self._skipped = reason

    def fail(self, stage: Stage, error: Told, up: bool) -> None:
        """Note the error of a step."""
        self.problems.append(Problem(stage, up, error=error))

    def compare(self, stage: Stage, before: Snapshot, after: Snapshot) -> bool:
        """Note how the schema differs from what it has to be, and tell whether it does; the order of columns aside."""
        for moved in roundtrip_snapshot.compare_order(before, after):
            self.moved.setdefault(moved.table, moved)
        found = roundtrip_snapshot.compare(before, after)
        if stage is Stage.AFTER_DOWNGRADE:
            for kept in filter(_stays_valid, found):
                self.note(f"{kept.kind} {kept.object} stays validated, which is no fault")
            found = [one for one in found if not _stays_valid(one)]
        if found:
            self.problems.append(Problem(stage, stage is Stage.AFTER_UPGRADE_AGAIN, tuple(found)))
        return bool(found)

    def note(self, text: str) -> None:
        """Note what is no fault, once."""
        if text not in self.notes:
            self.notes.append(text)

    def outcome(self, strict: bool) -> Outcome:
        """Return what is known; with `strict` another order of columns is a fault too."""
        id_, path = self.revision.id, self.revision.path
        if self._skipped is not None and not self.problems:
            return Outcome(id_, path, Result.SKIPPED, error=self._skipped, notes=tuple(self.notes))
        moved = tuple(self.moved.values())
        problems = self.problems or ([_disordered(moved)] if strict and moved else [])
        if not problems:
            irreversible = self.revision.irreversible
            result = Result.OK if irreversible is None else Result.IRREVERSIBLE
            return Outcome(id_, path, result, error=irreversible, lost=self.lost, moved=moved, notes=tuple(self.notes))
        findings = self._findings(problems)
        error = next((each.error.text for each in problems if each.error), None)
        return Outcome(
            id_,
            path,
            Result.FAILED,
            problems[0].stage,
            next((each.differences for each in problems if each.differences), ()),
            error,
            findings[0].line if findings else 0,
            self.lost,
            moved,
            tuple(findings),
            tuple(self.notes),
        )

    def _findings(self, problems: list[Problem]) -> list[Finding]:
        found: list[Finding] = []
        described = roundtrip_findings.Described(self.revision, self.source)
        for problem in problems:
            if problem.error is not None:
                found.append(described.error(problem.stage, problem.up, problem.error))
            found += described.differences(problem.stage, problem.differences)
        return list(dict.fromkeys(found))


def _disordered(moved: tuple[Moved, ...]) -> Problem:
    """Return the order of columns as a fault."""
    found = [
        Difference("table", one.table, "order of columns", ", ".join(one.before), ", ".join(one.after)) for one in moved
    ]
    return Problem(Stage.AFTER_UPGRADE_AGAIN, True, tuple(found))


def _stays_valid(found: Difference) -> bool:
    """Tell whether all that is left is that the rows are known to be right: VALIDATE CONSTRAINT needs no way back."""
    return found.attribute == "valid" and found.kind == "constraint" and found.before == "no"
