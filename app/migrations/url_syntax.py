"""How a database URL is written: its text to parts and back. Knows no policy, and its errors quote no secret.

A URL is read as libpq reads it (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS).
Where SQLAlchemy would read the same text as another database it is refused, since pg_dump and the migrations
would then part ways.
"""

import re
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

SCHEME = "postgresql+psycopg2"
ACCEPTED_SCHEMES = ("postgresql", "postgres", SCHEME, "embedded")
EXAMPLE = "postgresql://USER@HOST:5432/DATABASE"
RESERVED_NAMES = frozenset({"postgres", "template0", "template1"})

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_KEYWORD_STRING = re.compile(r"\s*[a-z_]+\s*=")
_EMBEDDED_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+")
_HOST_AND_PORT = re.compile(r"([^:\[\]]*|\[[^\[\]]*\])(?::(\d*))?")


class Address(NamedTuple):
    """One server: a host name, an address or a socket folder; None stands for libpq's default."""

    host: str | None
    port: int | None


class DatabaseURL(NamedTuple):
    """What a PostgreSQL URL says, decoded; `parameters` holds what is neither place, name nor password."""

    user: str | None
    password: str | None
    addresses: tuple[Address, ...]
    database: str | None
    parameters: tuple[tuple[str, str], ...]


class NotAURLError(ValueError):
    """Why a text is no URL of ours: the end of a sentence, with no piece of the text but its scheme."""


def embedded_name(url: str) -> str | None:
    """The NAME of embedded:///NAME, None for every other URL. Raises NotAURLError."""
    if not url.lower().startswith("embedded:"):
        return None
    name = re.sub(r"^embedded:(///)?", "", url, flags=re.I)
    if not url.lower().startswith("embedded:///") or not _EMBEDDED_NAME.fullmatch(name):
        raise NotAURLError(
            "does not name a database of the private server; accepted: embedded:///NAME, NAME being up to "
            "63 letters, digits, _ and -, the first a letter"
        )
    if name.lower() in RESERVED_NAMES:
        raise NotAURLError(f"names {name}, which belongs to the server itself; accepted: any other name")
    return name


def parse(url: str) -> DatabaseURL:
    """The parts of a PostgreSQL URL. Raises NotAURLError."""
    scheme, rest = _split_scheme(url)
    before, _, query = rest.partition("?")
    authority, _, path = before.partition("/")
    if authority.count("@") > 1 or "@" in path or "@" in _misread(rest, authority):
        raise NotAURLError(
            "can be read in two ways; in user, password and database write %40 for @, %2F for /, %3F for ?"
        )
    userinfo, _, places = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    given = _query(query, plus_is_space=scheme == SCHEME)
    addresses = _addresses(places, given)
    return DatabaseURL(
        user=given.pop("user", [_decode(user)])[-1] or None,
        password=given.pop("password", [_decode(password)])[-1] or None,
        addresses=addresses,
        database=given.pop("dbname", [_decode(path)])[-1] or None,
        parameters=tuple((key, values[-1]) for key, values in given.items() if values[-1]),
    )


def _misread(rest: str, authority: str) -> str:
    """The part after `?`, where SQLAlchemy takes what libpq calls a port for the start of a password."""
    return rest.partition("?")[2] if "@" not in authority and ":" in authority else ""


