"""What a traced revision means for the target's tables: one finding for one cause, weighed. Decides on values alone.

Three look at the same revision: our rules at its Python, squawk at its SQL, the trace at what the server did. Where
they mean the same cause, ours is told, with what was measured.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from app.migrations.findings import Finding, Severity
from app.migrations.squawk import Remark
from app.migrations.statements import words
from app.migrations.trace_values import Lock, Statement, Step, strength, strongest
from app.migrations.weights import Figures
from app.migrations.wishes import Wishes

BLOCKS_WRITES, BLOCKS_ALL = strength("ShareLock"), strength("AccessExclusiveLock")
OURS, MEASURED, SQUAWK = "checks", "trace", "squawk"
WORK = frozenset({
    "type-change", "volatile-default", "table-rewrite", "index-not-concurrent", "constraint-not-validated",
    "data-and-schema-mixed", "truncate",
})  # fmt: skip
"""Rules about work that takes as long as the table is big, while others wait."""
WHOLE_TABLE = frozenset({"type-change", "volatile-default", "constraint-not-validated"})
"""Those of them that the trace refutes where it saw no table being read or written from end to end."""
USED = frozenset({"rename", "drop-column", "drop-table"})
"""Rules about what an application of the old code still asks for."""
NOT_CAPTURED = "not-captured"
FAILS_ON_ROWS, REQUIRED = "fails-on-rows", "not-null-without-default"
"""The latter fails on any row; the former failed on made-up rows, and those of the target may be better."""
LINES = 6
CHANGING = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})

NO_WISHES = Wishes()
NOT_THERE = Figures(0, 0, 0.0, 0.0)
"""A table that an earlier revision of the same plan makes: it is empty, and nobody waits for it."""

INSTEAD = {
    "table-rewrite": "add a new column or table, copy in batches in a revision of its own, and change over",
    "data-and-schema-mixed": "change the rows in a revision of their own, before or after this one, in batches",
    "truncate": "DELETE in batches, or rename the table and drop it when nobody asks for it any more",
    FAILS_ON_ROWS: "give the rows that are there what the new schema asks of them first, in a revision of its own",
    NOT_CAPTURED: "correct the revision; `inv db.roundtrip --only={revision}` shows more of it",
}


class Cause(NamedTuple):
    """One finding with what is known about it beside its text.

    `tables` are those of the target that it is about, `lock` the strongest one on them, `squawk` the rules of squawk
    that say the same, `facts` a sentence of what was measured and how big the tables are, "" where nothing was.
    """

    finding: Finding
    revision: str
    tables: tuple[str, ...] = ()
    lock: Lock | None = None
    squawk: tuple[str, ...] = ()
    facts: str = ""


class Clue(NamedTuple):
    """One voice about one cause; `statement` is None for what is said of the file as a whole."""

    finding: Finding
    source: str
    statement: Statement | None = None
    squawk: str = ""


def appraise(
    step: Step,
    static: Iterable[Finding],
    remarks: Iterable[Remark],
    figures: Mapping[str, Figures] | None,
    wishes: Wishes = NO_WISHES,
) -> list[Cause]:
    """Return the causes of one revision, the gravest first; `figures` are the target's, None where it was not reached.

    `static` are the findings of our rules about its file. What a comment allows there is told only where the size of
    the tables makes an error of it, and is a warning then: who wrote it may not have known.
    """
    statements = {one.line: one for one in reversed(step.statements) if one.line}
    clues = [Clue(each, OURS, statements.get(each.line)) for each in static]
    clues += _measured(step)
    clues += [_said(step, remark) for remark in remarks if _concerns(remark)]
    groups: dict[tuple[str, int], list[Clue]] = {}
    for clue in clues:
        weight = wishes.weight(clue.finding.rule, clue.finding.severity)
        if weight is not None:
            weighed = clue._replace(finding=clue.finding._replace(severity=weight))
            groups.setdefault(_key(weighed, groups), []).append(weighed)
    causes = _unless_allowed((_cause(step, group, figures) for group in groups.values()), wishes)
    order = list(Severity)
    return sorted(causes, key=lambda cause: (order.index(cause.finding.severity), cause.finding.line))


def _unless_allowed(causes: Iterable[Cause], wishes: Wishes) -> Iterator[Cause]:
    for cause in causes:
        finding = cause.finding
        if not wishes.allow(finding.rule, finding.line):
            yield cause
        elif finding.blocks:
            message = f"{finding.message} A comment allows it, and these tables are big."
            yield cause._replace(finding=finding._replace(severity=Severity.WARNING, message=message))


def _concerns(remark: Remark) -> bool:
    """Tell whether anybody can mind: not with what is new, nor with what our rules call the way to drop something."""
    prepared = remark.cause in USED and "deprecated_" in remark.statement.sql
    return bool(_existing(remark.statement)) and not prepared


def _key(clue: Clue, groups: Mapping[tuple[str, int], object]) -> tuple[str, int]:
    """Return the group of a clue: that of its rule on its line, else the same rule where a rule found it in the file.

    A call over several lines has more than one number.
    """
    rule, line = clue.finding.rule, clue.finding.line
    if (rule, line) in groups or clue.source == OURS:
        return rule, line
    if rule == FAILS_ON_ROWS and any(name == REQUIRED for name, _ in groups):
        rule = REQUIRED
    spread = [at for name, at in groups if name == rule and 0 <= line - at <= LINES]
    return rule, max(spread, default=line)


def _cause(step: Step, group: Sequence[Clue], figures: Mapping[str, Figures] | None) -> Cause:
    first = group[0]
    statements = [clue.statement for clue in group if clue.statement]
    locks = [lock for statement in statements for lock in _existing(statement)]
    lock = strongest(locks)
    at_stake = [one for one in locks if lock and (strength(one.mode) >= BLOCKS_WRITES or one.mode == lock.mode)]
    tables = tuple(dict.fromkeys(_table(one) for one in at_stake))
    weighed = None if figures is None else [figures.get(table, NOT_THERE) for table in tables]
    refuted = first.finding.rule in WHOLE_TABLE and bool(statements) and not any(map(_whole, statements))
    severity = _weigh(first.finding, weighed, refuted=refuted)
    said = tuple(dict.fromkeys(clue.squawk for clue in group if clue.squawk))
    facts = _facts(statements, tables, lock, figures or {}, refuted)
    return Cause(first.finding._replace(severity=severity), step.revision, tables, lock, said, facts)


def _weigh(finding: Finding, figures: Sequence[Figures] | None, refuted: bool) -> Severity:
    """Return how grave a finding is on these tables; what blocks a commit blocks here too."""
    rule, known = finding.rule, figures or ()
    if finding.blocks or not (known or refuted):
        return finding.severity
    if rule in WORK and any(one.is_large for one in known) and not refuted:
        return Severity.ERROR
    if rule == REQUIRED and any(one.rows for one in known):
        return Severity.ERROR
    harmless = {
        **dict.fromkeys(WORK, all(one.is_small for one in known)),
        **dict.fromkeys(USED, all(not one.rows and one.scans < 1 for one in known)),
        **dict.fromkeys((REQUIRED, FAILS_ON_ROWS), all(not one.rows for one in known)),
    }
    return Severity.NOTE if refuted or harmless.get(rule) else finding.severity


def _facts(
    statements: Sequence[Statement],
    tables: Sequence[str],
    lock: Lock | None,
    figures: Mapping[str, Figures],
    refuted: bool,
) -> str:
    if lock is None or not tables:
        return ""
    named = ", ".join(f"{table} ({figures[table]})" if table in figures else table for table in tables)
    done = dict.fromkeys(each for statement in statements for each in _work(statement))
    work = "; ".join([*done, *(["no table is read or written from end to end"] if refuted else [])])
    return f"{lock.source}: {lock.mode} {effect(lock.mode)} {named}" + (f"; {work}" if work else "")


def effect(mode: str) -> str:
    """Return what a table lock keeps others from, as a verb with its object.

    https://www.postgresql.org/docs/current/explicit-locking.html#TABLE-LOCK-COMPATIBILITY
    """
    grade = strength(mode)
    if grade >= BLOCKS_ALL:
        return "blocks reads and writes of"
    if grade >= BLOCKS_WRITES:
        return "blocks writes to"
    return "blocks schema changes of" if grade >= strength("ShareUpdateExclusiveLock") else "blocks no traffic on"


def _measured(step: Step) -> Iterator[Clue]:
    """Return what the trace alone tells; a table that the revision has made itself is nobody's concern."""
    made: set[str] = set()
    held: dict[int, list[Lock]] = {}
    for statement in step.statements:
        made.update(statement.created)
        holding = held.setdefault(statement.segment, [])
        for rule, message in _observed(statement, made, holding if statement.transactional else []):
            instead = INSTEAD.get(rule, "see the rule in docs/rules.md")
            finding = Finding(rule, Severity.WARNING, step.path, statement.line, message, instead)
            yield Clue(finding, MEASURED, statement)
        holding += [lock for lock in _existing(statement) if strength(lock.mode) >= BLOCKS_WRITES]
    if step.with_rows and step.error is None:
        yield _fails_on_rows(step)
    if step.error is not None:
        instead = INSTEAD[NOT_CAPTURED].format(revision=step.revision)
        message = f"what {step.revision} does could not be seen to its end: {step.error}"
        yield Clue(Finding(NOT_CAPTURED, Severity.ERROR, step.path, step.error_line, message, instead), MEASURED)


