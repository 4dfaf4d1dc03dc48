"""Whether a database's schema is that of a revision, before that revision is recorded in it. Changes nothing."""

from collections.abc import Mapping
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from app.migrations import drift, expected, runner
from app.migrations.build_inputs import Inputs
from app.migrations.catalog import Difference
from app.migrations.errors import Refused
from app.migrations.expected import gather
from app.migrations.targets import Target
from app.migrations.workshop import Say

SHOWN = 8
"""Differences that a refusal names."""


def check_stamp(root: Path, target: Target, engine: Engine, to: str, say: Say | None = None) -> list[Difference]:
    """Return how the target differs from what the history builds at `to`: nothing where the stamp would be right.

    Owners and grants count where the history sets them. Reads the target over one connection, takes no lock that
    anybody waits for, and makes a scratch database where the revision is not remembered. Raises ConfigurationError
    for a `to` that the history does not have or that cannot be built, and Unreachable.
    """
    script = runner.history(root)
    found, wanted = gather(target, engine, Inputs(root), say)
    built = expected.find(wanted, ids(root, script, to))
    return list(drift.compare(built.build, found).differences)


def ids(root: Path, script: ScriptDirectory, to: str) -> tuple[str, ...]:
    """Return the revisions that `to` names; none for base."""
    with runner.advice(root, to):
        return tuple(sorted(one.revision for one in script.get_revisions(to) if one))


def refuse_unless_equal(target: Target, to: str, differences: list[Difference]) -> None:
    """Raise Refused, which names the differences, unless there are none."""
    if not differences:
        return
    name = target.environment.name
    said = [one.words(to, name or "the database") for one in differences]
    more = [f"and {len(said) - SHOWN} more"] if len(said) > SHOWN else []
    env = f" --env={name}" if name else ""
    raise Refused(
        f"{target.place.described} is not at {to}: {'; '.join([*said[:SHOWN], *more])}; nothing was changed",
        f"inv db.stamp --detect{env}; or, if {to} is to be recorded all the same: inv db.stamp --to={to} --force{env}",
    )


def refuse_without_answer(name: str, to: str, yes: bool, asks: bool) -> None:
    """Raise Refused where a wrong stamp is to be agreed to, and there is nobody to ask."""
    if not yes and not asks:
        raise Refused(
            f"{name} is not at {to}: to record that all the same has to be agreed to, and there is no terminal to ask"
            " at; nothing was changed",
            f"inv db.stamp --to={to} --env={name} --force --yes",
        )


def forced(differences: list[Difference]) -> Mapping[str, object]:
    """Return what the journal says about a stamp that was made in spite of differences."""
    return {"forced": True, "differences": [one.to_document() for one in differences]}
