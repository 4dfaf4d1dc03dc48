"""Private PostgreSQL servers: started on first use, left running, stopped on request. Never wipes a durable one."""

import os
import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 -- the class has a lower-case name
from psycopg2.extensions import quote_ident

from app.migrations import postmaster
from app.migrations.errors import ConfigurationError, MigrationError, Unreachable
from app.migrations.filelock import locked
from app.migrations.programs import Programs
from app.migrations.sockets import database_url
from app.migrations.startup import MAINTENANCE, NotStartedError, Server, connect, other_major, running

FOLDER = ".postgres"


def private_server(root: Path, programs: Programs) -> Server:
    """Return the server of the embedded targets of the repository `root`; nothing is started."""
    return Server(root.absolute() / FOLDER / "data", programs, durable=True)


def scratch_server(root: Path, programs: Programs) -> Server:
    """Return the server of scratch databases for one major version; nothing is started."""
    return Server(root.absolute() / FOLDER / f"scratch-{programs.major}", programs, durable=False)


def rehearsal_server(root: Path, programs: Programs) -> Server:
    """Return the server of rehearsals, as durable as that of a target; nothing is started."""
    return Server(root.absolute() / FOLDER / f"rehearsal-{programs.major}", programs, durable=True)


def maintenance_url(server: Server) -> str:
    """Return the URL of the database from which others are made and dropped; starts the server when needed."""
    return open_database(server, MAINTENANCE)


def open_database(server: Server, name: str) -> str:
    """Return the URL of the database `name`; starts the server and makes the database when they are not there.

    When both are there this costs one connection and nothing else. Raises ConfigurationError or Unreachable.
    """
    if not 0 < len(name.encode()) < 64:
        raise ConfigurationError(
            f"no database can be named '{name}': a name has 1 to 63 bytes", "correct DATABASE_URL: embedded:///NAME"
        )
    try:
        with closing(connect(server, name)) as connection:
            _check_major(server, connection)
    except psycopg2.OperationalError:
        with _explained(server), _locked(server.data) as lock, closing(running(server, lock)) as connection:
            _check_major(server, connection)
            _create_database(connection, name)
    return database_url(server.data, name)


def stop(server: Server) -> bool:
    """Stop the server, ending its sessions in order; return whether it was running. Waits for a start under way."""
    return _stop(server.data)


def stop_all(root: Path) -> list[str]:
    """Stop all private servers of the repository `root`, of any version; return the names of those that ran."""
    folder = root / FOLDER
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if (folder / entry.name).is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _forbidden(folder, error) from error
    return [f"{FOLDER}/{name}" for name in names if _stop(folder / name)]


def _stop(data: Path) -> bool:
    try:
        if not (data / postmaster.PID_FILE).exists():
            return False
        with _locked(data):
            found = postmaster.find(data)
            if found is None:
                return False
            if not postmaster.end(data, found.pid):
                raise Unreachable(f"the server in {data} (pid {found.pid}) does not stop", f"kill -9 {found.pid}")
            return True
    except OSError as error:
        raise _forbidden(data, error) from error


@contextmanager
def _locked(data: Path) -> Iterator[int]:
    data.parent.mkdir(mode=0o700, exist_ok=True)
    with locked(data.with_name(data.name + ".lock"), f"starting or stopping {FOLDER}/{data.name}") as lock:
        yield lock


@contextmanager
def _explained(server: Server) -> Iterator[None]:
    try:
        yield
    except NotStartedError as error:
        what = f"does not start: {error}"
        raise Unreachable(f"the private server in {server.data} {what}", _show_log(server)) from error
    except psycopg2.Error as error:
        what = f"does not serve: {(str(error).strip() or repr(error)).splitlines()[0]}"
        raise Unreachable(f"the private server in {server.data} {what}", _show_log(server)) from error
    except OSError as error:
        raise _forbidden(server.data, error) from error


def _show_log(server: Server) -> str:
    return f"tail -n 30 {shlex.quote(str(server.log))}"


def _forbidden(path: Path, error: OSError) -> MigrationError:
    place = path if path.name == FOLDER else path.parent
    owner = ""
    with suppress(OSError):
        if place.stat().st_uid != os.geteuid():
            owner = f" ({place} belongs to uid {place.stat().st_uid}, this is uid {os.geteuid()})"
    what = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
    return ConfigurationError(
        f"the private server in {path} cannot be used: {what}{owner}",
        f"look at the owner and the rights: ls -ld {shlex.quote(str(place.parent))} {shlex.quote(str(place))}",
    )


def _check_major(server: Server, connection: Connection) -> None:
    if connection.server_version // 10000 != server.programs.major:
        raise other_major(server, connection.server_version // 10000)


def _create_database(connection: Connection, name: str) -> None:
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", (name,))
        if cursor.rowcount == 0:
            cursor.execute(f"CREATE DATABASE {quote_ident(name, connection)}")
