"""How long the same revisions took in the other environments, by their journals. Reads; starts no server."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.migrations import environments, journal
from app.migrations.errors import MigrationError
from app.migrations.survey import Surveyor, at_once, impatient, running_target

WITHIN = 5.0
"""Seconds after which an environment that does not answer is done without."""
LAST = """
SELECT DISTINCT ON (revision) revision, duration_ms, digest FROM {journal}
WHERE action = 'upgrade' AND duration_ms IS NOT NULL AND revision = ANY (:revisions)
ORDER BY revision, id DESC
"""


class Past(NamedTuple):
    """The last time that a revision was applied in an environment, with the code of this `digest`."""

    environment: str
    revision: str
    seconds: float
    digest: str | None


def read(surveyor: Surveyor, but: str, revisions: Sequence[str]) -> list[Past]:
    """Ask the databases of all environments `but` one, at once; those that do not answer in time are left out."""
    names = [name for name in environments.names(surveyor.root) if name != but]
    found = at_once(names, lambda name: _of(surveyor, name, revisions), lambda _: [], WITHIN)
    return [past for each in found for past in each]


def _of(surveyor: Surveyor, name: str, revisions: Sequence[str]) -> list[Past]:
    try:
        environment = environments.load(surveyor.root, name, surveyor.process, need_url=False)
        target = running_target(surveyor.root, environment) if environment.database_url else None
        return [] if target is None else _recorded(surveyor.connect(impatient(target.url)), name, revisions)
    except (MigrationError, SQLAlchemyError):
        return []


def _recorded(engine: Engine, name: str, revisions: Sequence[str]) -> list[Past]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        schema = journal.home(connection)
        if not journal.exists(connection, schema, journal.JOURNAL):
            return []
        statement = text(LAST.format(journal=f"{schema}.{journal.JOURNAL}"))
        rows = connection.execute(statement, {"revisions": list(revisions)})
        return [Past(name, str(revision), int(ms) / 1000, digest) for revision, ms, digest in rows]
