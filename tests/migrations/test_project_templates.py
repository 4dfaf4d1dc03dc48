"""Projects as `alembic init` writes them, from the settings to the models, on real servers."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.migrations import scratch, server
from app.migrations.errors import ConfigurationError, MigrationError, Refused
from app.migrations.programs import find_server_programs, installed
from app.migrations.project import open_project
from tests.migrations.layouts import Layout, ask, engine, tables, upgrade, upgrades

pytestmark = pytest.mark.slow
ASYNCHRONOUS = [name for name in ("asyncpg", "psycopg") if find_spec(name) and find_spec("greenlet")]
MODELS = """
from sqlalchemy import Column, Integer, MetaData, Table
metadata = MetaData()
for name in {names}:
    Table(name, metadata, Column("a", Integer))
"""


def started(folder: Path, template: str, url: str = "postgresql://app:secret@nowhere.invalid/app") -> Layout:
    """A project that Alembic's own command made, with models and two revisions."""
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-m", "alembic", "init", "-t", template, "migrations"],
        cwd=folder, capture_output=True, check=True,
    )  # fmt: skip
    layout = Layout(folder, "", "")
    ini = (folder / "alembic.ini").read_text()
    layout.write("alembic.ini", ini.replace("driver://user:pass@localhost/dbname", url))
    env = (folder / "migrations/env.py").read_text()
    layout.write(
        "migrations/env.py",
        env.replace("target_metadata = None", "from models import metadata\ntarget_metadata = metadata"),
    )
    layout.write("models.py", MODELS.format(names=["t_a1", "t_b2"]))
    layout.revision("a1", folder="migrations/versions")
    layout.revision("b2", "a1", folder="migrations/versions", imports="import models")
    return layout


@pytest.mark.parametrize("template", ["generic", "pyproject"])
@pytest.mark.parametrize("plain_env", [False, True], ids=["env.py", "plain"])
def test_a_project_as_alembic_begins_it(tmp_path: Path, database: str, template: str, plain_env: bool) -> None:
    layout = started(tmp_path / "shop", template)
    with open_project(layout.folder, plain_env=plain_env) as project, engine(database).connect() as connection:
        project.run(connection, upgrades(project))
        assert project.models(connection) == (None if plain_env else ())
    assert tables(database) == {"t_a1", "t_b2"}


@pytest.mark.parametrize("template", ["async", "pyproject_async"])
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_an_asynchronous_project(tmp_path: Path, database: str, template: str, driver: str) -> None:
    layout = started(tmp_path / "shop", template, f"postgresql+{driver}://app:secret@nowhere.invalid/app")
    with open_project(layout.folder) as project:
        if driver in ASYNCHRONOUS:
            assert upgrade(project, database) == [["a1"], ["b2"]]
        else:
            with pytest.raises(MigrationError, match=rf"{driver}|greenlet") as error:
                upgrade(project, database)
            assert "--plain-env" in error.value.hint
    assert tables(database) == ({"t_a1", "t_b2"} if driver in ASYNCHRONOUS else set())


def test_a_project_of_several_databases_is_refused(tmp_path: Path, database: str) -> None:
    layout = started(tmp_path / "shop", "multidb")
    with open_project(layout.folder) as project, pytest.raises(Refused, match="several databases"):
        upgrade(project, database)
    assert tables(database) == set()