def _fails_on_rows(step: Step) -> Clue:
    line = step.with_rows_line
    statement = next((one for one in step.statements if one.line == line), None)
    message = f"the upgrade works on empty tables, and fails on rows: {step.with_rows}"
    finding = Finding(FAILS_ON_ROWS, Severity.WARNING, step.path, line, message, INSTEAD[FAILS_ON_ROWS])
    return Clue(finding, MEASURED, statement)


def _observed(statement: Statement, made: set[str], held: Sequence[Lock]) -> Iterator[tuple[str, str]]:
    lock = strongest(_existing(statement))
    grade = strength(lock.mode) if lock else -1
    effect_ = effect(lock.mode).removesuffix(" of").removesuffix(" to") if lock else ""
    rewritten = [table for table in statement.rewritten if table not in made]
    built = statement.indexes_built
    if rewritten:
        yield _rewriting(statement), f"{', '.join(rewritten)} is written anew, and that {effect_} until it is done"
    elif built and grade >= BLOCKS_WRITES:
        yield "index-not-concurrent", f"{', '.join(built)} is built, and that {effect_} until it is done"
    if statement.validated and grade > BLOCKS_WRITES and not rewritten:
        checked = ", ".join(statement.validated)
        yield "constraint-not-validated", f"every row is read to check {checked}, and that {effect_} until it is done"
    if statement.truncated:
        yield "truncate", f"all rows of {', '.join(statement.truncated)} go"
    if held and statement.rows and words(statement.sql)[:1] and words(statement.sql)[0] in CHANGING:
        on = ", ".join(dict.fromkeys(_table(one) for one in held))
        waits = effect(max(held, key=lambda one: strength(one.mode)).mode)
        message = f"rows change while an earlier statement of the same transaction {waits} {on}"
        yield "data-and-schema-mixed", message


