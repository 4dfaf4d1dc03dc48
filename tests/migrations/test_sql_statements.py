"""Text of pg_dump, taken apart."""

import pytest

from app.migrations.sql_statements import split

CASES = {
    "one statement": ("SELECT 1;", ["SELECT 1"]),
    "several lines": ("CREATE TABLE a (\n  b int\n);\n\nSELECT 2;\n", ["CREATE TABLE a (\n  b int\n)", "SELECT 2"]),
    "comments between": ("--\n-- Name: a; Type: TABLE\n--\n\nSELECT 1;\n-- end;\n", ["SELECT 1"]),
    "a comment within": ("SELECT 1 -- a; b\n, 2; SELECT 3;", ["SELECT 1 -- a; b\n, 2", "SELECT 3"]),
    "a comment in a comment": ("SELECT /* c; /* d; */ e; */ 3; END", ["SELECT /* c; /* d; */ e; */ 3", "END"]),
    "a quoted semicolon": ("SELECT 'a;''b;', E'c\\';', \";\"\";\";", ["SELECT 'a;''b;', E'c\\';', \";\"\";\""]),
    "a backslash at the end of a plain string": (r"SELECT 'a\'; SELECT 2;", [r"SELECT 'a\'", "SELECT 2"]),
    "a dollar-quoted body": ("DO $_$ a; $$ b; $$ $_$; SELECT $1;", ["DO $_$ a; $$ b; $$ $_$", "SELECT $1"]),
    "a dollar in a name": ("SELECT a$b$; SELECT c$b$;", ["SELECT a$b$", "SELECT c$b$"]),
    "a body in the standard's form": (
        "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END; SELECT 3;",
        ["CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END", "SELECT 3"],
    ),
    "a transaction": ("BEGIN; SELECT 1; END;", ["BEGIN", "SELECT 1", "END"]),
    "psql's own commands": ("\\restrict abc\n\nSELECT 1;\n\n\\unrestrict abc\n", ["SELECT 1"]),
    "nothing": ("-- nothing\n", []),
    "no semicolon at the end": ("SELECT 1", ["SELECT 1"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_statements_are_taken_apart(case: str) -> None:
    text, statements = CASES[case]
    assert list(split(text)) == statements
