"""Gathers what a restore has to know before it decides: the server, the target, the sessions in it. Changes nothing."""

import shutil
import time
from contextlib import suppress
from pathlib import Path

from psycopg2 import Error
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.pool import NullPool

from app.migrations import contents, failures, ownership, raw, swap, urls
from app.migrations.errors import ConfigurationError, MigrationFailed
from app.migrations.maintenance import oid_of
from app.migrations.raw import value
from app.migrations.restore_plan import Found, Server
from app.migrations.swap import Session
from app.migrations.targets import Target

LOCAL = ("", "localhost", "127.0.0.1", "::1")
GOING = 1.0
"""Seconds in which a session that has just been closed - one of ours - ends on the server."""
OID = "SELECT oid::bigint FROM pg_database WHERE datname = current_database()"
ROLE = """
SELECT current_user::text, rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user
"""
ICU = "SELECT count(*) FROM pg_collation WHERE collprovider = 'i'"
MAY_OWN = "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE oid = %s"
PREPARED = "SELECT gid FROM pg_prepared_xacts JOIN pg_database ON datname = database WHERE oid = %s ORDER BY 1"
SLOTS = "SELECT slot_name::text FROM pg_replication_slots WHERE datoid = %s ORDER BY 1"
SUBSCRIPTIONS = "SELECT count(*) FROM pg_subscription WHERE subdbid = %s"


def name_of(target: Target, engine: Engine) -> str:
    """Return the name of the target database, which need not be there; a service's is asked for."""
    parts = urls.parse(target.url)
    if parts.database or "service" not in dict(parts.parameters):
        name = parts.database or parts.user
        if name:
            return name
    with failures.explained(target.place), engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT current_database()").scalar_one())


def url_of(target: Target, name: str) -> str:
    """Return the URL of another database of the target's server."""
    return make_url(target.url).set(database=name).render_as_string(hide_password=False)


def server(admin: RawConnection) -> Server:
    """Read what the server has and what this role may do."""
    ((user, superuser, createdb),) = raw.rows(admin, ROLE)
    return Server(
        version=admin.server_version,
        user=str(user),
        superuser=bool(superuser),
        createdb=bool(createdb),
        roles=_names(admin, "SELECT rolname FROM pg_roles"),
        extensions=_names(admin, "SELECT name FROM pg_available_extensions"),
        tablespaces=_names(admin, "SELECT spcname FROM pg_tablespace"),
        icu=bool(value(admin, ICU)),
        free=_free(admin),
    )


def databases(admin: RawConnection) -> frozenset[str]:
    """Return the names of all databases."""
    return _names(admin, "SELECT datname FROM pg_database")


def found(admin: RawConnection, engine: Engine, target: Target, name: str, root: Path) -> Found | None:
    """Read the database that is to be replaced over one connection; None where there is none of that name."""
    oid = oid_of(admin, name)
    if oid is None:
        return None
    with (
        failures.explained(target.place),
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        if int(connection.exec_driver_sql(OID).scalar_one()) != oid:
            raise ConfigurationError(
                f"{target.place.described}: the maintenance database is on another server than the target: the URL "
                "leads to several; nothing was changed",
                f"name the primary alone: {target.place.url}",
            )
        settings = contents.settings(connection)
        verdict = ownership.judge(target, ownership.examine(connection), root)
    return Found(
        oid=oid,
        settings=settings,
        verdict=verdict,
        may_own=bool(value(admin, MAY_OWN, oid)),
        size=size(admin, oid),
        sessions=tuple(staying(admin, oid)),
        prepared=tuple(str(row[0]) for row in raw.rows(admin, PREPARED, oid)),
        slots=tuple(str(row[0]) for row in raw.rows(admin, SLOTS, oid)),
        subscriptions=int(str(value(admin, SUBSCRIPTIONS, oid) or 0)),
    )


def look_again(target: Target, name: str, oid: int) -> tuple[str, ...]:
    """Read the revisions of the restored database over a new connection. Raises MigrationFailed for another one."""
    engine = create_engine(url_of(target, name), poolclass=NullPool)
    with failures.explained(target.place), engine.connect() as connection:
        if int(connection.exec_driver_sql(OID).scalar_one()) != oid:
            raise MigrationFailed(
                f'{target.place.described}: "{name}" is another database than the one that was restored (oid {oid}): '
                "somebody else renames databases at the same time",
                f"look in pg_database what oid {oid} is called",
            )
        return contents.revisions(connection)


def size(admin: RawConnection, oid: int) -> int | None:
    """Return the bytes of a database; None without the right to know."""
    with suppress(Error):
        return int(str(value(admin, "SELECT pg_database_size(%s::oid)", oid)))
    return None


def staying(admin: RawConnection, oid: int, ours: int = 0) -> list[Session]:
    """Return the sessions in a database but `ours`, after a moment for those that are ending."""
    deadline = time.monotonic() + GOING
    while True:
        seen = [one for one in swap.sessions(admin, oid) if one.pid != ours]
        if not seen or time.monotonic() > deadline:
            return seen
        time.sleep(swap.LOOK)


def _free(admin: RawConnection) -> int | None:
    """Return the bytes free for the server's data, where it is on this machine and shows its folder."""
    host = admin.info.host or ""
    if host in LOCAL or host.startswith("/"):
        with suppress(Error, OSError):
            folder = Path(str(value(admin, "SHOW data_directory")))
            if (folder / "PG_VERSION").is_file():
                return shutil.disk_usage(folder).free
    return None


def _names(admin: RawConnection, query: str) -> frozenset[str]:
    return frozenset(str(row[0]) for row in raw.rows(admin, query))
