"""Runs statements that a session needs again and again as prepared ones: planning them takes longer than they do.

For sessions of our own, with one session behind each connection. https://www.postgresql.org/docs/current/sql-prepare.html
"""

from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from psycopg2.extensions import connection as Connection  # noqa: N812 -- the class has a lower-case name

from app.migrations import raw

PLANNED_ONCE = "SET plan_cache_mode = force_generic_plan"
"""For such a session: else the server plans anew for the first values."""

_numbers = count()
_names: WeakKeyDictionary[Connection, dict[str, str]] = WeakKeyDictionary()


def rows(connection: Connection, text: str, types: str = "", *values: object) -> list[tuple[Any, ...]]:
    """Return all rows of a statement, whose `$1` and so on have these types and values. Raises psycopg2.Error."""
    known = _names.setdefault(connection, {})
    name = known.get(text)
    if name is None:
        name = f"prepared_{next(_numbers)}"
        raw.execute(connection, f"PREPARE {name}{f' ({types})' if types else ''} AS {text}")
        known[text] = name
    given = ", ".join(f"%s::{type_.strip()}" for type_ in types.split(",")) if types else ""
    return raw.rows(connection, f"EXECUTE {name}{f' ({given})' if given else ''}", *values)


def forget(connection: Connection) -> None:
    """Prepare everything anew, under other names, after code of somebody else has had the session."""
    _names.pop(connection, None)
