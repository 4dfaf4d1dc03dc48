"""Statements are told apart by their words, and by nothing that only looks like one."""

import pytest

from app.migrations.statements import Kind, kind, shortened

LIMITED = [
    "ALTER TABLE t ADD COLUMN a int",
    "CREATE INDEX ix ON t (a)",
    "DROP INDEX ix",
    "ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (1)",
    "ALTER TABLE p DETACH PARTITION c",
    'CREATE INDEX "CONCURRENTLY" ON t (a)',
    "CREATE INDEX ix ON t (a) -- CONCURRENTLY",
    "/* CREATE INDEX CONCURRENTLY */ DROP TABLE t",
    "/* /* nested */ VACUUM */ DROP TABLE t",
    "WITH concurrently AS (SELECT 1) UPDATE t SET a = 1",
    "COMMENT ON TABLE t IS 'CREATE INDEX CONCURRENTLY'",
    "ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN b int",
    'ALTER TABLE "VALIDATE" ADD COLUMN a int, VALIDATE CONSTRAINT c',
    "ALTER TABLE t DROP COLUMN validate",
    "REINDEX (CONCURRENTLY false) TABLE t",
    "",
    "/* never closed",
]
UNLIMITED = [
    "CREATE INDEX CONCURRENTLY ix ON t (a)",
    "create unique index\n  concurrently if not exists ix on t (a)",
    "-- why\nCREATE /* now */ INDEX CONCURRENTLY ix ON t (a)",
    "DROP INDEX CONCURRENTLY IF EXISTS ix",
    "REINDEX TABLE CONCURRENTLY t",
    "REINDEX (VERBOSE, CONCURRENTLY) INDEX ix",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    "VACUUM t",
    "ANALYZE t",
    "ALTER TABLE t VALIDATE CONSTRAINT c",
    'ALTER TABLE IF EXISTS ONLY s."T" VALIDATE CONSTRAINT c, VALIDATE CONSTRAINT d;',
    "ALTER TABLE p DETACH PARTITION c CONCURRENTLY",
    "ALTER TABLE p DETACH PARTITION c FINALIZE",
]


@pytest.mark.parametrize("statement", LIMITED)
def test_what_blocks_others_while_it_waits_is_limited(statement: str) -> None:
    assert kind(statement) is Kind.LIMITED


@pytest.mark.parametrize("statement", UNLIMITED)
def test_what_gives_way_while_it_waits_is_not_limited(statement: str) -> None:
    assert kind(statement) is Kind.UNLIMITED


@pytest.mark.parametrize("statement", ["CALL p()", "DO $a$ BEGIN COMMIT; END $a$", "VACUUM (FULL) t", "VACUUM FULL t"])
def test_what_may_commit_a_part_is_known(statement: str) -> None:
    assert kind(statement) is Kind.LIMITED_IN_PARTS


@pytest.mark.parametrize("statement", ["SHOW lock_timeout", "set lock_timeout = 0", "RESET ALL"])
def test_settings_are_left_as_they_are(statement: str) -> None:
    assert kind(statement) is Kind.SETTING


def test_a_statement_is_shown_on_one_line() -> None:
    assert shortened("ALTER TABLE t\n   ADD COLUMN a int") == "ALTER TABLE t ADD COLUMN a int"
    assert len(shortened("x " * 500)) == 120
