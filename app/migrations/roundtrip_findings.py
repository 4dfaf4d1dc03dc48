"""Says each fault that a roundtrip found in a sentence with names, where it is, and what to write instead. Pure."""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from app.migrations import roundtrip_advice
from app.migrations.catalog import Difference
from app.migrations.catalog_names import parts, plain
from app.migrations.findings import Finding, Severity
from app.migrations.headers import Revision
from app.migrations.roundtrip_report import Stage

SHOWN = 12
"""Differences that are told one by one; a downgrade that does nothing has one for each object."""


class Told(NamedTuple):
    """The error of a step: the server's words, the line in the revision (0: none), SQLSTATE, and what it is about."""

    text: str
    line: int = 0
    code: str = ""
    table: str = ""
    column: str = ""
    hint: str = ""


class Described:
    """The faults of one revision, in words."""

    def __init__(self, revision: Revision, source: str) -> None:
        self.revision, self.source = revision, source
        self._lines = _functions(source)

    def error(self, stage: Stage, up: bool, error: Told) -> Finding:
        """Say what a step ended with, and what to write instead."""
        name = "upgrade" if up else "downgrade"
        text, id_ = error.text.partition(" DETAIL:")[0], self.revision.id
        line = error.line or self._line(name)
        if stage is Stage.ROWS:
            whose = f"`{error.table}` has rows" if error.table else "the tables have rows"
            text = text.replace(f' of relation "{error.table}"', "") if error.table else text
            said = f"{name} of {id_} fails when {whose}: {text}"
        elif stage is Stage.UPGRADE_AGAIN:
            said = f"upgrade of {id_} works once and fails after its own downgrade: {text}"
        else:
            said = f"{name} of {id_} fails: {text}"
        way_out = roundtrip_advice.DECLARE if not up and stage is not Stage.ROWS else ""
        return self._finding(stage, line, said, error.hint or roundtrip_advice.after_error(stage, error, up), way_out)

    def differences(self, stage: Stage, found: Iterable[Difference]) -> Iterator[Finding]:
        """Say what a step left otherwise than it was."""
        found = list(found)
        if stage is Stage.AFTER_UPGRADE_AGAIN:
            which = "upgrade"
            subject = f"the second upgrade of {self.revision.id}"
        else:
            which = "downgrade"
            subject = f"downgrade of {self.revision.id}"
        for one in found[:SHOWN]:
            said = f"{subject} {_verb(one)}"
            advice = roundtrip_advice.after_difference(one) if which == "downgrade" else roundtrip_advice.TWICE
            yield self._finding(stage, self._mentioned(which, one), said, advice, "")
        if len(found) > SHOWN:
            said = f"{subject} leaves {len(found) - SHOWN} more differences: `--json` has them all"
            yield self._finding(stage, self._line(which), said, "", "")

    def _finding(self, stage: Stage, line: int, said: str, instead: str, way_out: str) -> Finding:
        rule = f"roundtrip-{stage.value}"
        return Finding(rule, Severity.ERROR, self.revision.path, line, said, instead, way_out)

    def _line(self, function: str) -> int:
        return self._lines.get(function, (self.revision.line, 0))[0]

    def _mentioned(self, function: str, one: Difference) -> int:
        """Return the line that speaks of the object: in the function at fault, else in the one that it undoes."""
        names = [plain(part) for part in parts(one.object)] or [one.object]
        lines = self.source.splitlines()
        other = "downgrade" if function == "upgrade" else "upgrade"
        for which in (function, other):
            first, last = self._lines.get(which, (1, 0))
            for name in (names[-1], *reversed(names[:-1])):
                for number in range(first, last + 1):
                    if name != "public" and name in lines[number - 1]:
                        return number
        return self._line(function)


def _functions(source: str) -> dict[str, tuple[int, int]]:
    """Return where upgrade and downgrade begin and end."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    return {
        node.name: (node.lineno, node.end_lineno or node.lineno)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name in {"upgrade", "downgrade"}
    }


def _verb(one: Difference) -> str:
    """Say what happened to the object, after "downgrade of e5a7"."""
    what = f"{one.kind} `{shown(one.object)}`"
    if one.attribute is None:
        return f"leaves {what} behind" if one.before is None else f"does not bring {what} back"
    if one.before is None:
        return f"leaves {one.attribute} of {what} at {_value(one.after)}: there was none"
    if one.after is None:
        return f"does not bring {one.attribute} of {what} back: it was {_value(one.before)}"
    old, new = _value(one.before), _value(one.after)
    if one.kind in {"function", "procedure", "view", "materialized view"} and one.attribute == "definition":
        return f"does not bring the definition of {what} back"
    return f"leaves {one.attribute} of {what} at {new}: it was {old}"


def shown(name: str) -> str:
    """Return a qualified name without the schema that nobody writes."""
    return name.replace(" ON public.", " ON ").removeprefix("public.")


def _value(text: str | None) -> str:
    lines = (text or "nothing").strip().splitlines()
    return lines[0][:120] + (" ..." if len(lines) > 1 or len(lines[0]) > 120 else "")
