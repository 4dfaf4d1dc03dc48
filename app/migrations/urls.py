"""Database URLs: which database one means, how SQLAlchemy and libpq are told. Never opens a connection."""

from collections.abc import Mapping
from typing import NamedTuple

from app.migrations import url_syntax
from app.migrations.errors import ConfigurationError
from app.migrations.url_syntax import EXAMPLE, Address, DatabaseURL, NotAURLError

DEFAULT_PORT = 5432
EMBEDDED = "embedded:///"
HIDDEN_PARAMETERS = frozenset({"sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"})


class LibpqTarget(NamedTuple):
    """For pg_dump and friends: `conninfo` may stand in argv, `environment` is added to the child's own."""

    conninfo: str
    environment: Mapping[str, str]


def normalise(url: str, subject: str = "the database's URL", hint: str | None = None) -> str:
    """The one form of a URL: `postgresql+psycopg2://...` for SQLAlchemy, or `embedded:///NAME`.

    `subject` opens the message of the ConfigurationError raised for anything else, such as "envs/dev.env:2:
    DATABASE_URL"; `hint` is its next step. Normalising twice changes nothing.
    """
    try:
        name = url_syntax.embedded_name(url.strip())
        return f"embedded:///{name}" if name is not None else url_syntax.render(url_syntax.parse(url.strip()))
    except NotAURLError as fault:
        raise ConfigurationError(f"{subject} {fault}", hint or f"export DATABASE_URL={EXAMPLE}") from None


def embedded_name(url: str) -> str | None:
    """The name of the database that an embedded URL means, None for any other URL. Raises ConfigurationError."""
    canonical = normalise(url)
    return canonical.removeprefix(EMBEDDED) if canonical.startswith(EMBEDDED) else None


def parse(url: str) -> DatabaseURL:
    """The parts of a PostgreSQL URL, decoded. Raises ConfigurationError, ValueError for an embedded one."""
    if embedded_name(url):
        raise ValueError("an embedded URL has no parts before its server runs")
    return url_syntax.parse(normalise(url))


def same(one: str, other: str) -> bool:
    """Do two URLs mean the same database?

    Compared: the servers (host names without case, port 5432 where none is given, in any order), the service,
    the database and the user. The user counts because search_path starts with "$user" and because what it
    creates belongs to it; where no database is named libpq takes the user's name, and so does this. Password
    and other parameters say how to get there, not where. Names are not resolved: localhost is not 127.0.0.1.
    """
    return _meaning(normalise(one)) == _meaning(normalise(other))


def described(url: str) -> str:
    """Database, servers and user in words, for messages: `database "app" on db.example:5432 as user "me"`."""
    if name := embedded_name(url):
        return f'database "{name}" on the private server'
    parts = parse(url)
    service = dict(parts.parameters).get("service")
    words = f'database "{_shown(parts.database)}"' if parts.database else "the default database"
    if parts.addresses:
        words += " on " + ", ".join(_shown_address(address) for address in parts.addresses)
    elif not service:
        words += " on the default server"
    words += f' of service "{_shown(service)}"' if service else ""
    return words + (f' as user "{_shown(parts.user)}"' if parts.user else "")


def to_libpq(url: str) -> LibpqTarget:
    """The same target as a keyword string without secrets, and PGPASSWORD for the child's environment.

    Raises ConfigurationError for a secret that libpq takes from the connection string alone (`sslpassword`):
    it would show in the list of processes.
    """
    parts = parse(url)
    for key, _ in parts.parameters:
        if key in HIDDEN_PARAMETERS:
            raise ConfigurationError(
                f"the URL of {described(url)} holds {key}, which pg_dump takes in its arguments alone, "
                "where every user of the machine can read it",
                "put it into a service file (pg_service.conf) and write ?service=NAME in the URL",
            )
    hosts = ",".join(address.host or "" for address in parts.addresses)
    ports = ",".join(str(address.port or "") for address in parts.addresses)
    words = [
        ("host", hosts),
        ("port", ports.strip(",") and ports),
        ("dbname", parts.database),
        ("user", parts.user),
    ]
    conninfo = " ".join(f"{key}={_keyword(value)}" for key, value in (*words, *parts.parameters) if value)
    return LibpqTarget(conninfo, {"PGPASSWORD": parts.password} if parts.password else {})


def _meaning(url: str) -> object:
    if url.startswith(EMBEDDED):
        return url
    parts = url_syntax.parse(url)
    addresses = parts.addresses or (Address(None, None),)
    servers = {(_place(address.host), address.port or DEFAULT_PORT) for address in addresses}
    others = {key: value for key, value in parts.parameters if key in ("service", "hostaddr")}
    return servers, others, parts.database or parts.user, parts.user


def _place(host: str | None) -> str | None:
    return host and (host.rstrip("/") if host.startswith("/") else host.lower())


def _shown(text: str | None) -> str:
    return repr(text or "")[1:-1]


def _shown_address(address: Address) -> str:
    host = _shown(address.host) if address.host else "the default host"
    host = f"[{host}]" if ":" in host and not host.startswith("/") else host
    return f"{host}:{address.port or DEFAULT_PORT}" if not host.startswith("/") else _shown_socket(address)


def _shown_socket(address: Address) -> str:
    return f"the socket {_shown(address.host)}/.s.PGSQL.{address.port or DEFAULT_PORT}"


def _keyword(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
