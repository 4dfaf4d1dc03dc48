"""Every rule for a revision file, and what they find in one. Opens no file, executes none."""

from collections.abc import Iterator, Sequence

from app.migrations.checks import (
    allow_without_reason,
    allowances,
    autocommit_block_not_alone,
    concurrently_in_transaction,
    constraint_not_validated,
    data_and_schema_mixed,
    data_not_undone,
    downgrade_mismatch,
    drop_column,
    drop_table,
    index_not_concurrent,
    irreversible,
    missing_downgrade,
    model_import,
    not_null_without_default,
    rename,
    several_changes,
    stale_allow,
    type_change,
    volatile_default,
)
from app.migrations.checks.allowances import Allowance
from app.migrations.checks.rule import Known, Problem, Rule
from app.migrations.checks.settings import Settings
from app.migrations.findings import Finding, Severity, in_order
from app.migrations.headers import Fault
from app.migrations.sources.migration import Migration, parse

ALL: tuple[Rule, ...] = (
    missing_downgrade.RULE,
    data_not_undone.RULE,
    irreversible.RULE,
    downgrade_mismatch.RULE,
    concurrently_in_transaction.RULE,
    index_not_concurrent.RULE,
    autocommit_block_not_alone.RULE,
    not_null_without_default.RULE,
    drop_column.RULE,
    drop_table.RULE,
    rename.RULE,
    type_change.RULE,
    constraint_not_validated.RULE,
    volatile_default.RULE,
    data_and_schema_mixed.RULE,
    model_import.RULE,
    several_changes.RULE,
    allow_without_reason.RULE,
    stale_allow.RULE,
)
NAMES = frozenset(rule.name for rule in ALL)
NOTHING = Known()
DEFAULTS = Settings()


def check_file(path: str, source: bytes, settings: Settings = DEFAULTS, known: Known = NOTHING) -> list[Finding]:
    """Return what is wrong with one revision file, in the order of its lines; nothing for a file that is none.

    `path` is only shown. A revision that Python cannot parse is one finding, `syntax-error`; what cannot be known from
    the file is none. Never raises, whatever the bytes are.
    """
    found = parse(path, source)
    if isinstance(found, Fault):
        weight = settings.severity(found.rule, Severity.ERROR)
        fault = (found.path, found.line, found.message, found.instead)
        return [Finding(found.rule, weight, *fault)] if weight else []
    if found is None or found.revision.id in known.past:
        return []
    return in_order(_weighed(path, found, settings, known))


def _weighed(path: str, migration: Migration, settings: Settings, known: Known) -> Iterator[Finding]:
    """Return the findings that are neither switched off nor allowed, and the allowances that nothing needs."""
    comments = [each for each in allowances.read(migration) if each.reason]
    used = set[Allowance]()
    for rule, problem in _problems(migration, settings, known):
        severity = settings.severity(rule.name, rule.severity)
        silencing = [each for each in comments if _silences(each, rule, problem)]
        used.update(silencing)
        if severity is not None and not silencing:
            yield _finding(rule, severity, path, problem)
    severity = settings.severity(stale_allow.RULE.name, stale_allow.RULE.severity)
    for each in comments if severity is not None else ():
        if each not in used and severity is not None:
            problem = stale_allow.problem(each.line, each.rule, each.rule in NAMES)
            yield _finding(stale_allow.RULE, severity, path, problem)


def _problems(migration: Migration, settings: Settings, known: Known) -> Iterator[tuple[Rule, Problem]]:
    for rule in _wanted(settings):
        for problem in rule.find(migration, known):
            if not (settings.no_downgrades and rule is irreversible.RULE and migration.revision.irreversible is None):
                yield rule, problem


def _wanted(settings: Settings) -> Sequence[Rule]:
    return [rule for rule in ALL if not (settings.no_downgrades and rule.of_downgrades)]


def _silences(allowance: Allowance, rule: Rule, problem: Problem) -> bool:
    return allowance.rule == rule.name and allowance.covers(problem.line, problem.first, problem.last)


def _finding(rule: Rule, severity: Severity, path: str, problem: Problem) -> Finding:
    return Finding(rule.name, severity, path, problem.line, problem.message, problem.instead, rule.way_out)
