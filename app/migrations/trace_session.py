"""Connections of psycopg2 that tell a listener of every statement, whoever issues it. They alter and repeat none.

Heard is what goes through a cursor, of whatever class, and the end of each transaction. Not heard are large objects
(`lobject`), `set_client_encoding`, connections that were opened before, other drivers and other programs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, Protocol, cast

import psycopg2
from psycopg2.extensions import adapt, encodings
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from psycopg2.extensions import cursor as RawCursor  # noqa: N812 -- the same
from psycopg2.sql import Composable

LONGEST = 60
"""Characters of a bound value that are shown."""


class Call(NamedTuple):
    """What the driver is asked for; `values` are those of the first of `times` runs."""

    cursor: RawCursor
    statement: str
    values: Any = None
    times: int = 1


class Listener(Protocol):
    """Hears of one connection."""

    def around(self, call: Call, proceed: Callable[[], Any]) -> Any:
        """Run `proceed`, the statement itself, once, and return or raise what it does."""

    def ended(self) -> None:
        """Hear that the driver has committed or rolled back, or that the connection is closed."""


@contextmanager
def heard(listen: Callable[[RawConnection], Listener]) -> Iterator[None]:
    """Have every connection that psycopg2 opens within the block heard; `listen` is called once for each.

    In the whole process: psycopg2's own function is replaced, since an env.py may make its own engine. What it is told
    of the class of the connection, of its cursors and all else is kept.
    """
    module = cast("Any", psycopg2)
    before = module._connect

    def connect(*arguments: Any, connection_factory: Any = None, **keywords: Any) -> Any:
        base = connection_factory or RawConnection
        factory = _class_of(base, listen) if isinstance(base, type) else base
        return before(*arguments, connection_factory=factory, **keywords)

    module._connect = connect
    try:
        yield
    finally:
        module._connect = before


def is_heard(connection: object) -> bool:
    """Tell whether a connection of the driver's is heard."""
    return hasattr(connection, "massacorp_listener")


def _class_of(base: type[RawConnection], listen: Callable[[RawConnection], Listener]) -> type[RawConnection]:
    class Heard(base):  # type: ignore[valid-type,misc]
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            self.massacorp_listener = listen(self)

        def cursor(self, *arguments: Any, **keywords: Any) -> Any:
            given = keywords.pop("cursor_factory", None) or self.cursor_factory or RawCursor
            return super().cursor(*arguments, cursor_factory=_cursor_class(given), **keywords)

        def commit(self) -> None:
            super().commit()
            self.massacorp_listener.ended()

        def rollback(self) -> None:
            super().rollback()
            self.massacorp_listener.ended()

        def close(self) -> None:
            super().close()
            self.massacorp_listener.ended()

    return Heard


class _HeardCursor(RawCursor):
    """Goes before another class of cursors; what that makes of a call by calling itself is heard once."""

    inside = False

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 -- psycopg2's name
        self._around(query, vars, 1, lambda: super(_HeardCursor, self).execute(query, vars))

    def executemany(self, query: Any, vars_list: Iterable[Any]) -> None:
        rows = list(vars_list)
        first = rows[0] if rows else None
        self._around(query, first, len(rows), lambda: super(_HeardCursor, self).executemany(query, rows))

    def callproc(self, procname: Any, parameters: Any = None) -> Any:
        values = tuple(parameters.values() if isinstance(parameters, Mapping) else parameters or ())
        query = f"SELECT * FROM {procname}({', '.join(['%s'] * len(values))})"  # noqa: S608 -- as the driver sends it
        return self._around(query, values, 1, lambda: super(_HeardCursor, self).callproc(procname, parameters))

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        self._around(sql, None, 1, lambda: super(_HeardCursor, self).copy_expert(sql, file, size))

    def copy_from(self, file: Any, table: str, *rest: Any, **options: Any) -> None:
        query = f'COPY "{table}" FROM STDIN'
        self._around(query, None, 1, lambda: super(_HeardCursor, self).copy_from(file, table, *rest, **options))

    def copy_to(self, file: Any, table: str, *rest: Any, **options: Any) -> None:
        query = f'COPY "{table}" TO STDOUT'
        self._around(query, None, 1, lambda: super(_HeardCursor, self).copy_to(file, table, *rest, **options))

    def _around(self, query: Any, values: Any, times: int, proceed: Callable[[], Any]) -> Any:
        if self.inside:
            return proceed()
        self.inside = True
        try:
            listener: Listener = cast("Any", self.connection).massacorp_listener
            return listener.around(Call(self, _text(self, query), values, times), proceed)
        finally:
            self.inside = False


@cache
def _cursor_class(given: Any) -> Any:
    """Return the class that goes before `given`; what is no class makes cursors that are not heard."""
    if not isinstance(given, type) or issubclass(given, _HeardCursor):
        return given
    return type(given.__name__, (_HeardCursor, given), {})


def _text(cursor: RawCursor, query: Any) -> str:
    if isinstance(query, Composable):
        return query.as_string(cursor)
    if isinstance(query, bytes):
        return query.decode(encodings.get(cursor.connection.encoding, "utf-8"), "replace")
    return str(query)


def written(call: Call) -> str:
    """Return the statement with its values in it, those that are long cut short. Sends nothing."""
    if not call.values:
        return call.statement
    cursor = call.cursor
    try:
        sent = cursor.mogrify(call.statement, _cut(cursor.connection, call.values))
    except (psycopg2.Error, TypeError, ValueError, KeyError, IndexError):  # the driver is about to say what is wrong
        return call.statement
    return sent.decode(encodings.get(cursor.connection.encoding, "utf-8"), "replace")


def _cut(raw: RawConnection, values: Any) -> Any:
    if isinstance(values, Mapping):
        return {name: _cut_one(raw, value) for name, value in values.items()}
    return tuple(_cut_one(raw, value) for value in values) if isinstance(values, Sequence) else values


def _cut_one(raw: RawConnection, value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[: LONGEST - 3]}..."
    if value is None or isinstance(value, (bool, int, float)):
        return value
    adapted = adapt(value)
    if hasattr(adapted, "prepare"):
        adapted.prepare(raw)
    literal = adapted.getquoted().decode("utf-8", "replace")
    return value if len(literal) <= LONGEST + len("'...'::timestamptz") else f"{literal[: LONGEST - 3]}..."
