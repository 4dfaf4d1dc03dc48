"""What tables hold, and what of it is gone later: how going down and up again loses data. Reads; changes nothing.

Values are compared as texts, by hash: what comes back under another name of a table or column is no loss. Tables
beyond `LARGEST` are compared by sums.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from sqlalchemy import Connection

from app.migrations import driver, prepared
from app.migrations.sample_structure import OURS, Listed, listing

LARGEST = 10_000
"""Rows of a table up to which each value is kept."""
BATCH = 40
"""Tables that are read by one statement."""

COLUMNS = """
SELECT attrelid::bigint, attname::text, quote_ident(attname) FROM pg_attribute
WHERE attrelid = ANY ($1) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attname COLLATE "C"
"""


class Held(NamedTuple):
    """What one column holds: how many values, how many nulls, and each value's hash with how often it comes.

    Of large tables `values` is empty and `total` alone, a sum of all hashes, tells.
    """

    filled: int
    nulls: int
    values: Mapping[int, int]
    total: int


class Contents(NamedTuple):
    """What one table holds: its columns by name, and each whole row's values in the order of these names."""

    rows: int
    columns: Mapping[str, Held]
    lines: Mapping[tuple[int | None, ...], int]


Holdings = Mapping[str, Contents]
"""By the table's qualified name."""


class Lost(NamedTuple):
    """Data that is gone: of a whole table, or of one column. `rows`: how many rows or values at least."""

    table: str
    column: str | None
    rows: int
    detail: str


def read(connection: Connection, only: Collection[int] | None = None) -> Holdings:
    """Read what the tables of users hold, those in `only` or all; partitions as the table that they are part of.

    In the transaction of the connection, if it has one; else in one of its own. Takes ACCESS SHARE on the tables.
    Raises DBAPIError.
    """
    raw = cast(RawConnection, connection.connection.dbapi_connection)
    idle = raw.info.transaction_status == TRANSACTION_STATUS_IDLE
    try:
        found = _read(raw, only)
    except psycopg2.Error as error:
        raise driver.translated(connection, "reading what tables hold", error) from error
    finally:
        if idle and not raw.autocommit and not raw.closed:
            raw.rollback()
    return found


def _read(connection: RawConnection, only: Collection[int] | None) -> Holdings:
    listed = listing(connection, OURS, only)
    found: dict[str, Contents] = {}
    with connection.cursor() as cursor:
        columns = _columns(connection, listed)
        for start in range(0, len(listed), BATCH):
            batch = listed[start : start + BATCH]
            cursor.execute(" UNION ALL ".join(_few(n, each, columns[each.oid]) for n, each in enumerate(batch)))
            for number, rows, lines in cursor.fetchall():
                table = batch[number]
                found[table.path] = (
                    _contents([name for name, _ in columns[table.oid]], rows, lines or ())
                    if rows <= LARGEST
                    else _summed(cursor, table, columns[table.oid])
                )
    return found


def _columns(connection: RawConnection, listed: Sequence[Listed]) -> dict[int, list[tuple[str, str]]]:
    """Return the columns of each table by name: as they are, and as SQL."""
    found: dict[int, list[tuple[str, str]]] = {each.oid: [] for each in listed}
    for oid, name, quoted in prepared.rows(connection, COLUMNS, "oid[]", list(found)) if found else ():
        found[oid].append((name, quoted))
    return found


def _hash(column: str) -> str:
    return f"hashtextextended({column}::text, 0)"


def _few(number: int, table: Listed, columns: Sequence[tuple[str, str]]) -> str:
    """Return a SELECT of a table's hashes, row by row, up to one more row than are kept."""
    line = f"ARRAY[{', '.join(_hash(quoted) for _, quoted in columns) or 'NULL'}]::bigint[]"
    rows = f"SELECT {line} AS line FROM {table.source} LIMIT {LARGEST + 1}"  # noqa: S608 -- from the catalog
    return f"SELECT {number}, count(*), array_agg(line) FROM ({rows}) few"  # noqa: S608


def _summed(cursor: Cursor, table: Listed, columns: Sequence[tuple[str, str]]) -> Contents:
    """Read a large table once more, as sums."""
    sums = "".join(f", count({quoted}), coalesce(sum({_hash(quoted)}), 0)" for _, quoted in columns)
    cursor.execute(f"SELECT count(*){sums} FROM {table.source}")  # noqa: S608 -- from the catalog
    ((rows, *found),) = cursor.fetchall()
    pairs = zip(columns, found[::2], found[1::2], strict=True)
    return Contents(rows, {name: Held(count, rows - count, {}, int(total)) for (name, _), count, total in pairs}, {})