def _split_scheme(url: str) -> tuple[str, str]:
    if any(c < " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in url):
        raise NotAURLError("holds a line break, a control character or bytes that are not UTF-8; write them as %XX")
    found = _SCHEME.match(url)
    if not found:
        what = "is empty" if not url else "has no scheme"
        what = "is a keyword string, not a URL" if _KEYWORD_STRING.match(url) else what
        raise NotAURLError(f"{what}; accepted: {EXAMPLE}, embedded:///NAME")
    scheme = found[1].lower()
    if scheme not in ACCEPTED_SCHEMES:
        accepted = ", ".join(f"{known}://" for known in ACCEPTED_SCHEMES)
        raise NotAURLError(f"has the scheme {scheme}://; accepted: {accepted}")
    return scheme, url[found.end() :]


def _query(query: str, plus_is_space: bool) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for pair in query.split("&") if query else ():
        key, equals, value = (pair.replace("+", " ") if plus_is_space else pair).partition("=")
        if not key or not equals or "=" in value:
            raise NotAURLError("has a parameter that is not name=value after its ?; write %3D for =, %26 for &")
        given.setdefault(_decode(key), []).append(_decode(value))
    if given.get("ssl", [""])[-1] == "true":
        del given["ssl"]
        given.setdefault("sslmode", ["require"])
    return given


def _addresses(places: str, given: dict[str, list[str]]) -> tuple[Address, ...]:
    pairs = [_host_and_port(place) for place in places.split(",")] if places else []
    hosts, ports = [host for host, _ in pairs], [port for _, port in pairs]
    asked = [host for host in given.pop("host", []) if host]
    if len(asked) == 1 and not re.fullmatch(r"[A-Za-z0-9.-]*:\d*", asked[0]):
        hosts = asked[0].split(",")
    elif asked:
        pairs = [(host, "") if host[:1] == "/" else _host_and_port(host) for host in asked]
        hosts, ports = [host for host, _ in pairs], [port for _, port in pairs]
    ports = given.pop("port", [",".join(ports)])[-1].split(",")
    ports = ports * len(hosts) if len(ports) == 1 and hosts else ports
    if not hosts and len(ports) == 1:
        hosts = [""]
    if len(hosts) > 1 and "" in hosts:
        raise NotAURLError("has an empty host among several; accepted: a host or a socket folder for each")
    if len(hosts) != len(ports):
        raise NotAURLError(
            f"has {len(hosts)} hosts and {len(ports)} ports; accepted: one port for all, or one for each"
        )
    found = tuple(Address(_checked_host(h), _port(p)) for h, p in zip(hosts, ports, strict=True))
    return () if found == (Address(None, None),) else found


def _host_and_port(place: str) -> tuple[str, str]:
    found = _HOST_AND_PORT.fullmatch(place)
    if not found:
        raise NotAURLError(
            "has a port that is not a number, or an IPv6 address without []; in passwords write %2F for /"
        )
    return _decode(found[1].strip("[]")), found[2] or ""


def _checked_host(host: str) -> str | None:
    if re.search(r"[\s@]", host) and not host.startswith("/"):
        raise NotAURLError("has a host with a space or an @ in it")
    return host or None


def _port(text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):
        raise NotAURLError("has a port that is none; accepted: 1 to 65535")
    return int(text) if text else None


def _decode(text: str) -> str:
    data = unquote_to_bytes(text)
    if b"\0" in data:
        raise NotAURLError("holds %00, which PostgreSQL cannot take")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise NotAURLError("holds percent-encoded bytes that are not UTF-8") from None


def render(url: DatabaseURL) -> str:
    """The text that SQLAlchemy's psycopg2 dialect and `parse` read as these parts."""
    quoted = [quote(part, safe="") for part in (url.user or "", url.password or "")]
    userinfo = f"{quoted[0]}:{quoted[1]}@" if url.password else f"{quoted[0]}@" if url.user else ""
    places, query = _rendered_addresses(url.addresses)
    query += [f"{quote(key, safe='')}={quote(value, safe='/:,')}" for key, value in url.parameters]
    path = f"/{quote(url.database or '', safe='')}"
    return f"{SCHEME}://{userinfo}{places}{path}" + (f"?{'&'.join(query)}" if query else "")


def _rendered_addresses(addresses: tuple[Address, ...]) -> tuple[str, list[str]]:
    """One plain host goes before the path; more as `host=a:1&host=b:2`; odd ones as `host=a,b&port=1,2`."""
    hosts = [address.host or "" for address in addresses]
    ports = [str(address.port or "") for address in addresses]
    if len(addresses) <= 1 and all(not host or _HOST.fullmatch(host) for host in hosts):
        host = "".join(f"[{host}]" if ":" in host else host for host in hosts)
        return host + "".join(f":{port}" for port in ports if port), []
    if len(addresses) > 1 and not any(":" in host for host in hosts):
        return "", [f"host={quote(h, safe='/')}" + (f":{p}" if p else "") for h, p in zip(hosts, ports, strict=True)]
    port = [f"port={','.join(ports)}"] if any(ports) else []
    return "", [f"host={quote(','.join(hosts), safe='/:,')}", *port]
