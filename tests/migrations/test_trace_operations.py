"""What the usual operations lock, rewrite, read and build: measured, and as the manual says, on every version alike."""

import secrets
from collections.abc import Iterator

import pytest

from app.migrations import scratch
from app.migrations import trace_documented as documented
from app.migrations.lock_modes import strength
from app.migrations.trace_values import Statement
from tests.migrations.chains import ask
from tests.migrations.operations import ALONE, SCHEMA, TRANSACTIONAL, Operation
from tests.migrations.traces import Tracer, locked, tracer

NOT_NAMED = {
    "drop a foreign key": "other",
    "drop a table": "other",
    "add a CHECK to a domain": "d",
    "create an index on a partitioned table": "p1",
    "restart a sequence": "sq",
    "replace a view": "v",
    "rename a table": "u",
}
"""Relations that the statement does not name, or of which the manual does not speak."""
EVERYDAY = {"create an index concurrently", "validate a CHECK by itself", "detach a partition concurrently"}
"""Each of ALONE wants a database of its own: the others are run with the slow tests."""


@pytest.fixture(scope="module")
def template(scratch_admin: str) -> str:
    return scratch.template(scratch_admin, f"operations {SCHEMA}", lambda url: void(ask(url, SCHEMA)))


def void(_: object) -> None:
    """Have nothing to return."""


@pytest.fixture(scope="module")
def everywhere(scratch_admin: str, template: str) -> Iterator[Tracer]:
    """A traced connection to tables that hold rows, for operations that are rolled back."""
    with scratch.database(scratch_admin, template) as url, tracer(url) as found:
        yield found


@pytest.fixture
def by_itself(scratch_admin: str, template: str) -> Iterator[Tracer]:
    """A traced connection in autocommit."""
    with scratch.database(scratch_admin, template) as url, tracer(url, autocommit=True) as found:
        yield found


def found(name: str, statement: Statement) -> Operation:
    """What was measured, in the form of the table."""
    fields = ("rewritten", "indexes_built", "scanned", "created", "dropped", "truncated")
    names = {one: " ".join(getattr(statement, one)).replace("public.", "") for one in fields}
    validated = tuple(one.replace("public.", "") for one in statement.validated)
    return Operation(name, statement.sql, "", locked(statement), validated=validated, **names)


@pytest.mark.parametrize("operation", TRANSACTIONAL, ids=lambda operation: operation.name)
def test_in_a_transaction_the_operation_does_what_the_manual_says(everywhere: Tracer, operation: Operation) -> None:
    everywhere.new_revision()
    try:
        statement = everywhere.execute(operation.sql)
    finally:
        everywhere.raw.rollback()
    assert found(operation.name, statement) == operation._replace(page="")
    assert {lock.source for lock in statement.locks} <= {"measured"}


def test_a_not_null_that_is_not_valid_is_validated_by_a_scan_later(everywhere: Tracer, pg: int) -> None:
    if pg < 18:
        pytest.skip("PostgreSQL 18 has NOT NULL NOT VALID")
    everywhere.new_revision()
    try:
        added = everywhere.execute("ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID")
        validated = everywhere.execute("ALTER TABLE t VALIDATE CONSTRAINT n")
    finally:
        everywhere.raw.rollback()
    assert (added.scanned, added.validated, locked(added)) == ((), (), {"t": "AccessExclusiveLock"})
    assert (validated.scanned, validated.validated) == (("public.t",), ("NOT NULL (a) ON public.t",))


@pytest.mark.slow
def test_a_move_to_another_tablespace_is_a_rewrite_that_reads_no_rows(by_itself: Tracer) -> None:
    space = f"space_{secrets.token_hex(4)}"
    by_itself.execute("SET allow_in_place_tablespaces = on")
    by_itself.execute(f"CREATE TABLESPACE {space} LOCATION ''")
    try:
        moved = by_itself.execute(f"ALTER TABLE t SET TABLESPACE {space}")
        by_itself.execute("ALTER TABLE t SET TABLESPACE pg_default")
    finally:
        by_itself.execute(f"DROP TABLESPACE {space}")
    assert (moved.rewritten, moved.scanned, moved.indexes_built) == (("public.t",), (), ())
    assert locked(moved) == {"t": "AccessExclusiveLock"}


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(operation, id=operation.name, marks=[] if operation.name in EVERYDAY else pytest.mark.slow)
        for operation in ALONE
    ],
)
def test_outside_of_a_transaction_the_operation_does_what_the_manual_says(
    by_itself: Tracer, operation: Operation
) -> None:
    statement = by_itself.execute(operation.sql)
    assert found(operation.name, statement) == operation._replace(page="")
    assert not statement.transactional
    for lock in statement.locks:
        assert (lock.source == "documented") == bool(lock.page) == (lock.held_ms is None)


@pytest.mark.parametrize("operation", TRANSACTIONAL + ALONE, ids=lambda operation: operation.name)
def test_what_is_known_without_a_server_is_what_the_manual_says(operation: Operation) -> None:
    said: dict[str, str] = {}
    for claim in documented.claims(operation.sql):
        assert claim.page.startswith(documented.MANUAL)
        name = "t" if claim.of_table else claim.name
        said[name] = max(said.get(name, ""), claim.mode, key=strength)
    weightless = ("AccessShareLock", "RowShareLock")
    locks = {name: mode for name, mode in operation.locks.items() if mode not in weightless}
    locks.pop(NOT_NAMED.get(operation.name, ""), None)
    assert {name: said.get(name) for name in locks} == locks


def test_a_statement_that_is_not_known_makes_no_claim() -> None:
    assert documented.claims("CREATE EXTENSION vector; SELECT 'ALTER TABLE t'; -- DROP TABLE t") == []


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ('DROP TABLE IF EXISTS "my t", s."u.v" CASCADE', ['"my t"', 's."u.v"']),
        ("vacuum (verbose, full) a, b (x, y)", ["a", "b"]),
        ("ALTER TABLE IF EXISTS ONLY a.b ADD c int, DROP d", ["a.b"]),
        ("create unique index concurrently on only x using gin (y)", ["x"]),
        ("TRUNCATE ONLY a, b RESTART IDENTITY", ["a", "b"]),
        ("DROP INDEX", []),
        ("ALTER TABLE", []),
    ],
)
def test_names_are_found_as_they_are_written(sql: str, names: list[str]) -> None:
    assert [claim.name for claim in documented.claims(sql)] == names


@pytest.mark.parametrize(
    ("actions", "mode"),
    [
        ("ALTER COLUMN a SET STATISTICS 5", "ShareUpdateExclusiveLock"),
        ("ALTER a SET STATISTICS 5, ALTER b SET DEFAULT 1", "AccessExclusiveLock"),
        ('ADD CONSTRAINT "n o" FOREIGN KEY (a, b) REFERENCES t (a, b), VALIDATE CONSTRAINT c', "ShareRowExclusiveLock"),
        ("DETACH PARTITION p FINALIZE", "ShareUpdateExclusiveLock"),
        ("ENABLE ALWAYS TRIGGER g", "ShareRowExclusiveLock"),
    ],
)
def test_of_several_actions_the_strongest_lock_counts(actions: str, mode: str) -> None:
    assert documented.claims(f"ALTER TABLE t {actions}")[0][:2] == ("t", mode)
