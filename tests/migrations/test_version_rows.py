"""Our version rows beside Alembic's own: the same statements, and the same refusal."""

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.runtime import migration
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

from app.migrations import scratch, version_rows
from tests.migrations.projects import Project

ODD = "50%"
WALK = (("upgrade", "heads"), ("downgrade", "base"), ("upgrade", "heads"), ("stamp", "a"), ("stamp", "heads"))


@pytest.fixture
def branched(tmp_path: Path) -> Path:
    """A history that begins, parts, joins again, and has a second base."""
    project = Project(tmp_path)
    project.revision("a")
    project.revision("b", parents="a")
    project.revision(ODD, parents="a")
    project.revision("m", parents=("b", ODD))
    project.revision("second")
    return tmp_path


def written(folder: Path, engine: Engine, walk: Sequence[tuple[str, str]]) -> list[str]:
    """Return what reached the driver of everything that names the version table, with its values filled in."""
    seen: list[str] = []

    def note(_: object, cursor: object, statement: str, values: object, *__: object) -> None:
        if "version_num" in statement and "CREATE" not in statement:
            seen.append(cursor.mogrify(statement, values).decode())  # type: ignore[attr-defined]

    event.listen(engine, "before_cursor_execute", note)
    for action, to in walk:
        with engine.connect() as connection:
            settings = Config(str(folder / "alembic.ini"))
            settings.set_main_option("script_location", str(folder / "alembic"))
            settings.attributes["connection"] = connection
            getattr(command, action)(settings, to)
    return seen


def test_the_statements_are_those_of_alembic(branched: Path, scratch_admin: str) -> None:
    both = []
    for manner in (nullcontext(), version_rows.written_directly()):
        with scratch.database(scratch_admin) as url, manner:
            both.append(written(branched, create_engine(url, poolclass=NullPool), WALK[:3]))
    assert len(both[0]) > 12
    unread = " RETURNING alembic_version.version_num"
    assert both[1] == [statement.removesuffix(unread) for statement in both[0]]


def test_a_row_that_is_gone_is_told(branched: Path, database: str) -> None:
    engine = create_engine(database, poolclass=NullPool)
    written(branched, engine, [("upgrade", "a")])
    path = branched / "alembic/versions/b_x.py"
    path.write_text(path.read_text().replace("pass", 'op.execute("DELETE FROM alembic_version")', 1))
    with version_rows.written_directly(), pytest.raises(CommandError, match="expected to match one row when updating"):
        written(branched, engine, [("upgrade", "b")])
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "a"


def test_alembic_has_its_own_class_back_afterwards() -> None:
    theirs = migration.HeadMaintainer
    with suppress(ZeroDivisionError), version_rows.written_directly():
        assert migration.HeadMaintainer is version_rows.VersionRows
        raise ZeroDivisionError
    assert migration.HeadMaintainer is theirs
