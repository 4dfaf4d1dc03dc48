"""Finds the pg_dump and pg_restore that fit a server and an archive. Runs them to ask, never against a database.

pg_dump refuses a server that is newer than itself; pg_restore reads the archives of its own version and older, and from
17 on sends `SET transaction_timeout`, which a server before 17 does not know. https://www.postgresql.org/docs/current/app-pgdump.html#APP-PGDUMP-NOTES
"""

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from app.migrations import programs, url_syntax, urls
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.url_syntax import Address

NAMES = ("pg_dump", "pg_restore")
INSTALLED = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat and kin
    "/usr/libexec/postgresql*",  # Alpine
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/opt/homebrew/opt/libpq/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/opt/libpq/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
WRAPPER = "pg_wrapper"
"""Debian's /usr/bin/pg_dump: which version it runs depends on the clusters of the machine."""
METHODS = {"zstd": "zstd:1", "lz4": "lz4"}
"""What a build may have that is better than gzip; of zstd the fastest level but the negative ones, which pack less."""
SUFFIXES = {".zst": "zstd", ".lz4": "lz4", ".gz": "gzip"}
FALLBACK = "gzip:1"
KNOWS_METHODS = 16
KNOWS_WORDS = 16
"""No word has become reserved after this version (the last one was SYSTEM_USER)."""
SETS_TRANSACTION_TIMEOUT = 17
NOWHERE = Address("/dev/null/nowhere", 1)
"""A place at which no server can be: libpq checks its parameters, then fails."""


class Clients(NamedTuple):
    """A folder that holds pg_dump and pg_restore of one version."""

    bin: Path
    major: int
    version: str

    def path(self, name: str) -> str:
        """Return the path of the program `name`."""
        return str(self.bin / name)

    def restores_into(self, server_major: int) -> bool:
        """Return whether this pg_restore gets along with a server of that version."""
        return self.major < SETS_TRANSACTION_TIMEOUT or server_major >= SETS_TRANSACTION_TIMEOUT


def find(pg_bin: str, path: str, server_major: int, url: str = "") -> Clients:
    """Find the programs to dump a server with: the lowest version that is not below the server's.

    Where PG_BIN names a folder with pg_dump only its folders count; else those of PATH, the usual places and the
    wheel, in this order among equals. `pg_bin` and `path` are written like PATH. With `url`, a build that cannot use
    it, for want of TLS above all, is passed over. Costs 6 ms for each new folder. Raises ConfigurationError, which
    names the versions found.
    """
    found = _candidates(pg_bin, path)
    fitting = sorted((one for one in found if one.major >= server_major), key=lambda one: one.major)
    if not fitting:
        raise ConfigurationError(
            f"no pg_dump fits a server of PostgreSQL {server_major}, which refuses older: {_listed(found, pg_bin)}",
            _way_out(server_major, path, lambda one: one.major >= server_major),
        )
    faults: list[ConfigurationError] = []
    for one in fitting:
        fault = _url_fault(one, url) if url else None
        if fault is None:
            return one
        faults.append(fault)
    raise faults[0]


def restore_for(pg_bin: str, path: str, archive_major: int, server_major: int, compression: str = "") -> Clients:
    """Find the programs to restore an archive of pg_dump `archive_major` into a server of `server_major` with.

    `compression` is the method of the archive, as `compression_of` tells it: not every build reads each. Raises
    Refused where no version can do it, ConfigurationError where the one that could is not here.
    """
    if archive_major >= SETS_TRANSACTION_TIMEOUT > server_major:
        raise Refused(
            f"a backup made by pg_dump {archive_major} needs pg_restore {archive_major} or newer, and that one fails"
            f" into a server of PostgreSQL {server_major}; nothing was changed",
            f"restore it into a server of PostgreSQL {SETS_TRANSACTION_TIMEOUT} or newer",
        )

    def fits(one: Clients) -> bool:
        able = one.major >= archive_major and one.restores_into(server_major)
        return able and (compression not in METHODS or supports(one, compression))

    found = _candidates(pg_bin, path)
    fitting = [one for one in found if fits(one)]
    if not fitting:
        packed = f" with {compression}" if compression in METHODS else ""
        below = f" and below {SETS_TRANSACTION_TIMEOUT}" if server_major < SETS_TRANSACTION_TIMEOUT else ""
        raise ConfigurationError(
            f"no pg_restore fits: it has to be {archive_major} or newer{below}{packed}: {_listed(found, pg_bin)}",
            _way_out(archive_major, path, fits),
        )
    return min(fitting, key=lambda one: one.major)


def best_compression(clients: Clients) -> str:
    """Return "zstd:1", "lz4" or "gzip:1": the best method that this build of pg_dump has."""
    return next((level for method, level in METHODS.items() if supports(clients, method)), FALLBACK)


def compression_option(clients: Clients, method: str) -> str:
    """Return the argument of pg_dump for a method such as "gzip:1"; before 16 it takes a bare level."""
    return f"--compress={method if clients.major >= KNOWS_METHODS else method.partition(':')[2] or '6'}"


def quoting_options(clients: Clients, server_major: int) -> list[str]:
    """Return the argument that has pg_dump quote every name, where another version may reserve one of them.

    Not elsewhere: pg_restore takes a quoted `COPY "public"."t"` for one that goes through a partitioned table's root,
    and then leaves out the TRUNCATE that spares a server with wal_level=minimal the log of all rows.
    https://www.postgresql.org/docs/current/app-pgdump.html (--quote-all-identifiers)
    """
    same = clients.major == server_major and clients.major >= KNOWS_WORDS
    return [] if same else ["--quote-all-identifiers"]


