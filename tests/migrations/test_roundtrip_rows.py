from pathlib import Path

import pytest

from app.migrations.roundtrip_rows import Rows
from tests.migrations.chains import ask
from tests.migrations.samples import connected, count

FAILS = """import sqlalchemy as sa

def rows(connection):
    connection.execute(sa.text('INSERT INTO t VALUES (-1)'))
    raise ValueError('no')
"""


@pytest.fixture
def folder(tmp_path: Path, database: str) -> Path:
    ask(database, "CREATE TABLE t (a int NOT NULL)")
    (tmp_path / "tests/data").mkdir(parents=True)
    return tmp_path


def test_what_is_filled_and_measured_is_committed_and_the_session_idle(folder: Path, database: str) -> None:
    with connected(database) as connection:
        rows = Rows(connection, 5, 0, folder)
        assert rows.fill(None) == ()
        rows.hold(None, ["public.t"])
        assert (rows.any, count(database, "t"), connection.in_transaction()) == (True, 5, False)
        ask(database, "DROP TABLE t")  # would wait for a session that still reads it


def test_rows_of_the_projects_own_that_fail_are_undone_after_a_filling(folder: Path, database: str) -> None:
    (folder / "tests/data/a1.py").write_text(FAILS)
    with connected(database) as connection:
        rows = Rows(connection, 5, 0, folder)
        rows.fill(None)
        assert [reason for _, reason in rows.own("a1")] == ["ValueError: no"]
    assert count(database, "t") == 5


def test_without_rows_nothing_is_filled(folder: Path, database: str) -> None:
    with connected(database) as connection:
        assert Rows(connection, 0, 0, folder).fill(None) == ()
    assert count(database, "t") == 0