DIRECT = """
import asyncio
from alembic import context
{}
raise AssertionError("it connected")
"""
CALLS = {
    "psycopg": "import psycopg\npsycopg.connect('dbname=template1')",
    "psycopg, its class": "import psycopg\npsycopg.Connection.connect('dbname=template1')",
    "asyncpg": "import asyncpg\nasyncio.run(asyncpg.connect('postgresql:///template1'))",
    "asyncpg, a pool": "import asyncpg\nasyncio.run(asyncpg.create_pool('postgresql:///template1'))",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_another_driver_connects_through_sqlalchemy_alone(tmp_path: Path, database: str, call: str) -> None:
    driver = call.split()[1]
    if find_spec(driver) is None:
        pytest.skip(f"{driver} is not installed")
    Layout(tmp_path, DIRECT.format(call)).revision("a1")
    with open_project(tmp_path) as project, pytest.raises(Refused, match=f"connects through {driver} by itself"):
        upgrade(project, database)


def test_three_projects_laid_out_differently_one_after_the_other(
    tmp_path: Path, database: str, scratch_admin: str
) -> None:
    arrange: list[Callable[[Path], tuple[Path, dict[str, object]]]] = [_packaged, _with_sections, _bare]
    for number, one in enumerate(arrange):
        folder, options = one(tmp_path / f"project{number}")
        with scratch.database(scratch_admin) as url, open_project(folder, **options) as project:  # type: ignore[arg-type]
            upgrade(project, url)
            assert dict(project.skipped) == {}
            assert len(tables(url)) == len(project.history) == 2
            with engine(url).connect() as connection:
                assert project.models(connection) in {None, ()}
    assert tables(database) == set()


def _packaged(folder: Path) -> tuple[Path, dict[str, object]]:
    """An application in src/, whose package holds the migrations, and whose env.py reads its own settings."""
    layout = Layout(folder, "", "[alembic]\nscript_location = app.db:migrations\nprepend_sys_path = src\n")
    layout.write("src/app/__init__.py", "")
    layout.write("src/app/settings.py", "import os\nURL = os.environ.get('DATABASE_URL', 'postgresql://prod/app')\n")
    layout.write("src/app/db/__init__.py", "")
    layout.write("src/app/models.py", MODELS.format(names=["t_a1", "t_b2"]))
    layout.write("src/app/db/migrations/env.py", """
from alembic import context
from sqlalchemy import create_engine
from app.models import metadata
from app.settings import URL
with create_engine(URL).begin() as connection:
    context.configure(connection=connection, target_metadata=metadata)
    context.run_migrations()
""")  # fmt: skip
    layout.revision("a1", folder="src/app/db/migrations/versions", imports="from app.models import metadata")
    layout.revision("b2", "a1", folder="src/app/db/migrations/versions")
    return folder, {}


def _with_sections(folder: Path) -> tuple[Path, dict[str, object]]:
    """Two histories in one file, several folders, branches that meet nowhere."""
    layout = Layout(folder, ini="[other]\nscript_location = %(here)s/other\nrecursive_version_locations = true\n")
    (folder / "alembic/env.py").rename(layout.write("other/env.py", ""))
    layout.revision("a1", folder="other/versions/one", labels=("left",))
    layout.revision("b2", folder="other/versions/two", depends="left")
    return folder, {"section": "other"}


def _bare(folder: Path) -> tuple[Path, dict[str, object]]:
    """Settings in pyproject.toml, an env.py that cannot be imported, revisions that import what is not there."""
    layout = Layout(folder, "import shop_that_is_not_there", "")
    layout.write("pyproject.toml", '[tool.alembic]\nscript_location = "alembic"\n')
    layout.revision("a1", imports="from app.models import User")
    layout.revision("b2", "a1")
    return folder, {"plain_env": True, "stub_imports": True}


@pytest.fixture
def with_contrib(tmp_path: Path) -> Iterator[str]:
    """The URL of a private server made of the programs of an installed PostgreSQL, which brings its extensions."""
    folder = installed()
    if not folder:
        pytest.skip("no PostgreSQL is installed beside the one in the wheel")
    home = tmp_path / "served"
    home.mkdir()
    yield scratch.admin_url(home, scratch.EMBEDDED, folder, find_server_programs(folder).major)
    server.stop_all(home)


def test_an_extension_that_the_embedded_server_lacks_is_there_with_installed_programs(
    tmp_path: Path, database: str, with_contrib: str
) -> None:
    layout = Layout(tmp_path / "shop")
    layout.revision("a1", up="op.execute('CREATE EXTENSION citext')\n    op.execute('CREATE TABLE t_a1 (a citext)')")
    with open_project(layout.folder) as project, scratch.database(with_contrib) as url:
        with engine(database).connect() as connection, pytest.raises(Exception, match="citext") as failure:
            project.run(connection, upgrades(project))
        message, hint = project.explain(failure.value)
        assert 'the extension "citext" is not on the server of the scratch databases' in message
        assert f"PG_BIN={installed()} (an installed PostgreSQL" in hint
        upgrade(project, url)
        assert ask(url, "SELECT extname FROM pg_extension WHERE extname = 'citext'") == ["citext"]


def test_an_env_py_that_is_not_there_is_named(tmp_path: Path, database: str) -> None:
    Layout(tmp_path, env="").revision("a1")
    with open_project(tmp_path) as project, pytest.raises(ConfigurationError, match=r"alembic/env\.py"):
        upgrade(project, database)
