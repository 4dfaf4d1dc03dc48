"""A project's own rows for one revision."""

from pathlib import Path

import pytest

from app.migrations.sample import Sampler
from tests.migrations.chains import ask
from tests.migrations.samples import connected, count

INSERTS = """import sqlalchemy as sa

def rows(connection):
    connection.execute(sa.text('INSERT INTO t VALUES (3)'))
"""


@pytest.fixture
def folder(tmp_path: Path, database: str) -> Path:
    ask(database, "CREATE TABLE t (a int NOT NULL)")
    (tmp_path / "tests/data").mkdir(parents=True)
    return tmp_path / "tests/data"


def run(folder: Path, url: str) -> list[tuple[str, str]]:
    with connected(url) as connection:
        found = Sampler(root=folder.parents[1]).own_rows(connection, "a1")
        assert not connection.in_transaction()
    return [(where, reason) for where, reason in found]


def test_a_revision_without_files_has_none(folder: Path, database: str) -> None:
    (folder / "a2.sql").write_text("INSERT INTO t VALUES (1)")
    assert run(folder, database) == []
    with connected(database) as connection:
        assert Sampler().own_rows(connection, "a2") == ()
    assert count(database, "t") == 0


def test_sql_and_python_both_run_and_are_kept(folder: Path, database: str) -> None:
    (folder / "a1.sql").write_text("INSERT INTO t VALUES (1); -- 50%\nINSERT INTO t\nVALUES (2)")
    (folder / "a1.py").write_text(INSERTS)
    assert run(folder, database) == []
    assert count(database, "t") == 3


def test_sql_that_fails_is_undone_and_named_with_its_line(folder: Path, database: str) -> None:
    (folder / "a1.sql").write_text("INSERT INTO t VALUES (1);\nSELECT 'é';\nINSERT INTO gone VALUES (2);\n")
    assert run(folder, database) == [("tests/data/a1.sql:3", 'UndefinedTable: relation "gone" does not exist')]
    assert count(database, "t") == 0


def test_python_that_fails_is_undone_and_named_with_its_line(folder: Path, database: str) -> None:
    (folder / "a1.py").write_text(
        INSERTS + "    connection.execute(\n        sa.text('INSERT INTO t VALUES (NULL)'))\n"
    )
    ((where, reason),) = run(folder, database)
    assert where == "tests/data/a1.py:5"
    assert reason == 'NotNullViolation: null value in column "a" of relation "t" violates not-null constraint'
    assert count(database, "t") == 0


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("x = 1\n", 1, "LookupError: there is no function rows(connection) in it"),
        ("\n\ndef rows(:\n", 3, "SyntaxError: "),
        ("\nimport nowhere_to_be_found\n", 2, "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    ],
    ids=["no function", "bad syntax", "a missing module"],
)
def test_a_file_that_cannot_run_is_named(folder: Path, database: str, source: str, line: int, reason: str) -> None:
    (folder / "a1.py").write_text(source)
    ((where, said),) = run(folder, database)
    assert where == f"tests/data/a1.py:{line}"
    assert said.startswith(reason)


def test_a_file_may_take_prepared_statements_away(folder: Path, database: str) -> None:
    (folder / "a1.sql").write_text("DEALLOCATE ALL")
    sampler = Sampler(root=folder.parents[1])
    with connected(database) as connection:
        assert sampler.fill(connection) == ()
        assert sampler.own_rows(connection, "a1") == ()
        ask(database, "CREATE TABLE u (a int NOT NULL)")
        assert sampler.fill(connection) == ()
    assert count(database, "u") == 20
