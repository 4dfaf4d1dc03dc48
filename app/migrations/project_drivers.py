"""The other drivers of PostgreSQL that may be installed: SQLAlchemy may connect with them, nobody else may."""

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

PLACES = (
    ("psycopg", "", "connect"), ("psycopg", "Connection", "connect"), ("psycopg", "AsyncConnection", "connect"),
    ("asyncpg", "", "connect"), ("asyncpg", "", "create_pool"),
    ("pg8000", "dbapi", "connect"), ("pg8000.native", "", "Connection"),
)  # fmt: skip
"""Where each begins a connection: module, what is in it, and the name there."""


class Way(NamedTuple):
    """One function that connects: what holds it, its name there, and its driver."""

    owner: Any
    name: str
    driver: str


def ways() -> Iterator[Way]:
    """Return those of the installed drivers, which are imported for that; psycopg2 is none of them."""
    for module, inside, name in PLACES:
        if find_spec(module.partition(".")[0]) is None:
            continue
        owner: Any = import_module(module)
        owner = getattr(owner, inside, None) if inside else owner
        if hasattr(owner, name):
            yield Way(owner, name, module.partition(".")[0])


def closed(way: Way, allowed: Callable[[str], None]) -> Any:
    """Return the function with `allowed` asked first, which raises where the driver may not connect by itself."""
    connect = getattr(way.owner, way.name)

    def asking(*arguments: Any, **keywords: Any) -> Any:
        allowed(way.driver)
        return connect(*arguments, **keywords)

    return staticmethod(asking) if isinstance(way.owner, type) else asking
