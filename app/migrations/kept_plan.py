"""A plan that was looked at, kept in a file, and what deviates from it later. Decides on values alone.

A statement is kept with its words. In statements that change rows the values are left out: a revision may compute
them anew each time, such as the time of day.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from app.migrations.errors import ConfigurationError
from app.migrations.findings import Severity
from app.migrations.forecast import Forecast
from app.migrations.statements import words

FORMAT = 1
ROWS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "COPY"})
VALUE = re.compile(r"[eE]?'(?:[^'\\]|''|\\.)*'(?:::[\w ]+(?:\[\])?)?|\b\d+(?:\.\d+)?\b|\b(?:true|false|NULL)\b")
SHOWN = 3


class Kept(NamedTuple):
    """One revision as it was planned: the hash of its code, and its statements in their order."""

    revision: str
    digest: str
    statements: tuple[str, ...]


class Accepted(NamedTuple):
    """A rule whose findings somebody has looked at, and why they may stand."""

    rule: str
    reason: str


class KeptPlan(NamedTuple):
    """What a plan promises: where it begins and ends, in which environment and database, and by which statements.

    `errors` are the rules that are errors in it and that nobody has accepted.
    """

    environment: str
    database: str
    start: tuple[str, ...]
    end: tuple[str, ...]
    revisions: tuple[Kept, ...]
    accepted: tuple[Accepted, ...] = ()
    errors: tuple[str, ...] = ()


def accept(given: Iterable[str]) -> list[Accepted]:
    """Read `RULE: reason`, as it is given on the command line. Raises ConfigurationError for one without either."""
    found = []
    for text in given:
        rule, colon, reason = (part.strip() for part in text.partition(":"))
        if not (rule and colon and reason):
            raise ConfigurationError(
                f'--accept="{text}" is no rule with a reason; nothing was accepted',
                '--accept="RULE: why it may stand", once for each rule',
            )
        found.append(Accepted(rule, reason))
    return found


def unaccepted(forecast: Forecast, accepted: Iterable[Accepted]) -> list[str]:
    """Return the rules of which a finding is an error that nobody has accepted, each once."""
    rules = {one.rule for one in accepted}
    errors = (cause.finding.rule for cause in forecast.causes if cause.finding.severity is Severity.ERROR)
    return [rule for rule in dict.fromkeys(errors) if rule not in rules]


def refuse_stale(forecast: Forecast, accepted: Iterable[Accepted]) -> None:
    """Raise ConfigurationError for an accepted rule of which the plan has no finding: it would be kept in vain."""
    found = dict.fromkeys(cause.finding.rule for cause in forecast.causes)
    for one in accepted:
        if one.rule not in found:
            raise ConfigurationError(
                f"--accept={one.rule}: the plan has no such finding; it has {', '.join(found) or 'none'}",
                "leave it out, or correct the name",
            )


def keep(forecast: Forecast, environment: str, database: str, accepted: Sequence[Accepted]) -> KeptPlan:
    """Return the plan as it is kept."""
    revisions = tuple(
        Kept(step.revision, step.digest, tuple(shape(one.sql) for one in step.statements))
        for step in forecast.trace.steps
    )
    errors = tuple(unaccepted(forecast, accepted))
    trace = forecast.trace
    return KeptPlan(environment, database, trace.start, trace.end, revisions, tuple(accepted), errors)


def shape(sql: str) -> str:
    """Return a statement as it is compared: on one line, and without its values if it is about rows."""
    line = " ".join(sql.split())
    found = words(line)
    return VALUE.sub("?", line) if found and found[0] in ROWS else line


def deviations(kept: KeptPlan, now: KeptPlan) -> Iterator[str]:
    """Say what is not as it was planned; nothing where everything is."""
    if (kept.environment, kept.database) != (now.environment, now.database):
        yield f"it was made for {kept.environment} ({kept.database}), not for {now.environment} ({now.database})"
    if kept.start != now.start:
        yield f"the database is at {_ids(now.start)}, and was at {_ids(kept.start)}"
    before, after = [one.revision for one in kept.revisions], [one.revision for one in now.revisions]
    if before != after:
        yield f"{_ids(after, 'nothing')} would be applied, and was planned as {_ids(before, 'nothing')}"
    planned = {one.revision: one for one in kept.revisions}
    for one in now.revisions:
        yield from _changed(planned[one.revision], one) if one.revision in planned else ()


def _changed(kept: Kept, now: Kept) -> Iterator[str]:
    if kept.digest != now.digest:
        yield f"the file of {now.revision} was edited"
    elif kept.statements != now.statements:
        other = [one for one in now.statements if one not in kept.statements]
        gone = [one for one in kept.statements if one not in now.statements]
        said = [f"now runs {one}" for one in other[:SHOWN]] + [f"no longer runs {one}" for one in gone[:SHOWN]]
        yield f"{now.revision} runs other statements: {'; '.join(said) or 'the same in another order or number'}"


def _ids(revisions: Sequence[str], none: str = "base") -> str:
    return ", ".join(revisions) or none


def render(plan: KeptPlan) -> str:
    """Return the file's text."""
    document = {
        "format": FORMAT,
        "environment": plan.environment,
        "database": plan.database,
        "start": list(plan.start),
        "end": list(plan.end),
        "revisions": [
            {"revision": one.revision, "digest": one.digest, "statements": list(one.statements)}
            for one in plan.revisions
        ],
        "accepted": [one._asdict() for one in plan.accepted],
        "errors": list(plan.errors),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def parse(text: str, path: str) -> KeptPlan:
    """Read a kept plan. Raises ConfigurationError for what is none, or one of another format."""
    try:
        document: object = json.loads(text)
        match document:
            case {
                "format": 1, "environment": str(environment), "database": str(database), "start": list(start),
                "end": list(end), "revisions": list(revisions), "accepted": list(accepted), "errors": list(errors),
            }:  # fmt: skip
                return KeptPlan(
                    environment, database, tuple(map(str, start)), tuple(map(str, end)),
                    tuple(_kept(one) for one in revisions),
                    tuple(Accepted(str(one["rule"]), str(one["reason"])) for one in accepted),
                    tuple(map(str, errors)),
                )  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        raise _no_plan(path, str(error)) from error
    raise _no_plan(path, f"its format is not {FORMAT}")


def _kept(one: Mapping[str, object]) -> Kept:
    statements = one["statements"]
    if not isinstance(statements, list):
        raise TypeError("its statements are no list")
    return Kept(str(one["revision"]), str(one["digest"]), tuple(map(str, statements)))


def _no_plan(path: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is no kept plan: {reason}; nothing was changed", f"inv db.plan --out={path}, and look at it again"
    )
