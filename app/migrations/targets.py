"""The database that is meant: from an environment to a URL that can be connected to."""

from pathlib import Path
from typing import NamedTuple

from sqlalchemy import make_url

from app.migrations import programs, server, urls
from app.migrations.environments import Environment
from app.migrations.failures import Place


class Target(NamedTuple):
    """A database: `url` is `postgresql+psycopg2://` with its password; `described` is for people."""

    environment: Environment
    url: str
    described: str

    @property
    def place(self) -> Place:
        """Return how messages name this database."""
        name = self.environment.name
        return Place(f"{name} ({self.described})" if name else self.described, name or None)


def resolve(environment: Environment, root: Path) -> Target:
    """Return the database that `environment` names; starts the private server when it is one.

    Raises ConfigurationError when a private server cannot be had. Nothing connects to a real server.
    """
    url = environment.database_url
    described = urls.described(url)
    embedded = urls.embedded_name(url)
    if embedded is not None:
        found = programs.find_server_programs(environment.pg_bin)
        url = server.open_database(server.private_server(root, found), embedded)
    return Target(environment, url, described)


def impatient(url: str, seconds: int) -> str:
    """Return the URL with a short time to connect, whatever it says itself; each address has that time."""
    short = make_url(url).update_query_dict({"connect_timeout": str(seconds)})
    return short.render_as_string(hide_password=False)
