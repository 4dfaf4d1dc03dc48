"""Inserts rows, each statement behind a savepoint, and says in words why one was refused."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations.quoting import literal
from app.migrations.sample_clusters import Values
from app.migrations.sample_judge import ANEW, UNDO, constant
from app.migrations.sample_structure import Table

GIVEN_UP_AFTER = 12
"""Rows in a row that are refused one by one."""
GAP = 2


@contextmanager
def unforced(connection: RawConnection, paths: Sequence[str]) -> Iterator[None]:
    """Do not force row security on the owner of these tables meanwhile. Takes ACCESS EXCLUSIVE on them.

    https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """
    with connection.cursor() as cursor:
        if paths:
            cursor.execute("; ".join(f"ALTER TABLE {path} NO FORCE ROW LEVEL SECURITY" for path in paths))
        yield
        if paths:
            cursor.execute("; ".join(f"ALTER TABLE {path} FORCE ROW LEVEL SECURITY" for path in paths))


class Outcome(NamedTuple):
    """How many rows a table took, and what it said to the last that it did not take."""

    taken: int
    refusal: str | None = None


def begin(connection: RawConnection) -> None:
    """Begin a transaction in which every constraint is checked by each statement, deferrable ones too.

    Nothing is compiled in it: for the long statement that reads the structure that takes seconds, where LLVM is there.
    """
    with connection.cursor() as cursor:
        begin = "BEGIN; " if connection.autocommit else ""
        cursor.execute(begin + "SET LOCAL jit = off; SET CONSTRAINTS ALL IMMEDIATE; SAVEPOINT sample")


def end(connection: RawConnection, how: str) -> None:
    """End the transaction: COMMIT or ROLLBACK."""
    if connection.autocommit:
        with connection.cursor() as cursor:
            cursor.execute(how)
    elif how == "COMMIT":
        connection.commit()
    else:
        connection.rollback()


def together(connection: RawConnection, groups: Sequence[tuple[Table, Sequence[Values]]], gaps: bool) -> Outcome:
    """Insert the rows of these tables in one statement, at whose end foreign keys are checked; all or nothing.

    The rows of the last table are counted. With `gaps` some numbers of its sequences are left out, as they are in
    production: a numbering that is made anew is then another one.
    https://www.postgresql.org/docs/current/queries-with.html
    """
    *first, last = [_statement(table, rows) for table, rows in groups if rows]
    before = ", ".join(f"sample_{number} AS ({statement})" for number, statement in enumerate(first))
    skipped = "".join(
        f"SELECT nextval({literal(column.sequence)}) FROM generate_series(1, {GAP}); "  # noqa: S608 -- quoted
        for column in groups[-1][0].columns
        if gaps and column.sequence
    )
    return _run(connection, f"{skipped}WITH {before} {last}" if before else skipped + last, groups[-1][0])


def one_by_one(connection: RawConnection, table: Table, rows: Sequence[Values], wanted: int) -> Outcome:
    """Insert each row for itself, as many as are wanted; what the table refuses is passed over."""
    taken, refusal, in_a_row = 0, None, 0
    for row in rows:
        outcome = _run(connection, _statement(table, [row]), table)
        taken += outcome.taken
        refusal = outcome.refusal or refusal
        in_a_row = 0 if outcome.taken else in_a_row + 1
        if taken >= wanted or in_a_row >= GIVEN_UP_AFTER:
            break
    return Outcome(taken, refusal)


def _run(connection: RawConnection, statement: str, table: Table) -> Outcome:
    with connection.cursor() as cursor:
        try:
            cursor.execute(ANEW + statement)
            taken = cursor.rowcount
        except psycopg2.Error as error:
            if connection.closed:
                raise
            cursor.execute(UNDO)
            return Outcome(0, reason(error))
    return Outcome(taken, None if taken else _swallowed(table))


def _statement(table: Table, rows: Sequence[Values]) -> str:
    columns = [column for column in table.columns if not column.generated]
    if not columns:
        return f"INSERT INTO {table.path} DEFAULT VALUES"
    lines = ", ".join(
        "(" + ", ".join(constant(row[c.name]) if c.name in row else "DEFAULT" for c in columns) + ")" for row in rows
    )
    overriding = any(column.identity == "a" and column.name in row for column in columns for row in rows)
    return " ".join(
        (
            f"INSERT INTO {table.path} ({', '.join(column.quoted for column in columns)})",
            *(["OVERRIDING SYSTEM VALUE"] if overriding else []),
            f"VALUES {lines}",
            *(["ON CONFLICT DO NOTHING"] if _skips(table) else []),
        )
    )


def _skips(table: Table) -> bool:
    """Tell whether the server may pass over rows that come twice: not where a key is deferrable or a rule rewrites."""
    immediate = table.uniques and all(unique.immediate for unique in table.uniques)
    return bool(immediate) and not any(obstacle.kind == "rule" for obstacle in table.obstacles)


def _swallowed(table: Table) -> str:
    for obstacle in table.obstacles:
        if obstacle.decisive and obstacle.kind in {"rule", "trigger"}:
            return f'the {obstacle.kind} "{obstacle.name}" takes the rows away without an error'
    return "the rows were passed over: each value that has to be unique is taken"


def reason(error: psycopg2.Error) -> str:
    """Return why the server refused, in words that name what refused."""
    said = (error.diag.message_primary or str(error).strip() or repr(error)).splitlines()[0]
    name = error.diag.constraint_name
    if error.pgcode == "23514":
        what = f'the check "{name}"' if name else "a condition of a partition or a view"
        return f"{what} accepts none of the values that were tried: {said}"
    if error.pgcode in {"23505", "23P01", "23503"}:
        return f'the constraint "{name}" refuses the values that were tried: {said}'
    where = next((line for line in (error.diag.context or "").splitlines() if "function" in line), "")
    return f"{said} ({where.strip()})" if where else said
