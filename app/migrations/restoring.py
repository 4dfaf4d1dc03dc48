"""Restores a backup into a database that is there and empty, and compares a database with a manifest.

Decides nothing about which database that is, and renames or drops none.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import psycopg2
from sqlalchemy import Connection, Engine, text

from app.migrations import catalog, child, contents, dump_progress, inspection, urls
from app.migrations.archives import Archive
from app.migrations.catalog import Catalog, Difference
from app.migrations.clients import Clients
from app.migrations.contents import SequenceState
from app.migrations.dump_progress import Advance, Item, RestoreMeter
from app.migrations.errors import Refused
from app.migrations.manifest import DatabaseSettings, Manifest, SequencePosition
from app.migrations.quoting import literal
from app.migrations.redaction import redact

CATALOG = "catalog.json"
PROVIDERS_SINCE = 15
PATIENCE = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL row_security = off"
DROPPED_SOON = "-c client_connection_check_interval=2s"
"""An index that a killed pg_restore was building is given up. PostgreSQL 14, not on every system."""
UNKNOWN = 'unrecognized parameter "pg_attver"'
OLD_DUMP = (
    " (pg_dump {made_by}, which made this backup, is older than the minor release of its server, whose notes on columns"
    " it took for settings: make another one with a newer pg_dump, which PG_BIN names)"
)
"""A server from 17.12 on understands them, so that the backup can be restored there."""
SHOWN = 20
"""Differences of one kind that are named; of the others the number is."""


class NotRestored(Exception):
    """pg_restore stopped; the text is why, without secrets. What it made until then is there.

    `deadlock` says that its workers stood in each other's way: it can happen where a foreign key refers to a
    partitioned table, and with one job it cannot. A new empty database and one job is then the way on.
    """

    def __init__(self, reason: str, deadlock: bool = False) -> None:
        self.deadlock = deadlock
        super().__init__(reason)


class Into(NamedTuple):
    """The empty database to restore into, the programs and the number of connections to do it with.

    `options` are more of pg_restore's own, such as --no-owner.
    """

    url: str
    clients: Clients
    jobs: int
    options: tuple[str, ...] = ()


def restore(archive: Archive, into: Into, advance: Advance | None = None) -> None:
    """Run pg_restore, which stops at the first error. Statistics are not restored: ANALYZE is for the caller.

    The roles that the dump names have to be there, unless the options leave owners and grants out. Raises
    NotRestored. https://www.postgresql.org/docs/current/app-pgrestore.html
    """
    target, clients = urls.to_libpq(into.url), into.clients
    command = [
        clients.path("pg_restore"),
        "--format=directory",
        f"--jobs={max(1, into.jobs)}",
        "--exit-on-error",
        "--no-password",
        "--verbose",
        *into.options,
        f"--dbname={target.conninfo}",
        str(archive.dump),
    ]
    heard = RestoreMeter(_items(archive, clients), advance) if advance else None
    try:
        child.run(command, {**target.environment, **_session(into.url)}, heard)
    except child.ChildFailed as error:
        why = OLD_DUMP.format(made_by=archive.readable().client_version) if UNKNOWN in error.told else ""
        reason = f"pg_restore {clients.version} stopped: {redact(error.told)}{why}"
        raise NotRestored(reason, "deadlock detected" in error.told) from error
    except OSError as error:
        raise NotRestored(f"{command[0]} cannot be run: {error.strerror}") from error
    if heard:
        heard.finished()


def read_catalog(archive: Archive) -> Catalog:
    """Return the schema as it was when the dump was made. Raises Refused where the file is not what was written."""
    path = archive.folder / CATALOG
    try:
        return catalog.from_document(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise Refused(
            f"{CATALOG} of the backup {archive.name} cannot be read: {error}; nothing was changed",
            f"inv db.backups --env={archive.folder.parent.name} --check",
        ) from error


def compare(engine: Engine, archive: Archive) -> list[str]:
    """Return in words how a database differs from what the manifest says: revisions, rows, sequences, schema.

    Counts every row, in one transaction. A sequence may be past its position, not before it: pg_dump reads it later
    than the manifest did. Versions of extensions are not compared, as no dump has them.
    """
    described, before = archive.readable(), read_catalog(archive)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql(PATIENCE)
        return [
            *_revisions(connection, described),
            *_rows(connection, described),
            *_sequences(contents.sequences(connection), described.sequences),
            *_large_objects(connection, described),
            *_schema(before, inspection.read(connection)),
        ]


def creation_options(settings: DatabaseSettings, server_major: int) -> str:
    """Return the options of CREATE DATABASE that give a new one the same encoding and collation, from template0.

    https://www.postgresql.org/docs/current/sql-createdatabase.html
    """
    options = {"ENCODING": settings.encoding, "LC_COLLATE": settings.collate, "LC_CTYPE": settings.ctype}
    if settings.locale_provider == "i":
        options |= {"LOCALE_PROVIDER": "icu", "ICU_LOCALE": settings.locale or ""}
    elif settings.locale_provider == "b":
        options |= {"LOCALE_PROVIDER": "builtin", "BUILTIN_LOCALE": settings.locale or ""}
    elif server_major >= PROVIDERS_SINCE:
        options["LOCALE_PROVIDER"] = "libc"
    return " ".join(f"{name} {literal(value)}" for name, value in options.items())


@contextmanager
def _listing(archive: Archive, clients: Clients) -> Iterator[Iterator[str]]:
    command = [clients.path("pg_restore"), "--list", "--format=directory", str(archive.dump)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as asked:
        yield (line.decode(errors="replace").rstrip() for line in asked.stdout or ())


def _items(archive: Archive, clients: Clients) -> dict[int, Item]:
    with _listing(archive, clients) as lines:
        return dump_progress.items(lines, {file.name: file.size for file in archive.readable().files})


def _session(url: str) -> dict[str, str]:
    """Return the settings of pg_restore's sessions, where the server knows them; asked with a connection."""
    target = urls.to_libpq(url)
    options = " ".join(filter(None, [os.environ.get("PGOPTIONS", ""), DROPPED_SOON]))
    try:
        password = target.environment.get("PGPASSWORD")
        psycopg2.connect(target.conninfo, options=options, connect_timeout=10, password=password).close()
    except psycopg2.OperationalError:
        return {}
    return {"PGOPTIONS": options}


