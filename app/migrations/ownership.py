"""Whose database it is, by what it says itself and by what the files say. Changes nothing; knows no history."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.migrations import environments, identity, journal, urls
from app.migrations.errors import ConfigurationError, MigrationError, Refused
from app.migrations.identity import Facts, Identity, Standing, Verdict
from app.migrations.targets import Target


class Examination(NamedTuple):
    """What a target says about itself; `unreadable` is why its identity could not be read, or empty."""

    schema: str | None
    facts: Facts
    recorded: Identity | None
    unreadable: str = ""


def examine(connection: Connection) -> Examination:
    """Read what the database says about itself, on a connection in autocommit. Raises where that is lost."""
    schema = journal.home(connection)
    info = connection.connection.dbapi_connection.info  # type: ignore[union-attr]
    facts = journal.observe(connection, str(info.host), int(info.port or urls.DEFAULT_PORT))  # libpq leaves it out
    try:
        return Examination(schema, facts, journal.identity(connection, schema))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return Examination(schema, facts, None, str(error.orig).strip().splitlines()[0])


def judge(target: Target, seen: Examination, root: Path) -> Verdict:
    """Say whether the target's environment may change it; where nothing is recorded, the files of the others count."""
    name = target.environment.name
    if seen.unreadable:
        reason = f"whose database this is cannot be read from {journal.IDENTITY}: {seen.unreadable}"
        grant = f"GRANT SELECT, INSERT, UPDATE ON {seen.schema}.{journal.IDENTITY} TO this user, by its owner"
        return Verdict(Standing.ANOTHERS, reason=reason, next=grant)
    verdict = identity.judge(name, seen.recorded, seen.facts)
    if verdict.standing is Standing.UNRECORDED and name:
        other = identity.namesake(seen.facts, _others(root, name))
        if other:
            reason = f"this database is also named by envs/{other}.env, and nothing is recorded in it"
            return Verdict(Standing.ANOTHERS, reason=reason, next=f"--env={other}, or correct one of the two files")
    return verdict


def refuse_unless_ours(target: Target, verdict: Verdict) -> None:
    """Raise Refused where the database is another environment's, or a copy that nobody has claimed."""
    if not verdict.allows_change:
        raise Refused(f"{target.place.described}: {verdict.reason}; nothing was changed", verdict.next)


def no_schema(target: Target) -> ConfigurationError:
    """Return the error of a database in which nothing can be created, not even the version table."""
    return ConfigurationError(
        f"{target.place.described}: search_path names no schema that exists; nothing was changed",
        "CREATE SCHEMA, or set search_path for this user or database",
    )


def _others(root: Path, name: str) -> Iterable[tuple[str, Facts]]:
    """Return where the files of the other environments point to, as far as they name a server."""
    for other in environments.names(root):
        if other == name:
            continue
        with suppress(MigrationError):
            url = environments.load(root, other, {}, need_url=False).database_url
            if url and urls.embedded_name(url) is None:
                parts = urls.parse(url)
                for address in parts.addresses:
                    yield other, Facts(None, 0, address.host or "", address.port or 5432, parts.database or "")
