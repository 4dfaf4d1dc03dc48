"""Values for columns that a table with rows gained. Changes those alone, and only where all rows hold the same."""

from collections.abc import Sequence
from contextlib import suppress

import psycopg2

from app.migrations.sample_clusters import Values
from app.migrations.sample_filling import LOOSE, STRICT, Filling, Refusal
from app.migrations.sample_judge import ANEW, UNDO, constant
from app.migrations.sample_structure import Column, Table


def fill(filling: Filling, table: Table, known: int, rows: int) -> None:
    """Give the columns behind the first `known` values, in up to `rows` rows; a table that refuses keeps what it has.

    An all-null column has nothing to lose when it is dropped, and violates no constraint that comes later.
    """
    new = [column for column in table.columns if column.position > known and not _made_by_server(column)]
    if not (new := [column for column in new if _uniform(filling, table, column)]):
        return
    with suppress(Refusal):
        draft = filling.draft(table, (), 0)
        names = {column.name for column in new}
        whole = [pool for pool in draft.pools if pool.cluster.names <= names]
        chosen = [column for column in new if any(column.name in pool.cluster.names for pool in whole)]
        draft.pools = whole
        for mode in (LOOSE, STRICT) if chosen else ():
            if _update(filling, table, chosen, draft.rows(rows, mode)):
                break


def _made_by_server(column: Column) -> bool:
    return bool(column.generated or column.identity or column.sequence)


def _uniform(filling: Filling, table: Table, column: Column) -> bool:
    """Tell whether no two rows differ in a column: a migration that filled it in itself is left alone."""
    values = f"count(DISTINCT {column.quoted}::text), count(*) - count({column.quoted}), count(*)"
    with filling.connection.cursor() as cursor:
        cursor.execute(f"SELECT {values} FROM {table.listed.source}")  # noqa: S608 -- from the catalog
        ((different, nulls, rows),) = cursor.fetchall()
    return bool(different == 0 or (different == 1 and nulls == 0 and rows > 1))


def _update(filling: Filling, table: Table, columns: Sequence[Column], rows: Sequence[Values]) -> bool:
    lines = ", ".join(
        f"({n}, {', '.join(constant(row.get(c.name)) for c in columns)})" for n, row in enumerate(rows, 1)
    )
    names = [f"c{i}" for i in range(len(columns))]
    given = ", ".join(f"{c.quoted} = v.{n}::{c.written}" for n, c in zip(names, columns, strict=True))
    statement = f"""UPDATE {table.listed.source} t SET {given}
        FROM (VALUES {lines}) v (n, {", ".join(names)}) JOIN
            (SELECT tableoid AS of, ctid AS at, row_number() OVER (ORDER BY tableoid, ctid) AS n
             FROM {table.listed.source} LIMIT {len(rows)}) k ON k.n = v.n
        WHERE t.ctid = k.at AND t.tableoid = k.of"""  # noqa: S608 -- from the catalog
    with filling.connection.cursor() as cursor:
        try:
            cursor.execute(ANEW + statement)
        except psycopg2.Error:
            if filling.connection.closed:
                raise
            cursor.execute(UNDO)
            return False
    return True
