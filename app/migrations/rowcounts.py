"""How many rows stand in the tables that a plan drops. Reads; takes no lock that stops a writer."""

from collections.abc import Iterable

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.migrations.losses import Loss

PATIENCE = "5s"
"""Longest count of one table; a bigger one is estimated from pg_class.reltuples."""


def of(engine: Engine, losses: Iterable[Loss]) -> dict[Loss, str]:
    """Return for each loss how much is there now, in words: "3 rows", "about 90000000 rows", "not there"."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"SET statement_timeout = '{PATIENCE}'"))
        connection.execute(text(f"SET lock_timeout = '{PATIENCE}'"))
        return {loss: _count(connection, loss) for loss in losses if loss.table}


def _count(connection: Connection, loss: Loss) -> str:
    quote = connection.dialect.identifier_preparer.quote
    table = ".".join(quote(part) for part in loss.table.split("."))
    if connection.scalar(text("SELECT to_regclass(:name)"), {"name": table}) is None:
        return "not there"
    what, noun = (f"count({quote(loss.column)})", "values") if loss.column else ("count(*)", "rows")
    try:
        return f"{connection.scalar(text(f'SELECT {what} FROM {table}'))} {noun}"  # noqa: S608
    except DBAPIError:
        estimate = connection.scalar(
            text("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass(:name)"), {"name": table}
        )
        return f"about {estimate} rows"
