"""Whether a database is what its history says, and the code what was applied to it. Changes nothing in the target.

`gather` reads, `judge` decides on what was read.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from app.migrations import baseline, drift, edits, expected, journal, locking, mending
from app.migrations.build_inputs import Inputs
from app.migrations.catalog import Difference, Key
from app.migrations.drift import Drift, Found
from app.migrations.edits import Edited
from app.migrations.errors import MigrationError
from app.migrations.expected import Expected
from app.migrations.failures import NO_PERMISSION, explained
from app.migrations.history import History
from app.migrations.makers import maker
from app.migrations.targets import Target
from app.migrations.workshop import Say, Wanted


class Check(Enum):
    """What is looked at; the value is the text shown."""

    HEADS = "one head"
    AT_HEAD = "at the head"
    SCHEMA = "the schema is what the history builds"
    INDEXES = "every index is valid"
    CONSTRAINTS = "every constraint is validated"
    MODELS = "the models agree with the schema"
    EDITED = "nothing was edited after it was applied"


ORDER = {check: number for number, check in enumerate(Check)}


class Problem(NamedTuple):
    """Something that is not as it should be, and the command, the statement or the revision that would mend it."""

    check: Check
    words: str
    cure: str
    difference: Difference | None = None


class Skipped(NamedTuple):
    """A check that could not be made, why, and what makes it possible."""

    check: Check
    why: str
    way_out: str


class Report(NamedTuple):
    """The answer: `expected_on` is the server that the history was built on, "" where it was not.

    `accepted` counts what the baseline accepts, `cached` tells that no scratch database was needed.
    """

    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    revision: tuple[str, ...]
    expected_on: str
    skipped: tuple[Skipped, ...] = ()
    accepted: int = 0
    cached: bool = False

    @property
    def clean(self) -> bool:
        """Return whether every check was made and found nothing."""
        return not self.problems and not self.skipped


class Facts(NamedTuple):
    """All that was read: of the target, of the history in the code, and what that history builds at `rows`.

    `at_rows` and `at_head` are None where a revision is unknown here, or, with `unavailable`, where no scratch
    database can be had; `edited` is None where the journal cannot be read.
    """

    name: str
    inputs: Inputs
    rows: tuple[str, ...]
    half_applied: tuple[str, ...]
    found: Found
    edited: tuple[Edited, ...] | None
    at_rows: Expected | None = None
    at_head: Expected | None = None
    unavailable: MigrationError | None = None

    @property
    def history(self) -> History:
        """Return the history in the code."""
        return self.inputs.history


def verify(root: Path, target: Target, engine: Engine, say: Say | None = None, accepted: Path | None = None) -> Report:
    """Gather and judge; `accepted` is a baseline's file. Raises as `gather` does, and for a broken baseline.

    Warm it costs one connection and a few statements; `say` hears before a scratch database is made.
    """
    report = judge(gather(root, target, engine, say))
    return report if accepted is None else baseline.applied(report, accepted)


def after_upgrade(root: Path, target: Target, engine: Engine, say: Say | None = None) -> Report:
    """Verify what an upgrade has left in the database: the schema, the journal, steps that never ended.

    No problem here are several heads, an upgrade that was told to stop below the head, and models that disagree with
    the history: that is for those who write the code. The baseline `envs/NAME.drift.json` counts where it is there.
    """
    facts = gather(root, target, engine, say)
    report = judge(facts)
    code = (*_heads(facts), *_pending(facts), *_models(facts))
    kept = tuple(one for one in report.problems if one not in code)
    skipped = tuple(one for one in report.skipped if one.check is not Check.MODELS)
    notes = (*report.notes, *(one.words for one in code if one.check is Check.MODELS))
    report = report._replace(problems=kept, skipped=skipped, notes=notes)
    usual = baseline.usual(root, target.environment.name)
    return baseline.applied(report, usual) if usual.exists() else report


def gather(root: Path, target: Target, engine: Engine, say: Say | None = None) -> Facts:
    """Read the target over one new connection in autocommit, then, where it is not remembered, build the history.

    Takes no lock that anybody waits for. Raises ConfigurationError, Unreachable.
    """
    inputs = Inputs(root)
    with (
        explained(target.place),
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        rows = locking.standing(connection)
        found, wanted = expected.meet(connection, target, inputs, say)
        half_applied, edited = _read_journal(connection, wanted, rows)
    return _with_expected(Facts(target.environment.name, inputs, rows, half_applied, found, edited), wanted)


def _read_journal(
    connection: Connection, wanted: Wanted, rows: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Edited, ...] | None]:
    home, applied = wanted.around.home, wanted.inputs.history.ancestors(rows)
    try:
        half_applied = tuple(journal.half_applied(connection, home))
        return half_applied, edits.since_applied(connection, home, wanted.inputs, applied)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != NO_PERMISSION:
            raise
        return (), None


def _with_expected(facts: Facts, wanted: Wanted) -> Facts:
    history = facts.history
    if any(row not in history for row in facts.rows):
        return facts
    heads = history.version_rows
    try:
        at_rows = expected.find(wanted, facts.rows)
        at_head = at_rows if set(heads) == set(facts.rows) else expected.find(wanted, heads)
    except MigrationError as error:
        return facts._replace(unavailable=error)
    return facts._replace(at_rows=at_rows, at_head=at_head)


def judge(facts: Facts) -> Report:
    """Decide on what was read."""
    drifted = drift_of(facts)
    checks = (_heads, _standing, _pending, _models, _edited)
    problems = [*(one for check in checks for one in check(facts)), *_differing(facts, drifted)]
    problems.sort(key=lambda problem: ORDER[problem.check])
    built = facts.at_rows
    same = built is None or built.server_major == facts.found.catalog.server_version
    on = "" if built is None else f"PostgreSQL {built.server_major}"
    if not same:
        on += f", as there is none of the target's {facts.found.catalog.server_version}"
    notes = (*(drifted.notes if drifted else ()), *_no_models(facts))
    return Report(
        tuple(problems), notes, facts.rows, on, tuple(_skipped(facts)), cached=built is not None and built.cached
    )


def drift_of(facts: Facts) -> Drift | None:
    """Return how the target's schema differs from that of its revision; None where that is not known."""
    return None if facts.at_rows is None else drift.compare(facts.at_rows.build, facts.found)


