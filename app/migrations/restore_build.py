"""Builds a database from a backup, beside the one that is in use: creates, fills, compares, analyses. Renames none."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from app.migrations import clients, contents, database_settings, maintenance, raw, rescue, restore_survey, restoring
from app.migrations.clients import Clients
from app.migrations.dump_progress import Advance
from app.migrations.errors import Refused
from app.migrations.manifest import DatabaseSettings
from app.migrations.quoting import quoted
from app.migrations.restore_plan import Situation
from app.migrations.restoring import Into, NotRestored

DEFAULT = "pg_default"
"""The tablespace of template0: an owner may use it, but may not name it without being granted CREATE there."""


class Database(NamedTuple):
    """The new database, not in use yet."""

    name: str
    oid: int
    url: str
    engine: Engine


class Content(NamedTuple):
    """What was restored: the rows of each table; `left_out` is what a part could not bring with it."""

    rows: dict[str, int]
    left_out: tuple[str, ...]


@contextmanager
def database(situation: Situation, admin: RawConnection) -> Iterator[Database]:
    """Create the new database, and try at once what it will be given in the end: an hour later is too late."""
    settings, place = situation.archive.readable().settings, situation.target.place
    tablespace = situation.found.settings.tablespace if situation.found else settings.tablespace
    options = restoring.creation_options(settings, situation.server.version // 10000)
    if tablespace in situation.server.tablespaces - {DEFAULT}:
        options += f" TABLESPACE {quoted(tablespace)}"
    with ExitStack() as stack:
        try:
            name, oid = stack.enter_context(maintenance.building(admin, situation.name, options))
            _rehearse(situation, name)
        except psycopg2.Error as error:
            said = str(error).strip().splitlines()[0]
            raise Refused(
                f"{place.described}: a database beside it cannot be made like it: {said}; nothing was changed",
                f"have a superuser restore, or correct that; or {situation.again}",
            ) from error
        url = restore_survey.url_of(situation.target, name)
        yield Database(name, oid, url, create_engine(url, poolclass=NullPool))


def _rehearse(situation: Situation, name: str) -> None:
    with closing(maintenance.connect(situation.target.url, situation.name, situation.target.place)) as mover:
        mover.autocommit = False
        for statement in dressing(situation, name, None):
            raw.execute(mover, statement)
        mover.rollback()


def dressing(situation: Situation, name: str, live: DatabaseSettings | None) -> list[str]:
    """Return the SQL that gives the new database what the old one has; of a lost one, what the manifest says."""
    if situation.request.into:
        return []
    known = live or (situation.found.settings if situation.found else situation.archive.readable().settings)
    return database_settings.statements(name, known)


def fill(situation: Situation, built: Database, jobs: int, advance: Advance | None) -> Content:
    """Restore into the new database, compare it with the manifest, run ANALYZE. Raises Refused for any difference.

    Raises NotRestored where several `jobs` were in each other's way: one alone cannot be.
    """
    programs = _programs(situation)
    options = ["--schema-only"] if situation.request.schema_only else []
    expected = {} if situation.request.schema_only else dict(situation.archive.readable().rows)
    left_out: tuple[str, ...] = ()
    with TemporaryDirectory() as folder:
        if situation.request.tables:
            part = _part(situation, programs)
            Path(folder, "list").write_text(part.listed)
            options.append(f"--use-list={Path(folder, 'list')}")
            left_out = part.left_out
            chosen = rescue.with_rows(part, expected)
            expected = {name: rows for name, rows in expected.items() if name in chosen}
        _restore(situation, Into(built.url, programs, jobs, tuple(options)), advance)
    _refuse_differences(situation, _differences(situation, built, expected))
    with built.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("ANALYZE")
    return Content(expected, left_out)


def _programs(situation: Situation) -> Clients:
    manifest, target = situation.archive.readable(), situation.target
    dumped_by, server = int(manifest.client_version.partition(".")[0]), situation.server.version // 10000
    packed = clients.compression_of(file.name for file in manifest.files)
    found = clients.restore_for(target.environment.pg_bin, os.environ.get("PATH", ""), dumped_by, server, packed)
    clients.check_url(found, target.url)
    return found


def _part(situation: Situation, programs: Clients) -> rescue.Selection:
    command = [programs.path("pg_restore"), "--list", "--verbose", "--format=directory", str(situation.archive.dump)]
    listed = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")
    entries = rescue.parse(listed)
    return rescue.select(entries, rescue.find(entries, situation.request.tables, situation.archive.readable().roles))


def _restore(situation: Situation, into: Into, advance: Advance | None) -> None:
    try:
        restoring.restore(situation.archive, into, advance)
    except NotRestored as error:
        if error.deadlock and into.jobs > 1:
            raise
        raise Refused(
            f"{situation.target.place.described}: the backup {situation.archive.name} could not be restored: {error}; "
            "nothing was changed, and the new database was dropped",
            f"correct what it says, then the same command; or another backup: {_backups(situation)}",
        ) from error


def _differences(situation: Situation, built: Database, expected: dict[str, int]) -> list[str]:
    if not situation.request.partial:
        return restoring.compare(built.engine, situation.archive)
    with built.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql(restoring.PATIENCE)
        tables = [one for one in contents.tables(connection) if one.name in expected or one.bytes]
        found = {name: rows for name, rows in contents.count(connection, tables).items() if rows or name in expected}
    return [
        f"table {name}: {expected.get(name, 0)} rows were backed up, {found.get(name, 'no table')} restored"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name, 0) != found.get(name)
    ]


def _refuse_differences(situation: Situation, differences: list[str]) -> None:
    if differences:
        raise Refused(
            f"the restored database is not what the backup {situation.archive.name} says: {'; '.join(differences)}; "
            "nothing was changed, and the new database was dropped",
            f"another backup: {_backups(situation)}",
        )


def _backups(situation: Situation) -> str:
    return f"inv db.backups --env={situation.target.environment.name}"
