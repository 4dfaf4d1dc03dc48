"""Whether a scratch server can hold a database, asked of both: extensions, collations, tablespaces, roles.

What a server claims to have is tried out, in a scratch database and a transaction that is rolled back. Changes nothing.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import psycopg2
from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection, text

from app.migrations import contents, roles, scratch, urls
from app.migrations.errors import ConfigurationError
from app.migrations.manifest import DatabaseSettings, Manifest
from app.migrations.quoting import literal, quoted
from app.migrations.restoring import creation_options

PROVIDERS = {"b": "builtin", "c": "libc", "i": "icu"}
COLLATIONS = text("""
SELECT format('%I.%I', n.nspname, c.collname), c.collprovider, c.collcollate, c.collctype,
       coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate), c.collisdeterministic
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE n.nspname !~ '^pg_' ORDER BY 1
""")
SYSTEM_COLLATIONS = text("""
SELECT DISTINCT c.collname FROM pg_depend d JOIN pg_collation c ON c.oid = d.refobjid
WHERE d.refclassid = 'pg_collation'::regclass AND d.classid <> 'pg_collation'::regclass
  AND c.collnamespace = 'pg_catalog'::regnamespace ORDER BY 1
""")
TABLESPACES = text("""
SELECT DISTINCT t.spcname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace
WHERE t.spcname !~ '^pg_' ORDER BY 1
""")
LABELS = text("SELECT DISTINCT provider FROM pg_seclabel ORDER BY 1")


class Collation(NamedTuple):
    """A collation of the database's own; `locale` is that of ICU and of the builtin provider."""

    name: str
    provider: str
    collate: str | None
    ctype: str | None
    locale: str | None
    deterministic: bool

    @property
    def definition(self) -> str:
        """Return the options of CREATE COLLATION."""
        if self.provider == "c":
            return (
                f"provider = libc, lc_collate = {literal(self.collate or '')}, lc_ctype = {literal(self.ctype or '')}"
            )
        deterministic = "" if self.deterministic else ", deterministic = false"
        return (
            f"provider = {PROVIDERS.get(self.provider, 'libc')}, locale = {literal(self.locale or '')}{deterministic}"
        )


class Needs(NamedTuple):
    """What the database of a backup asks of the server that it is restored on."""

    settings: DatabaseSettings
    extensions: tuple[str, ...]
    roles: tuple[str, ...]
    collations: tuple[Collation, ...] = ()
    system_collations: tuple[str, ...] = ()
    tablespaces: tuple[str, ...] = ()
    label_providers: tuple[str, ...] = ()


def needs_of(connection: Connection) -> Needs:
    """Ask a living database."""
    return Needs(
        contents.settings(connection),
        tuple(str(row[0]) for row in connection.execute(contents.EXTENSIONS)),
        tuple(str(row[0]) for row in connection.execute(contents.ROLES)),
        tuple(Collation(*row) for row in connection.execute(COLLATIONS)),
        *(
            tuple(str(row[0]) for row in connection.execute(query))
            for query in (SYSTEM_COLLATIONS, TABLESPACES, LABELS)
        ),
    )


def needs_of_backup(described: Manifest) -> Needs:
    """Ask a manifest, which says the most of it; the rest shows when pg_restore stops."""
    return Needs(described.settings, tuple(described.extensions), described.roles)


def lacking(admin_url: str, needs: Needs) -> list[str]:
    """Return what the server of `admin_url` lacks, each in a few words; [] where all of it can be had.

    Makes a scratch database for as long as it takes: 0.1 s on the private server. Raises Unreachable, and
    ConfigurationError where no scratch database at all can be made.
    """
    with closing(scratch.connect(admin_url)) as admin:
        found = [*_roles(admin, needs), *_tablespaces(admin, needs)]
        options = creation_options(needs.settings, admin.server_version // 10000)
    try:
        with scratch.database(admin_url, options=options) as url, closing(_connect(url)) as connection:
            return [*found, *_tried(connection, needs)]
    except ConfigurationError as error:
        if isinstance(error.__cause__, InsufficientPrivilege):
            raise
        with scratch.database(admin_url) as url, closing(_connect(url)) as connection:
            return [*found, _locale(needs.settings, error), *_tried(connection, needs)]


def _connect(url: str) -> RawConnection:
    target = urls.to_libpq(url)
    password = target.environment.get("PGPASSWORD")
    return psycopg2.connect(target.conninfo, password=password, connect_timeout=10)


def _locale(settings: DatabaseSettings, error: ConfigurationError) -> str:
    provider = PROVIDERS.get(settings.locale_provider, settings.locale_provider)
    locale = settings.locale or settings.collate
    return f'the locale "{locale}" of {provider} with {settings.encoding} ({_cause(error.__cause__ or error)})'


def _roles(admin: RawConnection, needs: Needs) -> Iterator[str]:
    """An ordinary role makes only roles when it has CREATEROLE; whether it may give them things, pg_restore tells."""
    with admin.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolcreaterole, quote_ident(rolname) FROM pg_roles WHERE rolname = current_user"
        )
        may, user = cursor.fetchone() or (False, "?")
    if not may:
        yield from (f'the role "{name}", and {user} may not make it' for name in roles.missing(admin, needs.roles))


def _tablespaces(admin: RawConnection, needs: Needs) -> Iterator[str]:
    with admin.cursor() as cursor:
        cursor.execute("SELECT spcname FROM pg_tablespace")
        there = {str(row[0]) for row in cursor.fetchall()}
    yield from (f'the tablespace "{name}"' for name in needs.tablespaces if name not in there)


def _tried(connection: RawConnection, needs: Needs) -> Iterator[str]:
    for name in needs.extensions:
        if cause := _fails(connection, f"CREATE EXTENSION IF NOT EXISTS {quoted(name)} CASCADE"):
            yield f'the extension "{name}" ({cause})'
    for one in needs.collations:
        if cause := _fails(connection, f"CREATE COLLATION pg_temp.tried ({one.definition})"):
            yield f"the collation {one.name} of {PROVIDERS.get(one.provider, one.provider)} ({cause})"
    for name in needs.system_collations:
        if cause := _fails(connection, f"SELECT '' COLLATE pg_catalog.{quoted(name)}"):
            yield f'the collation "{name}" of the system ({cause})'
    for name in needs.label_providers:
        if cause := _fails(connection, f"SECURITY LABEL FOR {quoted(name)} ON SCHEMA public IS NULL"):
            yield f'the provider of security labels "{name}" ({cause})'


def _fails(connection: RawConnection, statement: str) -> str:
    """Return why `statement` fails, "" where it does not; nothing is kept of it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except psycopg2.Error as error:
        return _cause(error)
    finally:
        connection.rollback()
    return ""


def _cause(error: BaseException) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]