def _heads(facts: Facts) -> Iterator[Problem]:
    heads = facts.history.heads
    if len(heads) > 1:
        yield Problem(Check.HEADS, f"the history has {len(heads)} heads: {', '.join(heads)}", "inv db.merge")


def _standing(facts: Facts) -> Iterator[Problem]:
    name = facts.name
    for row in facts.rows:
        if row not in facts.history:
            words = f"{name or 'the database'} is at {row}, which this checkout does not have"
            yield Problem(Check.AT_HEAD, words, f"git pull, or see who applied it: inv db.journal{_env(name)}")
    for row in facts.half_applied:
        words = f"revision {row} was begun and never ended: half of it is committed"
        yield Problem(Check.AT_HEAD, words, f"inv db.doctor{_env(name)}")


def _pending(facts: Facts) -> Iterator[Problem]:
    history = facts.history
    if all(row in history for row in facts.rows) and (pending := history.pending(facts.rows)):
        count = f"{len(pending)} revision{'s' if len(pending) > 1 else ''}"
        cure = f"inv db.upgrade{_env(facts.name)}{' --to=heads' if len(history.heads) > 1 else ''}"
        yield Problem(Check.AT_HEAD, f"{count} pending, the next is {pending[0]}", cure)


def _env(name: str) -> str:
    return f" --env={name}" if name else ""


def _differing(facts: Facts, drifted: Drift | None) -> Iterator[Problem]:
    found = facts.found.catalog
    if facts.at_rows is None or drifted is None:
        for key, properties in found.objects.items():
            if key.kind == "index" and properties.get("valid") == "no":
                one = Difference(key.kind, key.name, "valid", None, "no")
                yield Problem(Check.INDEXES, f"index {key.name} is invalid", mending.sql(one, found, found) or "", one)
        return
    expected_ = drift.as_on_target(facts.at_rows.build, facts.found)
    applied = facts.history.pending((), facts.rows)
    for one in drifted.differences:
        check = _check_of(one, found.objects.get(Key(one.kind, one.object), {}).get("valid") == "no")
        words = one.words("the history", facts.name or "the database")
        yield Problem(check, words, mending.sql(one, expected_, found) or _by_hand(facts, one, applied), one)


def _by_hand(facts: Facts, one: Difference, applied: Sequence[str]) -> str:
    env = _env(facts.name)
    if one.attribute is None and one.after is not None:
        if facts.at_head is not None and Key(one.kind, one.object) in facts.at_head.catalog.objects:
            return f"a pending revision makes it; find the revision that the schema is at: inv db.stamp --detect{env}"
        return f'write it into a revision (inv db.revision --message="..."), or drop {one.kind} {one.object} by hand'
    made = maker(one, facts.inputs, applied)
    if made is None:
        return f"make {one.kind} {one.object} by hand what the history builds"
    verb = "creates" if one.attribute is None else "says how it is"
    return f"revision {made} {verb}: {facts.history[made].path}"


def _check_of(one: Difference, invalid: bool) -> Check:
    if one.kind == "index" and (one.attribute == "valid" or (one.attribute is None and invalid)):
        return Check.INDEXES
    is_unvalidated = one.kind == "constraint" and one.attribute == "valid" and one.after == "no"
    return Check.CONSTRAINTS if is_unvalidated else Check.SCHEMA


def _models(facts: Facts) -> Iterator[Problem]:
    cure = 'inv db.revision --autogenerate --message="..."'
    for words in (facts.at_head and facts.at_head.models) or ():
        yield Problem(Check.MODELS, f"models and history disagree: {words}", cure)


def _no_models(facts: Facts) -> Iterator[str]:
    if facts.at_head is not None and facts.at_head.models is None and len(facts.history.heads) < 2:
        yield "env.py names no models, so none were compared"


def _edited(facts: Facts) -> Iterator[Problem]:
    for one in facts.edited or ():
        at = f"git show {one.commit[:12]}:{one.path}" if one.commit else f"inv db.journal{_env(facts.name)}"
        yield Problem(
            Check.EDITED,
            f"{one.path} was edited after revision {one.revision} was applied on {one.applied_at}",
            f"restore the file ({at}), and write the change as a new revision",
        )


def _skipped(facts: Facts) -> Iterator[Skipped]:
    if facts.unavailable is not None:
        for check in (Check.SCHEMA, Check.CONSTRAINTS, Check.MODELS):
            yield Skipped(check, facts.unavailable.message, facts.unavailable.hint)
    elif facts.at_rows is None:
        unknown = next(row for row in facts.rows if row not in facts.history)
        for check in (Check.SCHEMA, Check.CONSTRAINTS, Check.MODELS):
            yield Skipped(check, f"revision {unknown} is not in this checkout", "git pull")
    elif facts.at_head is not None and facts.at_head.models is None and len(facts.history.heads) > 1:
        yield Skipped(Check.MODELS, "the history has several heads", "inv db.merge")
    if facts.edited is None:
        grant = f"GRANT SELECT ON {journal.JOURNAL} TO {facts.found.user}"
        yield Skipped(Check.EDITED, "the journal cannot be read by this role", grant)
