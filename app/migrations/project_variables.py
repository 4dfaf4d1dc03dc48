"""The environment variables that a project's code sees: those that name a PostgreSQL name the scratch database.

Programs that a migration starts find it by them, and so does an env.py that reads DATABASE_URL, whether it is set or
not. Decides on values; the process's own variables are changed by the caller.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import URL

NOWHERE = URL.create("postgresql", "nobody", host="nowhere.invalid", database="nothing")
POSTGRES_URL = re.compile(r"(postgres(?:ql)?(?:\+\w+)?)://")
LIBPQ = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
STRONGER = ("PGSERVICE", "PGHOSTADDR")
"""What libpq would rather believe. https://www.postgresql.org/docs/current/libpq-envars.html"""


def pointing(variables: Mapping[str, str], url: URL | None) -> dict[str, str]:
    """Return `variables` with a database at `url`, or nowhere, in place of every one that they name."""
    ours = url or NOWHERE
    found = {name: value for name, value in variables.items() if name not in STRONGER}
    for name, value in {"DATABASE_URL": "postgresql://", **found}.items():
        if POSTGRES_URL.match(value):
            found[name] = in_place_of(value, ours)
    found.setdefault("DATABASE_URL", in_place_of("", ours))
    return found | {LIBPQ[key]: str(value) for key, value in keywords(ours).items() if key in LIBPQ}


def in_place_of(written: str, url: URL) -> str:
    """Return `url` as it is written where `written` stood: with the same scheme, which says the driver."""
    scheme = POSTGRES_URL.match(written)
    return _with_a_host(url).set(drivername=scheme[1] if scheme else "postgresql").render_as_string(hide_password=False)


@cache
def keywords(url: URL) -> Mapping[str, Any]:
    """Return what libpq has to be told to reach the database at `url`."""
    ours = url.set(drivername="postgresql+psycopg2")
    return MappingProxyType(ours.get_dialect()().create_connect_args(ours)[1])


def _with_a_host(url: URL) -> URL:
    """Return the URL with a host, as settings classes demand one; the socket's folder in the query is stronger."""
    return url if url.host or "host" not in url.query else url.set(host="localhost")