def compression_of(names: Iterable[str]) -> str:
    """Return how an archive is compressed, told by the names of its files: zstd, lz4, gzip, or "" for not at all."""
    return next((SUFFIXES[suffix] for name in names if (suffix := Path(name).suffix) in SUFFIXES), "")


@cache
def supports(clients: Clients, method: str) -> bool:
    """Ask this build of pg_dump whether it has the compression `method`; it says so before it connects."""
    if clients.major < KNOWS_METHODS:
        return False
    return _reaches_nowhere(_ask(clients, f"host='{NOWHERE.host}' hostaddr=''", f"--compress={method}"))


def check_url(clients: Clients, url: str) -> None:
    """Have this build's libpq judge the parameters of `url`, those of its service and of the PG* variables too.

    No server is reached. Raises ConfigurationError for what the URL demands and this build has not, TLS above all.
    """
    if fault := _url_fault(clients, url):
        raise fault


def _url_fault(clients: Clients, url: str) -> ConfigurationError | None:
    parts = urls.parse(url)
    kept = tuple(one for one in parts.parameters if one[0] not in {"hostaddr", *urls.HIDDEN_PARAMETERS})
    elsewhere = parts._replace(addresses=(NOWHERE,), password=None, parameters=(*kept, ("connect_timeout", "1")))
    answer = _ask(clients, f"{urls.to_libpq(url_syntax.render(elsewhere)).conninfo} hostaddr=''")
    return None if _reaches_nowhere(answer) else unfit(clients, urls.described(url), answer)


def unfit(clients: Clients, described: str, answer: str) -> ConfigurationError:
    """Return what it means that a program ended with `answer` about the connection to the database `described`."""
    cause = answer.strip().partition("\n")[0].removeprefix("pg_dump: error: ")
    if needs_tls(clients, answer):
        return ConfigurationError(
            f"{described} is to be reached over TLS, which {clients.path('pg_dump')} ({clients.version}) was built"
            f" without: {cause}",
            _install(clients.major),
        )
    return ConfigurationError(
        f"{clients.path('pg_dump')} ({clients.version}) cannot use the URL of {described}: {cause}",
        f"correct the URL, or {_install(clients.major)}",
    )


def needs_tls(clients: Clients, answer: str) -> bool:
    """Return whether `answer`, from stderr, says that the connection failed for want of TLS in this build."""
    if "SSL support is not compiled in" in answer:
        return True
    refused = "no encryption" in answer or "SSL off" in answer or "SSL required" in answer
    return refused and not has_tls(clients)


@cache
def has_tls(clients: Clients) -> bool:
    """Ask this build whether it has TLS."""
    return "not compiled in" not in _ask(clients, f"host='{NOWHERE.host}' hostaddr='' sslmode=require")


def _ask(clients: Clients, conninfo: str, *options: str) -> str:
    """Return what pg_dump says on stderr about a connection that cannot come about."""
    command = [clients.path("pg_dump"), "--schema-only", "--no-password", *options, f"--dbname={conninfo}"]
    environment = {**os.environ, "LC_ALL": "C", "LANGUAGE": "C"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{clients.path('pg_dump')} cannot be run: {error}"
    return done.stderr.decode(errors="replace")


def _reaches_nowhere(answer: str) -> bool:
    return "connection to server" in answer or "could not connect" in answer


def _candidates(pg_bin: str, path: str) -> list[Clients]:
    own = _known(_folders(pg_bin))
    return own or _known([*_folders(path), *_installed(), *_wheel()])


def _known(folders: Iterable[Path]) -> list[Clients]:
    return [clients for folder in dict.fromkeys(folders) if (clients := _read(folder))]


def _folders(listed: str) -> Iterator[Path]:
    for entry in filter(None, listed.split(os.pathsep)):
        folder = Path(entry).expanduser().absolute()
        if (folder / NAMES[0]).resolve().name == WRAPPER:
            yield from _installed()
        else:
            yield folder


def _installed() -> Iterator[Path]:
    for pattern in INSTALLED:
        yield from sorted(Path("/").glob(pattern.lstrip("/")))


def _wheel() -> Iterator[Path]:
    spec = find_spec(programs.WHEEL)
    for home in (spec and spec.submodule_search_locations) or ():
        yield from (Path(home, name, "bin") for _, name in programs.WHEEL_FOLDERS)


@cache
def _read(folder: Path) -> Clients | None:
    """Return the programs of `folder`; None where one is missing, does not run, or is of another version."""
    versions = {_version(folder / name) for name in NAMES}
    version = versions.pop()
    return Clients(folder, int(version.partition(".")[0]), version) if version and not versions else None


def _version(program: Path) -> str:
    """Return "18.4" for what answers `pg_dump (PostgreSQL) 18.4 (Debian ...)`; a beta is "19"."""
    if not os.access(program, os.X_OK):
        return ""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    found = re.match(r"pg_\w+ \(.*?\) (\d+(?:\.\d+)*)", answer)
    return found[1] if found else ""


def _listed(found: Iterable[Clients], pg_bin: str) -> str:
    names = ", ".join(f"{one.version} in {one.bin}" for one in found)
    where = f"PG_BIN={pg_bin}, " if pg_bin else ""
    return f"{where}found {names or 'none at all'}"


def _way_out(major: int, path: str, fits: Callable[[Clients], bool]) -> str:
    """Return the folder that would do, where there is one outside PG_BIN; else what to install."""
    other = min(filter(fits, _candidates("", path)), key=lambda one: one.major, default=None)
    return f"PG_BIN={shlex.quote(str(other.bin))} and the same command again" if other else _install(major)


def _install(major: int) -> str:
    return (
        f"install postgresql-client-{major} (Debian, Ubuntu), postgresql{major} (Red Hat) or postgresql@{major}"
        " (Homebrew), or PG_BIN=/ITS/bin and the same command again"
    )
