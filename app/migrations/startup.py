"""Brings a private server up, whatever killed commands and servers left behind. Never wipes a durable one.

Settings are given on the command line, so a data folder that was moved or copied needs no repair, and the server
listens on a socket in its own data folder, closed to all but its owner; hence `trust`.
https://www.postgresql.org/docs/current/server-start.html
"""

import re
import shlex
import socket
import time
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path
from typing import NamedTuple

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 -- the class has a lower-case name

from app.migrations import cluster, postmaster, privilege
from app.migrations.errors import ConfigurationError, MigrationError
from app.migrations.filelock import give_to_owner
from app.migrations.privilege import Account
from app.migrations.programs import Programs, find_server_programs
from app.migrations.sockets import NAME, PORT, socket_folder

MAINTENANCE = "postgres"
START_WITHIN = 120.0
"""Seconds until a server must answer: after kill -9 it first reads its whole log again."""
IN_BACKGROUND = '"$@" >&2 & echo $!'
"""Not pg_ctl: it builds a shell command from the paths, and neither its wait nor its poll suits us."""
LOG_KEPT = 10_000_000
"""Bytes of log after which a new one is begun."""
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "off",
}
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
"""https://www.postgresql.org/docs/current/non-durability.html"""


class Server(NamedTuple):
    """A private server: its data folder, the programs that run it, and whether what it holds has to last."""

    data: Path
    programs: Programs
    durable: bool

    @property
    def log(self) -> Path:
        """Return the file that holds what the server says."""
        return self.data.with_name(self.data.name + ".log")


class NotStartedError(Exception):
    """The server ended while it started; the text is what it said."""


def connect(server: Server, name: str) -> Connection:
    """Connect to the database `name` over the socket; raises psycopg2.OperationalError."""
    host = str(socket_folder(server.data))
    return psycopg2.connect(host=host, port=PORT, user="postgres", dbname=name, connect_timeout=10)


def running(server: Server, lock: int) -> Connection:
    """Return a connection to the running server; whatever is in the way is cleared. Needs the lock."""
    try:
        return connect(server, MAINTENANCE)
    except psycopg2.OperationalError as error:
        found = postmaster.find(server.data)
        if found is not None:
            connection = _wait_for(server, found, error)
            if connection is not None:
                return connection
    postmaster.clear_remains(server.data)
    try:
        return _start(server, lock)
    except NotStartedError:
        if server.durable:
            raise
        cluster.remove(server.data)
        return _start(server, lock)


def _wait_for(server: Server, found: postmaster.Postmaster, error: psycopg2.OperationalError) -> Connection | None:
    """Wait for a server that starts, recovers or stops; None: it is gone. One that lost its socket is stopped."""
    if found.status == "ready" and "the database system is" not in str(error):
        if _listens(server):
            raise error
        postmaster.end(server.data, found.pid)
        return None
    with suppress(NotStartedError):
        return _await_answer(server, found.pid, 0)
    return None


def _listens(server: Server) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(socket_folder(server.data) / NAME))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _start(server: Server, lock: int) -> Connection:
    account = _account(server)
    programs = privilege.reachable_programs(account, server.programs)
    if not cluster.is_made(server.data):
        cluster.make(server.data, programs, account, server.durable, lock)
    settings = SETTINGS | ({} if server.durable else NOT_DURABLE)
    options = [f"--{name}={value}" for name, value in settings.items()]
    command = [programs.path("postgres"), "-D", str(server.data.resolve()), *options]
    with _log(server) as log:
        said = log.tell()
        started = account.run(["sh", "-c", IN_BACKGROUND, "sh", *command], server.data, errors=log.fileno())
    if started.returncode:
        raise NotStartedError(_last_words(server, said))
    return _await_answer(server, int(started.stdout), said)


def _account(server: Server) -> Account:
    """Choose who runs the server; refuses a data folder that these programs would refuse in their own words."""
    data, wanted = server.data, server.programs.major
    if cluster.is_made(data) and not server.durable and cluster.version_of(data) != wanted:
        cluster.remove(data)
    if not cluster.is_made(data):
        return privilege.choose(data.parent, server.programs)
    major = cluster.version_of(data)
    if major is None:
        raise ConfigurationError(
            f"{data} is not, or no longer, the data folder of a PostgreSQL server; it is left as it is",
            f"bring its content back, or begin anew: {_moved_aside(data, 'broken')}",
        )
    if major != wanted:
        raise other_major(server, major)
    account, owner = privilege.choose(data.resolve(), server.programs), data.stat().st_uid
    if owner != account.owner:
        raise ConfigurationError(
            f"{data} belongs to uid {owner}, whose server needs a user namespace; none is allowed here, and uid "
            f"{account.owner} cannot use it",
            f"allow user namespaces, or begin anew: {_moved_aside(data, 'old')}",
        )
    return account


def other_major(server: Server, major: int) -> ConfigurationError:
    """Return the refusal of a data folder that another major version made, with the ways out."""
    data, wanted = server.data, server.programs.major
    return ConfigurationError(
        f"{data} holds databases of PostgreSQL {major}, and the programs in {server.programs.bin} are {wanted}; "
        "it is left as it is",
        f"`PG_BIN={shlex.quote(_bin_of(major))} inv db.status` uses (and pg_dump there saves) what it holds; to begin "
        f"anew: inv db.stop && {_moved_aside(data, str(major))}",
    )


def _moved_aside(data: Path, suffix: str) -> str:
    return f"mv {shlex.quote(str(data))} {shlex.quote(f'{data}-{suffix}')}"


def _bin_of(major: int) -> str:
    with suppress(MigrationError):
        return str(find_server_programs("", major).bin)
    return f"/usr/lib/postgresql/{major}/bin"


def _log(server: Server) -> BufferedWriter:
    """Open the log for appending, beginning a new one when it has grown large."""
    with suppress(FileNotFoundError):
        if server.log.stat().st_size > LOG_KEPT:
            server.log.rename(server.log.with_suffix(".log.old"))
    log = server.log.open("ab")
    give_to_owner(log.fileno(), server.log.parent)
    return log


def _await_answer(server: Server, pid: int, said: int) -> Connection:
    """Connect as soon as the postmaster `pid` lets us; raises NotStartedError when it ends instead."""
    deadline = time.monotonic() + START_WITHIN
    while True:
        lives = postmaster.runs_in(pid, server.data)
        try:
            return connect(server, MAINTENANCE)
        except psycopg2.OperationalError as error:
            if not lives:
                raise NotStartedError(_last_words(server, said)) from error
            if time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _last_words(server: Server, said: int) -> str:
    """Return the complaints in the log since the offset `said`, or its last line, in one line."""
    lines = server.log.read_bytes()[said:].decode(errors="replace").splitlines()
    texts = [re.sub(r"^[-0-9]+ [0-9:.]+ \S+ \[\d+\] ", "", line).strip() for line in lines]
    told = [text for text in texts if re.match(r"FATAL|PANIC|ERROR|DETAIL|HINT", text)]
    return "; ".join(told[-3:]) or next((text for text in reversed(texts) if text), "it said nothing")
