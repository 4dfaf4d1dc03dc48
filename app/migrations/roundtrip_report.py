"""What a roundtrip found, and how it is written down: JSON, JUnit. Never connects."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from app.migrations.catalog import Difference, Moved
from app.migrations.findings import Finding


class Result(Enum):
    """How a revision fared."""

    OK = "ok"
    FAILED = "failed"
    IRREVERSIBLE = "irreversible"
    SKIPPED = "skipped"


class Stage(Enum):
    """Where a revision failed first; ROWS is any step that works where the tables are empty."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    AFTER_DOWNGRADE = "after-downgrade"
    UPGRADE_AGAIN = "upgrade-again"
    AFTER_UPGRADE_AGAIN = "after-upgrade-again"
    ROWS = "rows"


class Loss(NamedTuple):
    """Rows of a table that are lost, or values of one of its columns.

    `step` is what loses them: "downgrade", with the way up again, or "upgrade", whose downgrade does not restore them.
    """

    table: str
    column: str | None
    rows: int
    detail: str
    step: str = "downgrade"


class Outcome(NamedTuple):
    """One revision. `path` is counted from the project's root, `line` is where to look; 0 where there is no place.

    `error` is what a step ended with, or why the revision was skipped; `moved` are tables whose columns have another
    order afterwards; `findings` say each fault in words, with what to write instead; `notes` what is worth knowing
    and no fault.
    """

    revision: str
    path: str
    result: Result
    stage: Stage | None = None
    differences: tuple[Difference, ...] = ()
    error: str | None = None
    line: int = 0
    lost: tuple[Loss, ...] = ()
    moved: tuple[Moved, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def column_order_only(self) -> bool:
        """Return whether nothing but the order of columns is not as it was."""
        return bool(self.moved) and not self.differences and self.error is None


class Way(NamedTuple):
    """A way walked in one go: where it began, where it ended, what stopped it, how the schema there is not as it was.

    `failed` tells a stop that nobody knew of before from one at a revision that is irreversible or was told already.
    """

    start: str
    end: str
    stopped: str | None = None
    failed: bool = False
    differences: tuple[Difference, ...] = ()


class Report(NamedTuple):
    """The whole roundtrip; `models` are differences of the models with the head, None where that was not asked.

    `left` are roles that could not be dropped, `stubbed` the modules that empty ones stood in for.
    """

    revisions: tuple[Outcome, ...]
    models: tuple[str, ...] | None
    seconds: float
    ways: tuple[Way, ...] = ()
    server: str = ""
    left: tuple[str, ...] = ()
    stubbed: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Return whether anything is wrong."""
        wrong = any(one.result is Result.FAILED for one in self.revisions)
        return wrong or bool(self.models) or any(way.failed or way.differences for way in self.ways)

    def document(self) -> dict[str, object]:
        """Return the report as JSON has it."""
        return {
            "revisions": [document(one) for one in self.revisions],
            "models": None if self.models is None else list(self.models),
            "ways": [
                {
                    "from": way.start,
                    "to": way.end,
                    "stopped": way.stopped,
                    "failed": way.failed or bool(way.differences),
                    "differences": [one.to_document() for one in way.differences],
                }
                for way in self.ways
            ],
            "server": self.server,
            "roles_left": list(self.left),
            "stubbed": list(self.stubbed),
            "seconds": round(self.seconds, 3),
        }

    def junit(self) -> str:
        """Return the report as JUnit XML: a test case for each revision, and for the ways and the models."""
        return _junit(self)


def document(one: Outcome) -> dict[str, object]:
    """Return one revision as JSON has it."""
    return {
        "revision": one.revision,
        "path": one.path,
        "result": one.result.value,
        "stage": one.stage.value if one.stage else None,
        "differences": [difference.to_document() for difference in one.differences],
        "error": one.error,
        "line": one.line or None,
        "lost": [loss._asdict() for loss in one.lost],
        "column_order_only": one.column_order_only,
        "column_order": [moved._asdict() for moved in one.moved],
        "findings": [
            {"line": found.line, "message": found.message, "instead": found.instead} for found in one.findings
        ],
        "notes": list(one.notes),
    }


def _junit(report: Report) -> str:
    suite = Xml.Element("testsuite", name="db.roundtrip", time=f"{report.seconds:.3f}")
    for one in report.revisions:
        case = Xml.SubElement(suite, "testcase", classname="roundtrip", name=one.revision, file=one.path)
        if one.result is Result.FAILED:
            text = "\n\n".join(_told(found) for found in one.findings) or one.error or ""
            stage = one.stage.value if one.stage else ""
            Xml.SubElement(case, "failure", type=stage, message=_first(text)).text = _allowed(text)
        elif one.result is not Result.OK:
            Xml.SubElement(case, "skipped", message=_allowed(one.error or ""))
    for name, faults in (("ways", _faults(report.ways)), ("models", list(report.models or ()))):
        case = Xml.SubElement(suite, "testcase", classname="roundtrip", name=name)
        if faults:
            Xml.SubElement(case, "failure", type=name, message=_first(faults[0])).text = _allowed("\n".join(faults))
    counts: Mapping[str, int] = {
        "tests": len(suite),
        "failures": len(suite.findall("testcase/failure")),
        "skipped": len(suite.findall("testcase/skipped")),
        "errors": 0,
    }
    for name, count in counts.items():
        suite.set(name, str(count))
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _faults(ways: Iterable[Way]) -> list[str]:
    found = []
    for way in ways:
        found += [way.stopped] if way.failed and way.stopped else []
        found += [f"from {way.start} to {way.end}: {one.words()}" for one in way.differences]
    return found


def _told(found: Finding) -> str:
    return f"{found.path}:{found.line}: {found.message}\n{found.instead}"


def _first(text: str) -> str:
    return _allowed(text.partition("\n")[0])


def _allowed(text: str) -> str:
    """Leave out the characters that no XML may hold."""
    return "".join(c for c in text if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c < "\ufffe" or c > "\uffff")
