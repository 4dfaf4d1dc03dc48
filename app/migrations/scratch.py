"""Throw-away databases, made empty or as copies of a template. Never touches a database that it did not name.

Whether the maker of a scratch database lives is told by an advisory lock, which it holds in the maintenance database
from before the database exists until it is dropped, and which ends with its session, even with kill -9. Needs
PostgreSQL 13 and the right CREATEDB.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

import psycopg2
from psycopg2.errors import InsufficientPrivilege, InternalError_, InvalidCatalogName, ObjectInUse
from psycopg2.extensions import connection as Connection  # noqa: N812 -- the class has a lower-case name
from psycopg2.extensions import quote_ident
from sqlalchemy.engine import make_url

from app.migrations import raw, server, urls
from app.migrations.errors import ConfigurationError, Unreachable
from app.migrations.programs import find_server_programs

EMBEDDED = "embedded"
SCRATCH_PREFIX = "massacorp_scratch_"
TEMPLATE_PREFIX = "massacorp_template_"
TEMPLATES_KEPT = 10
IN_USE = 120.0
"""Seconds after its last use for which a template stays in any case: somebody may be about to copy it."""
MAINTENANCE = ("postgres", "template1")
ENDED_WITHIN = 0.05
"""Seconds that sessions get to end by themselves, before a scratch database is dropped under them."""
BUILD_WITHIN = 600.0
"""Seconds to wait for another process that builds the same template."""


def admin_url(root: Path, scratch_url: str, pg_bin: str = "", major: int | None = None, durable: bool = False) -> str:
    """Return the URL of the server that scratch databases are made on.

    "embedded" starts the private scratch server of the repository `root`, of the version `major`, or with `durable`
    the one that waits for its disk, as a target does; anything else is the URL itself. Raises ConfigurationError or
    Unreachable where the private server cannot be had.
    """
    if scratch_url != EMBEDDED:
        return urls.normalise(scratch_url, "SCRATCH_URL", f"SCRATCH_URL={EMBEDDED}")
    make = server.rehearsal_server if durable else server.scratch_server
    return server.maintenance_url(make(root, find_server_programs(pg_bin, major)))


@contextmanager
def database(admin_url: str, template: str | None = None, options: str = "") -> Iterator[str]:
    """Yield the URL of a new database, empty or a copy of `template`; it is dropped afterwards, sessions and all.

    `options` are more of CREATE DATABASE's own, such as its collation.

    The first call of a process also drops what killed processes left. Raises ConfigurationError or Unreachable.
    """
    _sweep_once(admin_url)
    with closing(connect(admin_url)) as connection:
        name = _create(connection, template or "template0", options)
        try:
            yield _url_of(admin_url, name)
        finally:
            with suppress(psycopg2.OperationalError, psycopg2.InterfaceError):  # gone with the server; else swept
                _await_sessions(connection, name)
                raw.execute(connection, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def template(admin_url: str, key: str, build: Callable[[str], None]) -> str:
    """Return the name of the template for `key`; the first process that asks has `build(url)` fill it.

    A template appears only when it is complete, and is one's own per role. `TEMPLATES_KEPT` stay, and all that were
    used in the last `IN_USE` seconds.
    Raises what `build` raises, and Unreachable when another process builds it for longer than `BUILD_WITHIN`.
    """
    with closing(connect(admin_url)) as connection:
        owner = raw.value(connection, "SELECT current_user")
        name = TEMPLATE_PREFIX + sha256(f"{owner}\0{key}".encode()).hexdigest()[:16]
        if _exists(connection, name):
            _use(connection, name)
            return name
        _await_lock(connection, name)
        if not _exists(connection, name):
            with database(admin_url) as url:
                build(url)
                _publish(connection, str(make_url(url).database), name)
            _use(connection, name)
            _prune(connection)
    return name


def sweep(admin_url: str) -> list[str]:
    """Drop the scratch databases whose makers are gone and that nobody uses; return their names."""
    dropped = []
    with closing(connect(admin_url)) as connection:
        for name in _names(connection, SCRATCH_PREFIX):
            if raw.try_lock(connection, name):
                with suppress(ObjectInUse, InvalidCatalogName, InsufficientPrivilege):
                    raw.execute(connection, f'DROP DATABASE "{name}"')
                    dropped.append(name)
                raw.execute(connection, "SELECT pg_advisory_unlock(%s)", raw.lock_key(name))
    return dropped


@cache
def _sweep_once(admin_url: str) -> None:
    sweep(admin_url)


def connect(admin_url: str) -> Connection:
    """Connect to the maintenance database, the same one for all who share the server: locks live in a database."""
    named = make_url(admin_url).database
    failure: psycopg2.OperationalError | None = None
    for name in (*MAINTENANCE, *([named] if named else [])):
        url = make_url(_url_of(admin_url, name))
        positional, keywords = url.get_dialect()().create_connect_args(url)
        try:
            connection: Connection = psycopg2.connect(*positional, **{"connect_timeout": 10, **keywords})
        except psycopg2.OperationalError as error:
            failure = error
            if "database" not in str(error):
                break
        else:
            connection.autocommit = True
            return connection
    cause = (str(failure).strip() or repr(failure)).splitlines()[0]
    raise Unreachable(
        f"the server for scratch databases cannot be reached: {cause}",
        f"correct SCRATCH_URL, or use the private server: SCRATCH_URL={EMBEDDED} and the same command again",
    ) from failure


def _await_sessions(connection: Connection, name: str) -> None:
    """Let sessions that were just closed end by themselves: DROP DATABASE looks once, and then each 100 ms."""
    deadline = time.monotonic() + ENDED_WITHIN
    while raw.value(connection, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = %s)", name):
        if time.monotonic() > deadline:
            break
        time.sleep(0.001)


def _create(connection: Connection, template: str, options: str) -> str:
    name = SCRATCH_PREFIX + secrets.token_hex(8)
    if not raw.try_lock(connection, name):
        raise RuntimeError(f"the lock of {name}, a name of 64 random bits, is taken")
    strategy = "STRATEGY file_copy" if _copies_files(connection) else ""
    if template.startswith(TEMPLATE_PREFIX):
        _use(connection, template)
    try:
        model = quote_ident(template, connection)
        raw.execute(connection, f"CREATE DATABASE {name} TEMPLATE {model} {strategy} {options}")
    except InsufficientPrivilege as error:
        user = raw.value(connection, "SELECT quote_ident(current_user)")
        raise ConfigurationError(
            f"{user} may not make scratch databases on the server of SCRATCH_URL: {str(error).splitlines()[0]}",
            f"as its superuser: ALTER ROLE {user} CREATEDB; or SCRATCH_URL={EMBEDDED} and the same command again",
        ) from error
    except psycopg2.Error as error:
        raise ConfigurationError(
            f"no scratch database can be made from {template}: {str(error).splitlines()[0]}",
            f"look at that server, or use the private one: SCRATCH_URL={EMBEDDED} and the same command again",
        ) from error
    return name


def _copies_files(connection: Connection) -> bool:
    """Where nothing is synced, copying the files takes half as long as logging the pages; else it costs checkpoints.

    https://www.postgresql.org/docs/current/sql-createdatabase.html
    """
    return connection.server_version >= 150000 and raw.value(connection, "SHOW fsync") == "off"


def _publish(connection: Connection, scratch: str, name: str) -> None:
    """Close the scratch database to sessions, then rename it: a killed process leaves a template or a scratch one."""
    raw.execute(connection, f"ALTER DATABASE {scratch} WITH ALLOW_CONNECTIONS false")
    raw.execute(connection, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", scratch)
    raw.execute(connection, f"ALTER DATABASE {scratch} RENAME TO {name}")


def _use(connection: Connection, name: str) -> None:
    """Note in its comment that a template is used now; of two who note it at once, one is enough."""
    now = raw.value(connection, "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint")
    with suppress(InternalError_, InvalidCatalogName, InsufficientPrivilege):
        raw.execute(connection, f"COMMENT ON DATABASE {name} IS '{now}'")


def _prune(connection: Connection) -> None:
    query = (
        "SELECT datname FROM (SELECT datname, coalesce(substring(shobj_description(oid, 'pg_database')"
        " FROM '^[0-9]+$'), '0')::bigint AS used FROM pg_database WHERE datname ~ %s ORDER BY used DESC, oid DESC"
        " OFFSET %s) AS old WHERE used < extract(epoch FROM clock_timestamp()) - %s"
    )
    for (name,) in raw.rows(connection, query, f"^{TEMPLATE_PREFIX}[0-9a-f]{{16}}$", TEMPLATES_KEPT, IN_USE):
        with suppress(ObjectInUse, InvalidCatalogName, InsufficientPrivilege):
            raw.execute(connection, f'DROP DATABASE "{name}"')


def _names(connection: Connection, prefix: str) -> list[str]:
    """Return the databases named `prefix` and 16 hexadecimal digits, the newest first."""
    query = "SELECT datname FROM pg_database WHERE datname ~ %s ORDER BY oid DESC"
    with connection.cursor() as cursor:
        cursor.execute(query, (f"^{prefix}[0-9a-f]{{16}}$",))
        return [str(row[0]) for row in cursor.fetchall()]


def _exists(connection: Connection, name: str) -> bool:
    return bool(raw.value(connection, "SELECT count(*) FROM pg_database WHERE datname = %s", name))


def _await_lock(connection: Connection, name: str) -> None:
    """Poll: a session that waits inside PostgreSQL holds back CREATE INDEX CONCURRENTLY."""
    deadline = time.monotonic() + BUILD_WITHIN
    while not raw.try_lock(connection, name):
        if time.monotonic() > deadline:
            raise Unreachable(
                f"another process has been building {name} for {BUILD_WITHIN:.0f} s",
                "end that process, or wait for it, and the same command again",
            )
        time.sleep(0.05)


def _url_of(admin_url: str, name: str) -> str:
    return make_url(admin_url).set(database=name).render_as_string(hide_password=False)
