"""A forecast for programs and for a pull request: one JSON document, findings, a table in Markdown. Decides nothing."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from app.migrations.appraisal import Cause, effect
from app.migrations.findings import Finding, Severity
from app.migrations.forecast import Forecast, seconds_to_rewrite
from app.migrations.past_runs import Past
from app.migrations.trace import Lock, Statement, Step, strength

MARKS = {Severity.ERROR: "🛑", Severity.WARNING: "⚠️", Severity.NOTE: "💡"}


class TableLock(NamedTuple):
    """The strongest lock of a revision on one table of the target, and whether the table is written anew.

    `held_ms` is how long the locks of its transaction were held on the scratch server, None where nobody measured it.
    """

    table: str
    lock: Lock
    rewritten: bool

    @property
    def held_ms(self) -> float | None:
        """Return how long the lock was held on the scratch server; None for one that is only documented."""
        return self.lock.held_ms


def table_locks(step: Step) -> list[TableLock]:
    """Return one entry for each table of the target that a revision locks, the strongest lock first."""
    found: dict[str, Lock] = {}
    rewritten = {table for statement in step.statements for table in statement.rewritten}
    for lock in (lock for statement in step.statements for lock in statement.locks if not lock.new):
        table = lock.table or lock.origin or lock.relation
        if lock.kind in {"index", "sequence"} and not lock.table:
            continue
        if table not in found or strength(lock.mode) > strength(found[table].mode):
            found[table] = lock
    rows = [TableLock(table, lock, table in rewritten or lock.relation in rewritten) for table, lock in found.items()]
    return sorted(rows, key=lambda row: (-strength(row.lock.mode), row.table))


def findings(forecast: Forecast, accepted: Collection[str] = ()) -> list[Finding]:
    """Return the findings with what was measured in their messages; an accepted error is a note."""
    return [_told(cause, accepted) for cause in forecast.causes]


def _told(cause: Cause, accepted: Collection[str]) -> Finding:
    finding = cause.finding
    message = f"{finding.message} {cause.facts[0].upper()}{cause.facts[1:]}." if cause.facts else finding.message
    if finding.rule in accepted:
        return finding._replace(message=f"{message} (accepted)", severity=Severity.NOTE)
    return finding._replace(message=message)


def expected(forecast: Forecast, step: Step) -> list[str]:
    """Say how long a revision may take on the target: how long elsewhere, and what is written anew; [] if unknown."""
    said = [_took(past, step) for past in forecast.past if past.revision == step.revision]
    span = seconds_to_rewrite(forecast, step)
    if span:
        said.append(f"{duration(span[0])} to {duration(span[1])} for what is written anew, at 200 to 20 MB/s")
    return said


def _took(past: Past, step: Step) -> str:
    other = "" if past.digest in (None, step.digest) else ", with other code"
    return f"{duration(past.seconds)} in {past.environment}{other}"


def duration(seconds: float) -> str:
    """Return a time as people say it: 12 ms, 1.5 s, 7 min, 2.5 h."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 90:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def document(forecast: Forecast, accepted: Collection[str] = ()) -> dict[str, object]:
    """Return the JSON document of a forecast; what names the target is added by the task."""
    figures = forecast.figures
    trace = forecast.trace
    return {
        "start": list(trace.start),
        "end": list(trace.end),
        "traced_on": f"{trace.server_version // 10000}.{trace.server_version % 10000}",
        "unweighed": None if figures is not None else forecast.unweighed,
        "revisions": [_step(forecast, step) for step in trace.steps],
        "findings": [
            {
                "rule": told.rule,
                "severity": told.severity.value,
                "path": told.path,
                "line": told.line,
                "message": told.message,
                "instead": told.instead,
                "revision": cause.revision,
                "tables": list(cause.tables),
                "lock": cause.lock.mode if cause.lock else None,
                "source": cause.lock.source if cause.lock else None,
                "squawk": list(cause.squawk),
            }
            for cause, told in zip(forecast.causes, findings(forecast, accepted), strict=True)
        ],
    }


