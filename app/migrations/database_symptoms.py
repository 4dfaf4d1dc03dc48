"""Reads everything about a target that the doctor wants to know, as far as the target lets it. Changes nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from app.migrations import (
    baseline,
    database_names,
    environment_checks,
    failures,
    index_symptoms,
    journal_traces,
    ownership,
    poolers,
    session_symptoms,
    target_symptoms,
    verification,
)
from app.migrations.errors import MigrationError, Refused
from app.migrations.symptoms import Database, Drift, Edited, Symptoms
from app.migrations.targets import Target
from app.migrations.verification import Check, Facts, Report

DENIED, LOCKED, CANCELLED = "42501", "55P03", "57014"
LIMITS = "SET lock_timeout = '2s'; SET statement_timeout = '30s'"
"""A doctor does not wait in a queue for a lock: whoever comes behind it would wait too."""


class Visit(NamedTuple):
    """The target, an engine for it that does not pool, and the code; `say` hears before a scratch database is built."""

    target: Target
    engine: Engine
    root: Path
    say: Callable[[str], None]


def with_database(seen: Symptoms, visit: Visit) -> Symptoms:
    """Add what the target says. Raises nothing that the target is guilty of.

    One or two connections, in autocommit; each statement waits 2 s for a lock at most.
    """
    target, engine = visit.target, visit.engine
    try:
        with (
            failures.explained(target.place),
            engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        ):
            poolers.refuse_shared_sessions(engine, connection, target.place)
            database = _read(connection, target, visit.root)
    except Refused as error:
        return seen._replace(pooled=error)
    except MigrationError as error:
        return seen._replace(silent=error)
    seen = seen._replace(database=database)
    return seen._replace(database=_with_schema(seen, database, visit))


def _read(connection: Connection, target: Target, root: Path) -> Database:
    """Read what needs nothing but the server; what the role may not see stays empty."""
    found = Database(target_symptoms.server(connection))
    if found.server.version < environment_checks.OLDEST_SUPPORTED * 10000:
        return found
    connection.exec_driver_sql(LIMITS)
    try:
        found = found._replace(tables=target_symptoms.version_tables(connection))
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) not in {LOCKED, CANCELLED}:
            raise
        return found._replace(locked_by=session_symptoms.locking(connection, "alembic_version"))
    seen = ownership.examine(connection)
    verdict = ownership.judge(target, seen, root)
    found = found._replace(
        verdict=verdict,
        identity_unreadable=bool(seen.unreadable),
        lacks=target_symptoms.lacks(connection),
        filled=target_symptoms.filled(connection),
        migration=session_symptoms.migration(connection),
        invalid=index_symptoms.invalid(connection),
        prepared=session_symptoms.prepared(connection),
        leftovers=session_symptoms.half_built(connection, database_names.built_pattern(found.server.database)),
    )
    if found.migration is None:
        found = found._replace(orphans=session_symptoms.orphans(connection))
    with suppress(DBAPIError):  # missing rights on the journal are said by `lacks`
        return found._replace(begun=tuple(journal_traces.begun(connection, found.server.home)))
    return found


def with_traces(seen: Symptoms, engine: Engine) -> Symptoms:
    """Add what the journal says about revisions that the code lacks, over a connection of its own."""
    database = seen.database
    if database is None:
        return seen
    lost = {row for row in database.rows if row not in seen.code.history} | {
        name for _, name in seen.code.history.missing
    }
    if not lost:
        return seen
    with suppress(DBAPIError), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        traces = journal_traces.read(connection, database.server.home, lost)
        return seen._replace(database=database._replace(traces=traces))
    return seen


def _with_schema(seen: Symptoms, database: Database, visit: Visit) -> Database:
    """Compare the schema with that of its revision, where there is one revision to compare with."""
    if not seen.code.is_whole or not database.rows or any(row not in seen.code.history for row in database.rows):
        return database
    if database.migration is not None or database.orphans:
        return database
    try:
        with _impatient(visit.engine):
            facts = verification.gather(visit.root, visit.target, visit.engine, visit.say)
    except (MigrationError, DBAPIError) as error:
        why = error.message if isinstance(error, MigrationError) else str(error.orig).strip().split("\n")[0]
        return database._replace(drift=Drift(why_not=why))
    report = verification.judge(facts)
    usual = baseline.usual(visit.root, visit.target.environment.name)
    if usual.exists():
        with suppress(MigrationError):  # db.verify says what is wrong with it
            report = baseline.applied(report, usual)
    edited = tuple(Edited(one.revision, one.path, one.applied_at) for one in facts.edited or ())
    return database._replace(edited=edited, drift=_drift(report, facts))


def _drift(report: Report, facts: Facts) -> Drift:
    validate, differences = list[tuple[str, str]](), list[str]()
    for one in report.problems:
        if one.check is Check.CONSTRAINTS and one.difference and one.cure.startswith("ALTER "):
            validate.append((f"constraint {one.difference.object} is not validated", one.cure.rstrip("; \n")))
        elif one.check in {Check.SCHEMA, Check.CONSTRAINTS}:
            differences.append(one.words)
    return Drift(tuple(differences), tuple(validate), facts.unavailable.message if facts.unavailable else "")


@contextmanager
def _impatient(engine: Engine) -> Iterator[None]:
    """Limit the waits of all that connects with this engine while the block runs."""
    event.listen(engine, "connect", _limit)
    try:
        yield
    finally:
        event.remove(engine, "connect", _limit)


def _limit(raw: RawConnection, _: object) -> None:
    raw.autocommit = True
    with raw.cursor() as cursor:
        cursor.execute(LIMITS)
    raw.autocommit = False
