"""Drops and rebuilds invalid indexes without keeping anybody from reading or writing. Decides nothing.

Both take SHARE UPDATE EXCLUSIVE on the table, which readers and writers do not feel, and neither may run in a
transaction. https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
"""

import random
import time

from psycopg2.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.migrations import blockers, index_symptoms, session_symptoms
from app.migrations.advisory import Caller, open_named
from app.migrations.blockers import Wait, spoken
from app.migrations.environments import Environment
from app.migrations.errors import MigrationFailed, Refused
from app.migrations.symptoms import InvalidIndex

SAY_AGAIN = 30.0
PAUSE = 0.2
TABLE_OF = text("SELECT indrelid::bigint FROM pg_index WHERE indexrelid = :oid")


def drop(engine: Engine, environment: Environment, caller: Caller, index: InvalidIndex) -> None:
    """Drop it with short waits, again and again: one that gives up leaves the index as it was, not valid.

    Raises Refused, with who is in the way, when LOCK_RETRY_FOR is over.
    """
    deadline = time.monotonic() + environment.lock_retry_for.total_seconds()
    with _session(engine, caller, environment.lock_timeout.total_seconds()) as connection:
        due = 0.0
        while True:
            try:
                connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {_escaped(index.name)}")
            except DBAPIError as error:
                if not isinstance(error.orig, LockNotAvailable):
                    raise
            else:
                return
            who, now = _in_the_way(connection, index), time.monotonic()
            if now > deadline:
                raise Refused(
                    f"{caller.place.described}: index {index.name} could not be dropped within"
                    f" {spoken(environment.lock_retry_for.total_seconds())}, because of {who}; it is as it was",
                    "the same command when they have ended",
                )
            if now >= due:
                caller.announce(f"waiting, without blocking anybody, for {who}; gives up in {spoken(deadline - now)}")
                due = now + SAY_AGAIN
            time.sleep(PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 -- jitter, no secret


def rebuild(engine: Engine, environment: Environment, caller: Caller, index: InvalidIndex) -> None:
    """Rebuild it, without a limit on its waits: one that gives up would leave another invalid index.

    Nobody waits behind it. Raises MigrationFailed where the rows do not let it be built; what that left is dropped.
    """
    before = set(_others(engine, caller, index))
    try:
        with _session(engine, caller, 0) as connection:
            connection.exec_driver_sql(f"REINDEX INDEX CONCURRENTLY {_escaped(index.name)}")
    except DBAPIError as error:
        for left in _others(engine, caller, index):
            if left not in before:
                drop(engine, environment, caller, left)
        said = " ".join(str(error.orig).split())
        raise MigrationFailed(
            f"{caller.place.described}: index {index.name} cannot be rebuilt: {said}; it is as it was",
            "correct the rows that it names, then the same command",
        ) from error


def _others(engine: Engine, caller: Caller, index: InvalidIndex) -> list[InvalidIndex]:
    """Return what REINDEX CONCURRENTLY has left of the same table."""
    with _session(engine, caller, 1) as connection:
        found = index_symptoms.invalid(connection)
    return [one for one in found if one.table == index.table and index_symptoms.is_leftover(one)]


def _session(engine: Engine, caller: Caller, lock_timeout: float) -> Connection:
    """Return a session in autocommit that is known as a migration's, and ends with its client."""
    connection = open_named(engine, f"{caller.name}/repair").execution_options(isolation_level="AUTOCOMMIT")
    connection.exec_driver_sql(f"SET lock_timeout = {round(lock_timeout * 1000)}")
    connection.exec_driver_sql("SET statement_timeout = 0")
    return connection


def _in_the_way(connection: Connection, index: InvalidIndex) -> str:
    raw, table = session_symptoms.raw_of(connection), connection.scalar(TABLE_OF, {"oid": index.oid})
    wait = Wait(int(table or 0), index.table, "AccessExclusiveLock", frozenset())
    described = blockers.describe(raw, blockers.in_the_way(raw, wait)[1])
    return "; ".join(one.described for one in described) or "a transaction that has ended by now"


def _escaped(name: str) -> str:
    return name.replace("%", "%%")
