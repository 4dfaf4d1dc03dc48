"""What squawk says, given back to the statements it is about."""

from pathlib import Path

import pytest

from app.migrations import squawk
from app.migrations.errors import ConfigurationError
from app.migrations.trace_values import Statement

PROGRAM = squawk.program() or Path("squawk is not installed")


def statement(sql: str, segment: int = 1, transactional: bool = True, line: int = 1) -> Statement:
    return Statement(sql, "alembic/versions/x.py", line, segment, transactional, 1.0, None)


def said(root: Path, *statements: Statement, major: int = 18) -> list[tuple[int, str]]:
    remarks = squawk.lint(PROGRAM, statements, major, root)
    return [(remark.statement.line, remark.cause) for remark in remarks if not remark.is_style]


QUIET = {
    "a column that may be null": "ALTER TABLE users ADD COLUMN phone text",
    "a constant default": "ALTER TABLE users ADD COLUMN vip boolean DEFAULT false NOT NULL",
    "a table that is new": "CREATE TABLE news (id bigint PRIMARY KEY, body text NOT NULL)",
    "a check that is not valid yet": "ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
    "rows": "UPDATE users SET name = 'x'",
    "a value that was cut": "INSERT INTO users (name) VALUES ('abc...",
    "a setting": "SET LOCAL lock_timeout = '1s'",
    "nothing at all": "  ;  ",
}


@pytest.mark.parametrize("sql", QUIET.values(), ids=QUIET.keys())
def test_nothing_is_said_about(tmp_path: Path, sql: str) -> None:
    assert said(tmp_path, statement(sql)) == []


LOUD = {
    "CREATE INDEX i ON users (email)": "index-not-concurrent",
    "DROP INDEX i": "index-not-concurrent",
    "ALTER TABLE users ADD CONSTRAINT u UNIQUE (email)": "index-not-concurrent",
    "ALTER TABLE users ALTER COLUMN age TYPE bigint": "type-change",
    "ALTER TABLE users ALTER COLUMN age SET NOT NULL": "constraint-not-validated",
    "ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (t) REFERENCES tenants (id)": "constraint-not-validated",
    "ALTER TABLE users ADD COLUMN phone text NOT NULL": "not-null-without-default",
    "ALTER TABLE users ADD COLUMN at timestamptz DEFAULT clock_timestamp()": "volatile-default",
    "ALTER TABLE users RENAME COLUMN a TO b": "rename",
    "ALTER TABLE users DROP COLUMN a": "drop-column",
    "DROP TABLE users": "drop-table",
}


@pytest.mark.parametrize(("sql", "cause"), LOUD.items(), ids=LOUD.keys())
def test_a_cause_has_the_name_of_our_rule(tmp_path: Path, sql: str, cause: str) -> None:
    assert set(said(tmp_path, statement(sql))) == {(1, cause)}


def test_each_remark_goes_to_its_own_statement_however_many_lines_it_has(tmp_path: Path) -> None:
    statements = [
        statement("SELECT 1", line=1),
        statement("ALTER TABLE a\n  DROP COLUMN b;", line=2),
        statement("ALTER TABLE a\n\n  ADD COLUMN c text;", line=3),
        statement("DROP TABLE z", line=4),
        statement("DROP INDEX CONCURRENTLY i", segment=2, transactional=False, line=5),
        statement("ALTER TABLE a RENAME TO b -- a comment at the end", segment=3, line=6),
        statement("DROP TABLE y", segment=3, line=7),
    ]
    assert said(tmp_path, *statements) == [(2, "drop-column"), (4, "drop-table"), (6, "rename"), (7, "drop-table")]


def test_outside_of_a_transaction_concurrently_is_right(tmp_path: Path) -> None:
    assert said(tmp_path, statement("CREATE INDEX CONCURRENTLY i ON users (email)", transactional=False)) == []


def test_a_statement_that_squawk_cannot_parse_does_not_silence_the_others(tmp_path: Path) -> None:
    odd = statement("ALTER TABLE users FROBNICATE", line=2)
    assert said(tmp_path, statement("DROP TABLE a"), odd, statement("DROP TABLE b", line=3)) == [
        (1, "drop-table"),
        (3, "drop-table"),
    ]


def test_its_own_settings_are_heeded(tmp_path: Path) -> None:
    (tmp_path / ".squawk.toml").write_text('excluded_rules = ["ban-drop-table"]\n')
    assert said(tmp_path, statement("DROP TABLE a")) == []


def test_a_program_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"squawk could not be run: .*its rules were not applied"):
        squawk.lint(tmp_path / "nowhere", [statement("DROP TABLE a")], 18, tmp_path)
    broken = tmp_path / "squawk"
    broken.write_text("#!/bin/sh\necho out of order >&2\nexit 7\n")
    broken.chmod(0o755)
    with pytest.raises(ConfigurationError, match="squawk could not be run: out of order"):
        squawk.lint(broken, [statement("DROP TABLE a")], 18, tmp_path)