def _rewriting(statement: Statement) -> str:
    found = words(statement.sql)
    if found[:2] != ["ALTER", "TABLE"]:
        return "table-rewrite"
    return "type-change" if "TYPE" in found else "volatile-default" if "ADD" in found else "table-rewrite"


def _said(step: Step, remark: Remark) -> Clue:
    severity = Severity.NOTE if remark.is_style else Severity.WARNING
    finding = Finding(remark.cause, severity, step.path, remark.statement.line, remark.message, remark.help)
    return Clue(finding, SQUAWK, remark.statement, remark.rule)


def _existing(statement: Statement) -> list[Lock]:
    """Return the locks for which anybody can wait: on tables, and indexes of tables, that were there before."""
    return [lock for lock in statement.locks if not lock.new and (lock.kind in _TABLES or lock.table)]


_TABLES = frozenset({"table", "materialized view", "foreign table", "view"})


def _table(lock: Lock) -> str:
    return lock.table or lock.origin or lock.relation


def _whole(statement: Statement) -> bool:
    return bool(statement.rewritten or statement.validated or statement.scanned)


def _work(statement: Statement) -> Iterator[str]:
    if statement.rewritten:
        yield f"writes {', '.join(statement.rewritten)} anew"
    if statement.indexes_built and not statement.rewritten:
        yield f"builds {', '.join(statement.indexes_built)}"
    if statement.validated:
        yield f"checks {', '.join(statement.validated)}"