def _contents(names: Sequence[str], rows: int, hashes: Sequence[Sequence[int | None]]) -> Contents:
    lines = [tuple(line) for line in hashes] if names else []
    columns = {}
    for name, values in zip(names, zip(*lines, strict=True) if lines else ((),) * len(names), strict=True):
        there = [value for value in values if value is not None]
        columns[name] = Held(len(there), len(values) - len(there), Counter(there), sum(there))
    return Contents(rows, columns, Counter(lines))


def compare(before: Holdings, after: Holdings) -> tuple[Lost, ...]:
    """Return what `before` held and `after` does not, by table and column. What is new is no loss."""
    found: list[Lost] = []
    renamed = _renamed(before, after)
    for table, was in before.items():
        now = after.get(renamed.get(table, table))
        if now is None:
            found += [Lost(table, None, was.rows, f"the table and its {_rows(was.rows)} are gone")] if was.rows else []
        elif now.rows == 0 and was.rows:
            found.append(Lost(table, None, was.rows, f"its {_rows(was.rows)} are gone, the table is empty"))
        elif was != now:
            found += _of_table(table, was, now)
    return tuple(found)


def _renamed(before: Holdings, after: Holdings) -> dict[str, str]:
    """Return the tables that came back under another name: a new one holds the same values in as many columns."""
    new = {name: table for name, table in after.items() if name not in before and table.rows}
    found = {}
    for name, was in before.items():
        if name in after or not was.rows:
            continue
        wanted = sorted(was.columns.values(), key=repr)
        same = next((each for each, now in new.items() if sorted(now.columns.values(), key=repr) == wanted), None)
        if same is not None:
            found[name] = same
            del new[same]
    return found


def _of_table(table: str, was: Contents, now: Contents) -> Iterator[Lost]:
    gone = was.rows - now.rows
    if gone > 0:
        yield Lost(table, None, gone, f"{_rows(gone)} of {was.rows} are gone")
    pairs = _pairs(was, now)
    lost = [each for name, new in pairs.items() for each in _of_column(table, name, was, now, new) if each.rows > gone]
    yield from lost
    if not lost and gone <= 0 and (moved := _moved(was, now, pairs)):
        yield Lost(table, None, moved, f"the values of at least {_rows(moved)} stand in other rows now")


def _pairs(was: Contents, now: Contents) -> dict[str, str | None]:
    """Return under which name each column came back; None for one that did not."""
    new = {name: held for name, held in now.columns.items() if name not in was.columns}
    found: dict[str, str | None] = {}
    for name, held in was.columns.items():
        same = next((other for other, its in new.items() if held.filled and its == held), None)
        found[name] = name if name in now.columns else same
        if same is not None and found[name] == same:
            del new[same]
    return found


def _of_column(table: str, name: str, was: Contents, now: Contents, new: str | None) -> Iterator[Lost]:
    before = was.columns[name]
    if new is None:
        if before.filled:
            yield Lost(table, name, before.filled, f"the column and its {_values(before.filled)} are gone")
        return
    after = now.columns[new]
    if before.total == after.total and before.values == after.values and before.filled <= after.filled:
        return
    missing = _missing(before, after)
    if missing and not after.filled:
        yield Lost(table, name, missing, f"all {_values(missing)} are null now")
    elif missing and after.nulls > before.nulls:
        nulls = min(after.nulls - before.nulls, missing)
        yield Lost(
            table, name, missing, f"{_values(missing)} of {before.filled} are gone, {nulls} of them are null now"
        )
    elif missing:
        yield Lost(table, name, missing, f"{_values(missing)} of {before.filled} are others now")


def _missing(before: Held, after: Held) -> int:
    """Return how many values at least are gone; of sums, one at least."""
    if before.values or after.values:
        return sum((Counter(before.values) - Counter(after.values)).values())
    return max(before.filled - after.filled, 1 if before.total != after.total and before.filled else 0)


def _moved(was: Contents, now: Contents, pairs: Mapping[str, str | None]) -> int:
    """Return how many rows, as combinations of the columns that came back, are no longer there."""
    kept = [(name, new) for name, new in pairs.items() if new is not None]
    before, after = list(was.columns), list(now.columns)
    mine = [before.index(name) for name, _ in kept]
    its = [after.index(new) for _, new in kept]
    old: Counter[tuple[int | None, ...]] = Counter()
    for line, times in was.lines.items():
        old[tuple(line[i] for i in mine)] += times
    for line, times in now.lines.items():
        old[tuple(line[i] for i in its)] -= times
    return sum(times for times in old.values() if times > 0)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count} values"