def _step(forecast: Forecast, step: Step) -> dict[str, object]:
    span = seconds_to_rewrite(forecast, step)
    return {
        "revision": step.revision,
        "path": step.path,
        "title": step.title,
        "digest": step.digest,
        "error": step.error,
        "line": step.error_line,
        "with_rows": step.rows,
        "ms": round(step.ms, 3),
        "past": [
            {"environment": past.environment, "seconds": past.seconds, "same_code": past.digest == step.digest}
            for past in forecast.past
            if past.revision == step.revision
        ],
        "rewriting_seconds": [round(one, 3) for one in span] if span else None,
        "tables": [_table(forecast, row) for row in table_locks(step)],
        "statements": [_statement(statement) for statement in step.statements],
    }


def _table(forecast: Forecast, row: TableLock) -> dict[str, object]:
    known = (forecast.figures or {}).get(row.table)
    return {
        "table": row.table,
        "lock": row.lock.mode,
        "source": row.lock.source,
        "held_ms": row.held_ms,
        "rewritten": row.rewritten,
        "rows": known.rows if known else None,
        "bytes": known.bytes if known else None,
        "writes_per_second": round(known.writes, 3) if known else None,
        "scans_per_second": round(known.scans, 3) if known else None,
    }


def _statement(statement: Statement) -> dict[str, object]:
    return {
        **statement._asdict(),
        "ms": round(statement.ms, 3),
        "locks": [lock._asdict() for lock in statement.locks],
    }


def markdown(forecast: Forecast, title: str, accepted: Collection[str] = ()) -> str:
    """Return the comment for a pull request: a table of revisions, and the findings folded below it."""
    lines = [f"### {_cell(title)}", ""]
    if forecast.figures is None:
        lines += [f"> Not weighed by a target's figures: {_cell(forecast.unweighed)}.", ""]
    if not forecast.trace.steps:
        return "\n".join([*lines, "Nothing to apply.", ""])
    lines += ["| revision | table | strongest lock | written anew | findings |", "|---|---|---|---|---|"]
    lines += [row for step in forecast.trace.steps for row in _rows(forecast, step)]
    lines += ["", *(line for told in findings(forecast, accepted) for line in _details(told))]
    return "\n".join(lines)


def _rows(forecast: Forecast, step: Step) -> Iterator[str]:
    causes = forecast.causes_of(step.revision)
    said = " ".join(f"{MARKS[cause.finding.severity]} {cause.finding.rule}" for cause in causes) or "none"
    name = f"`{step.revision}` {_cell(step.title)}"
    for cells in [_lock_cells(forecast, row) for row in table_locks(step)] or [("", "none", "")]:
        yield "| " + " | ".join((name, *cells, said)) + " |"
        name = said = ""


def _lock_cells(forecast: Forecast, row: TableLock) -> Sequence[str]:
    known = (forecast.figures or {}).get(row.table)
    lock = f"{row.lock.mode} ({row.lock.source}): {effect(row.lock.mode).rsplit(' ', 1)[0]}"
    return _cell(f"{row.table} ({known})" if known else row.table), lock, "yes" if row.rewritten else "no"


def _details(told: Finding) -> Iterator[str]:
    yield f"<details><summary>{MARKS[told.severity]} <code>{told.path}:{told.line}</code> {told.rule}</summary>"
    yield ""
    yield _cell(told.message)
    if told.instead:
        yield from ("", "```python" if "\n" in told.instead else "```", told.instead.rstrip(), "```")
    yield from ("</details>", "")


def _cell(text: str) -> str:
    """Return text that cannot end a cell or begin markup."""
    line = " ".join(text.split())
    for character in ("\\", "|", "<", "`", "*", "_"):
        line = line.replace(character, f"\\{character}")
    return line
