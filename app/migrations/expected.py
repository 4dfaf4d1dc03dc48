"""The catalog that a revision should have: built from the history in a scratch database, remembered on disk."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import alembic
import sqlalchemy
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from app.migrations import catalog as catalogs
from app.migrations import expected_cache, inspection, model_check, runner
from app.migrations.build_inputs import Inputs
from app.migrations.catalog import Catalog
from app.migrations.drift import Build, Found
from app.migrations.failures import explained
from app.migrations.targets import Target
from app.migrations.workshop import (
    NEWEST,
    VERSIONS,
    Say,
    Surroundings,
    Wanted,
    Workshop,
    available,
    empty,
    is_named,
    read,
    surroundings,
    upgrade,
    workshop,
)

READERS = ("catalog*", "inspection*", "expected", "workshop", "scratch", "journal", "model_check")
"""Modules of the toolkit that decide what a build finds: what they found is forgotten when one of them changes."""


class Expected(NamedTuple):
    """What the history builds, on a server of `server_major`, which may be newer than the target's.

    `given` is what an empty database has there, `builder` who owns what the history gives no owner, `extensions` the
    versions that CREATE EXTENSION takes there, `models` how the models differ from this schema: None where that was
    not asked, as the revisions are not the only head. `cached` tells that no scratch database was needed.
    """

    catalog: Catalog
    server_major: int
    cached: bool
    given: Catalog
    builder: str
    extensions: dict[str, str]
    models: tuple[str, ...] | None = None

    @property
    def build(self) -> Build:
        """Return what a target is compared with."""
        return Build(self.catalog, self.given, self.builder, self.extensions)


def gather(target: Target, engine: Engine, inputs: Inputs, say: Say | None = None) -> tuple[Found, Wanted]:
    """Read a target, and what its history is to be built with, over one new connection in autocommit."""
    with explained(target.place), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return meet(connection, target, inputs, say)


def meet(connection: Connection, target: Target, inputs: Inputs, say: Say | None = None) -> tuple[Found, Wanted]:
    """Do what `gather` does, over a connection in autocommit. Locks nothing that anybody waits for."""
    catalog = inspection.read(connection)
    user = str(connection.scalar(text("SELECT current_user")))
    versions = {str(name): str(version) for name, version in connection.execute(VERSIONS)}
    wanted = Wanted(inputs, target, catalog.server_version, surroundings(connection), say)
    return Found(catalog, user, versions), wanted


def find(wanted: Wanted, revisions: Sequence[str]) -> Expected:
    """Return the catalog that the history has at exactly these revisions; several are several rows of the table.

    Out of the cache where it is there: then nothing is started or connected to. Else a scratch database is made, on
    a server of the target's major or the nearest newer one, and `say` is told. Raises ConfigurationError where no
    scratch database can be made or the history does not run in it, KeyError for a revision that is not in the history.
    """
    remembered = _recall(wanted, key := _key(wanted, revisions))
    if remembered:
        return remembered
    with workshop(wanted) as built:
        if wanted.say:
            named = ", ".join(revisions) or "base"
            wanted.say(f"building the schema of {named} on {built.described}, once for this history")
        found = _built(built, wanted.inputs, tuple(revisions))
    expected_cache.save(wanted.inputs.root, _name(key, found.server_major), _document(found))
    return found


def signature(around: Surroundings) -> tuple[str, ...]:
    """Return what decides, beside the history, what a build finds; roles only decide whether it succeeds."""
    return (alembic.__version__, sqlalchemy.__version__, _readers(), around.home, around.search_path)


@cache
def _readers() -> str:
    paths = sorted(path for name in READERS for path in Path(__file__).parent.glob(f"{name}.py"))
    return sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _key(wanted: Wanted, revisions: Sequence[str]) -> str:
    for revision in revisions:
        _ = wanted.inputs.history[revision]
    return wanted.inputs.key(revisions, *signature(wanted.around))


def _recall(wanted: Wanted, key: str) -> Expected | None:
    """Return what was built on the target's major; on a newer one only where no server nearer to it can be had."""
    least = wanted.server_major
    newest = None if is_named(wanted.target) else available(wanted.target, least)
    for major in range(least, (newest or NEWEST) + 1):
        if found := _remembered(expected_cache.load(wanted.inputs.root, _name(key, major))):
            return found
    return None


def _built(built: Workshop, inputs: Inputs, revisions: tuple[str, ...]) -> Expected:
    with empty(built) as url:
        given = read(url)
        for revision in revisions:
            upgrade(built, url, revision)
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            builder = str(connection.scalar(text("SELECT current_user")))
            versions = {str(name): str(version) for name, version in connection.execute(VERSIONS)}
            found = inspection.read(connection)
        models = _models(built, url) if set(revisions) == set(inputs.history.version_rows) else None
    return Expected(found, built.major, False, given, builder, versions, models)


def _models(built: Workshop, url: str) -> tuple[str, ...] | None:
    """Compare the models with a scratch database at the head, as `alembic check` does.

    None with several heads, which Alembic does not compare, and where env.py names no models.
    """
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return model_check.check(runner.config(built.root, connection=connection), built.script)


def _name(key: str, major: int) -> str:
    return f"{key[:40]}-{major}.json"


def _document(found: Expected) -> dict[str, object]:
    return {
        "catalog": catalogs.to_document(found.catalog),
        "given": catalogs.to_document(found.given),
        "server_major": found.server_major,
        "builder": found.builder,
        "extensions": found.extensions,
        "models": None if found.models is None else list(found.models),
    }


def _remembered(document: object) -> Expected | None:
    match document:
        case {
            "catalog": dict(catalog), "given": dict(given), "server_major": int(major), "builder": str(builder),
            "extensions": dict(versions), "models": (list() | None) as models,
        }:  # fmt: skip
            with suppress(ValueError):
                return Expected(
                    catalogs.from_document(catalog), major, True, catalogs.from_document(given), builder,
                    {str(name): str(version) for name, version in versions.items()},
                    None if models is None else tuple(map(str, models)),
                )  # fmt: skip
    return None
