"""Scratch tables, and what the sampler makes of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from app.migrations.sample import Sampler
from tests.migrations.chains import ask


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection outside a transaction."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        yield connection


def fill(url: str, ddl: str, sampler: Sampler | None = None) -> dict[str, str]:
    """Make the tables and fill them; what could not be filled, by table."""
    ask(url, ddl)
    with connected(url) as connection:
        return dict((sampler or Sampler()).fill(connection))


def count(url: str, source: str) -> int:
    """The rows of a FROM clause."""
    return int(ask(url, f"SELECT count(*) FROM {source}")[0][0])


def dump(url: str) -> dict[str, list[str]]:
    """All rows of all tables as texts, in the order in which they are stored."""
    tables = ask(
        url,
        """SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384
        AND relnamespace::regnamespace::text !~ '^pg_'""",
    )
    return {name: [row[0] for row in ask(url, f"SELECT t::text FROM {name} t")] for (name,) in sorted(tables)}