def _revisions(connection: Connection, described: Manifest) -> list[str]:
    found = contents.revisions_anywhere(connection)
    if described.revisions in found.values() or not (described.revisions or any(found.values())):
        return []
    read = "; ".join(f"{', '.join(rows) or 'none'} in {schema}" for schema, rows in found.items())
    return [f"revisions: {', '.join(described.revisions) or 'none'} were backed up, {read or 'none'} restored"]


def _rows(connection: Connection, described: Manifest) -> list[str]:
    found = contents.count(connection, contents.tables(connection))
    return _differing("rows", "table", described.rows, found)


def _large_objects(connection: Connection, described: Manifest) -> list[str]:
    found = int(connection.scalar(text("SELECT count(*) FROM pg_largeobject_metadata")) or 0)
    if found == described.large_objects:
        return []
    return [f"large objects: {described.large_objects} were backed up, {found} restored"]


def _differing(noun: str, kind: str, before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    lines = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if new is None:
            lines.append(f"{kind} {name} with {old} {noun} is missing")
        elif old is None:
            lines.append(f"{kind} {name} with {new} {noun} was not in the backed-up database")
        elif old != new:
            lines.append(f"{kind} {name}: {old} {noun} were backed up, {new} restored")
    return _shortened(lines, noun)


def _sequences(found: Mapping[str, SequenceState], before: Mapping[str, SequencePosition]) -> list[str]:
    lines = []
    for name, position in sorted(before.items()):
        state = found.get(name)
        if state is None:
            lines.append(f"sequence {name} is missing")
        elif not state.is_at_or_past(position):
            lines.append(f"sequence {name} stands at {state.position.last_value}, before {position.last_value}")
    return _shortened(lines, "sequences")


def _schema(before: Catalog, after: Catalog) -> list[str]:
    differences = [one for one in catalog.difference(before, after) if not _is_version(one)]
    return _shortened([one.words("the backed-up database", "the restored one") for one in differences], "the schema")


def _is_version(one: Difference) -> bool:
    return one.kind == "extension" and one.attribute == "version"


def _shortened(lines: list[str], noun: str) -> list[str]:
    if len(lines) <= SHOWN:
        return lines
    return [*lines[:SHOWN], f"and {len(lines) - SHOWN} more differences of {noun}"]
