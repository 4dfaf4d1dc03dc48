"""Tasks that compare a database with its history: verify, adopt; and the checks of stamp and upgrade."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.migrations.verification import Report
    from scripts.tasks.workplace import Workplace


@command(
    help={
        "baseline": "a file of accepted drift (default: envs/NAME.drift.json, where it is there)",
        "write_baseline": "accept what is found, into that file",
    }
)
def verify(c: Context, env: str = "", baseline: str = "", write_baseline: bool = False, json: bool = False) -> None:
    """Compare a database with its history, its models and its journal."""
    from app.migrations import baseline as baselines
    from app.migrations import verification
    from scripts.tasks import documents, verify_screen, workplace

    place = workplace.enter(env)
    usual = baselines.usual(ROOT, place.name)
    path = Path(baseline) if baseline else usual
    reads = not write_baseline and (bool(baseline) or usual.exists())
    found = verification.verify(ROOT, place.target, place.engine, tell, path if reads else None)
    if write_baseline:
        count = baselines.write(found, path)
        tell(f"{path}: {count} accepted")
        found = baselines.applied(found, path)
    if json:
        documents.show(verify_screen.document(place.name, found))
    else:
        verify_screen.report(place.name, found)
    conclude(place.name, found)


@command(
    help={
        "yes": "do not ask, on a protected environment",
        "no_backup": "go on without the backup that the environment wants",
    }
)
def adopt(c: Context, env: str = "", yes: bool = False, no_backup: bool = False) -> None:
    """Bring a database that was made by hand under Alembic."""
    from app.migrations import adoption
    from scripts.tasks import changes, screen, verify_screen, workplace

    place = workplace.enter(env)
    place.status_before_change()
    adopted = adoption.adopt(ROOT, place.target, place.engine, tell)
    try:
        changes.change("stamp", env, adopted.revision, yes=yes, no_backup=no_backup)
    except BaseException:
        if adopted.path:
            adopted.path.unlink(missing_ok=True)
        raise
    if adopted.path:
        screen.written(adopted.path)
    verify_screen.notes(adopted.notes)


def detect(env: str) -> None:
    """Say which revision the schema of a database is at; raise NegativeAnswer where it is at none."""
    from app.migrations import detection, expected
    from app.migrations.build_inputs import Inputs
    from app.migrations.errors import NegativeAnswer
    from scripts.tasks import verify_screen, workplace

    place = workplace.enter(env)
    seen = detection.detect(*expected.gather(place.target, place.engine, Inputs(ROOT), tell))
    if not seen.equal:
        raise NegativeAnswer(verify_screen.nearest(place.name, seen), f"inv db.verify --env={place.name}")
    verify_screen.detected(place.name, seen)


def check_stamp(place: "Workplace", to: str, force: bool, yes: bool) -> "Mapping[str, object]":
    """Refuse a stamp that is wrong, unless it is forced and agreed to; return what the journal has to say about it."""
    from app.migrations import stamping
    from scripts.tasks import confirmation, verify_screen

    differences = stamping.check_stamp(ROOT, place.target, place.engine, to, tell)
    if not differences:
        return {}
    if not force:
        stamping.refuse_unless_equal(place.target, to, differences)
    verify_screen.differences(place.name, to, differences)
    stamping.refuse_without_answer(place.name, to, yes, asks=sys.stdin.isatty())
    confirmation.confirm(place.name, yes)
    return stamping.forced(differences)


def after_upgrade(place: "Workplace") -> None:
    """Verify what an upgrade has left. Raise NegativeAnswer where that is not what the history builds."""
    from app.migrations import verification
    from app.migrations.errors import NegativeAnswer, Unreachable
    from scripts.tasks import verify_screen

    try:
        found = verification.after_upgrade(ROOT, place.target, place.engine, tell)
    except Unreachable as error:
        done = "every step was applied and verified; only the closing comparison with the history failed"
        raise Unreachable(f"{done}: {error.message}", error.hint) from error
    verify_screen.short(place.name, found)
    if found.problems:
        count = len(found.problems)
        raise NegativeAnswer(
            f"every step is done and kept, but {place.name} is not as it should be: {count}"
            f" problem{'' if count == 1 else 's'}, listed above",
            f"inv db.verify --env={place.name}",
        )


def conclude(name: str, found: "Report") -> None:
    """Raise NegativeAnswer where something was found, ConfigurationError where something could not be checked."""
    from app.migrations.errors import ConfigurationError, NegativeAnswer

    if found.problems:
        first, more = found.problems[0], len(found.problems) - 1
        also = f", and {more} more" if more else ""
        raise NegativeAnswer(f"{name} is not as it should be: {first.words}{also}", " ".join(first.cure.split()))
    if found.skipped:
        one = found.skipped[0]
        raise ConfigurationError(f"{name} is not verified: not checked: {one.check.value}: {one.why}", one.way_out)


def tell(line: str) -> None:
    """Say on stderr what takes long."""
    print(line, file=sys.stderr, flush=True)
