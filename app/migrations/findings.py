"""What is wrong with a file of the repository, and how that is written for people, GitHub and code scanners."""

from __future__ import annotations

import sys
from enum import Enum

from app.migrations.lean import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FORMATS = ("text", "json", "github", "sarif")
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


class Severity(Enum):
    """How much a finding weighs: only an ERROR blocks."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(NamedTuple):
    """A fault: its rule, where it is (`line` counts from 1; 0 means the whole file), what follows from it, what to do.

    `path` is counted from the root of the repository, with slashes. `instead` is the code or the command that puts it
    right, of one line or several; `way_out` how to say that it is meant so, empty where there is no such way.
    """

    rule: str
    severity: Severity
    path: str
    line: int
    message: str
    instead: str
    way_out: str = ""

    @property
    def blocks(self) -> bool:
        """Return whether this finding stops a commit."""
        return self.severity is Severity.ERROR


def blocks(findings: Iterable[Finding]) -> bool:
    """Return whether any of these stops a commit."""
    return any(finding.blocks for finding in findings)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by path, line and rule, each once."""
    return sorted(dict.fromkeys(findings), key=lambda finding: (finding.path, finding.line, finding.rule))


def render(findings: Sequence[Finding], how: str, heads: Sequence[str] | None = None) -> str:
    """Return the findings as `how`, one of FORMATS, with a newline at the end; text and github of none are empty.

    `heads` are those of the history, which the JSON document names where they were read.
    """
    if how == "json":
        return _json(document(findings, heads))
    if how == "sarif":
        return _json(_sarif(findings))
    one = _annotation if how == "github" else text
    return "".join(f"{one(finding)}\n" for finding in findings)


def text(finding: Finding) -> str:
    """Return a finding as a person reads it in a terminal."""
    where = f"{finding.path}:{finding.line}" if finding.line else finding.path
    grade = "" if finding.blocks else f" ({finding.severity.value})"
    lines = finding.instead.splitlines()
    if len(lines) > 1:
        advice = ["  Instead:", *(f"      {line}".rstrip() for line in lines)]
    else:
        advice = [f"  next: {line}" for line in lines]
    way_out = [f"  {finding.way_out}"] if finding.way_out else []
    return "\n".join([f"{where}: {finding.rule}{grade}", f"  {finding.message}", *advice, *way_out])


def document(findings: Sequence[Finding], heads: Sequence[str] | None = None) -> dict[str, object]:
    """Return what the JSON document holds."""
    rows = [
        {
            "rule": finding.rule,
            "severity": finding.severity.value,
            "path": finding.path,
            "line": finding.line,
            "message": finding.message,
            "instead": finding.instead,
        }
        for finding in findings
    ]
    return {"findings": rows} if heads is None else {"heads": list(heads), "findings": rows}


def _annotation(finding: Finding) -> str:
    """Return a workflow command of GitHub Actions; its values are escaped as GitHub's own toolkit does."""
    kind = "notice" if finding.severity is Severity.NOTE else finding.severity.value
    place = f"file={_property(finding.path)}" + (f",line={finding.line}" if finding.line else "")
    body = _data("\n".join(filter(None, [finding.message, finding.instead, finding.way_out])))
    return f"::{kind} {place},title={_property(finding.rule)}::{body}"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def _sarif(findings: Sequence[Finding]) -> dict[str, object]:
    """Return a SARIF 2.1.0 log; a finding of a whole file points at its first line, as regions count from 1."""
    results = [
        {
            "ruleId": finding.rule,
            "level": finding.severity.value,
            "message": {"text": "\n".join(filter(None, [finding.message, finding.instead, finding.way_out]))},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(finding.path)},
                        "region": {"startLine": max(finding.line, 1)},
                    }
                }
            ],
        }
        for finding in findings
    ]
    rules = [{"id": rule} for rule in dict.fromkeys(finding.rule for finding in findings)]
    driver = {"name": "massacorp-migrations", "rules": rules}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _uri(path: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415 -- a hook that finds nothing need not pay for it

    return quote(path)


def _json(value: object) -> str:
    import json  # noqa: PLC0415 -- nor for this

    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def write(shown: str) -> None:
    """Write on stdout what `render` returned; characters that the terminal lacks are escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(shown.encode(encoding, "backslashreplace").decode(encoding))
