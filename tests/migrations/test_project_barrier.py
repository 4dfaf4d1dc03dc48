"""An env.py or a revision that wants to reach another database: it does not, whatever way it tries."""

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import psycopg2
import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool, QueuePool

from app.migrations import scratch
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.project import open_project
from tests.migrations.layouts import HANDED, INI, RUN, Layout, ask, emptied, engine, tables, upgrade, upgrades

TOUCH = 'exec_driver_sql("CREATE TABLE t_touched (a int)")'
CONNECTED = f"""
from alembic import context
from sqlalchemy import create_engine, engine_from_config, text
import os
with create_engine({{}}).connect() as connection:
    connection.{TOUCH}
{RUN}
"""
INSIDE = "import os\nfrom sqlalchemy import create_engine\n"
WAYS = {
    "DATABASE_URL of the process": CONNECTED.format("os.environ['DATABASE_URL']"),
    "a variable of any name": CONNECTED.format("os.environ['SHOP_DSN']"),
    "a URL that is written down": CONNECTED.format("'{production}'"),
    "a URL of another driver": CONNECTED.format("'{production}'.replace('+psycopg2', '')"),
    "a database of another kind": CONNECTED.format("'sqlite:///production.db'"),
    "arguments that name the server": CONNECTED.format(
        "'postgresql+psycopg2://', connect_args={'dbname': '{name}', 'host': '{host}', 'sslmode': 'require'}"
    ),
    "a function of its own, with psycopg2": CONNECTED.format(
        "'postgresql+psycopg2://', creator=lambda: __import__('psycopg2').connect('{dsn}')"
    ),
    "an engine that was there before": CONNECTED.replace("create_engine({})", "__import__('held').engine"),
    "an engine of a module": CONNECTED.replace("create_engine({})", "__import__('shop_engine').engine"),
    "psycopg2 alone": f"""
import psycopg2
with psycopg2.connect("{{dsn}}") as made, made.cursor() as cursor:
    cursor.execute("CREATE TABLE t_touched (a int)")
made.close()
{HANDED}
""",
    "a program that is started": f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", \"\"\"
import os, psycopg2
for dsn in (os.environ["SHOP_DSN"].replace("+psycopg2", ""), ""):
    with psycopg2.connect(dsn) as made, made.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS t_touched (a int)")
\"\"\"], check=True)
{HANDED}
""",
}


@pytest.fixture(scope="module")
def shared(scratch_admin: str) -> Iterator[str]:
    with scratch.database(scratch_admin) as url:
        yield url


@pytest.fixture(scope="module")
def production(scratch_admin: str) -> Iterator[str]:
    with scratch.database(scratch_admin) as url:
        yield url


@pytest.fixture
def database(shared: str, production: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty scratch database, in a process all of whose variables name another one."""
    ask(emptied(production), "CREATE TABLE t_sacred (a int)")
    there = make_url(production)
    for name in ("DATABASE_URL", "SHOP_DSN"):
        monkeypatch.setenv(name, production)
    monkeypatch.setenv("PGDATABASE", str(there.database))
    monkeypatch.setenv("PGHOST", str(there.query["host"]))
    monkeypatch.setenv("PGUSER", str(there.username))
    return emptied(shared)


@pytest.fixture
def held(production: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module that was loaded before, with an engine that has connected already."""
    module = ModuleType("held")
    pooled = create_engine(production, poolclass=QueuePool)
    module.engine = pooled  # type: ignore[attr-defined]
    pooled.connect().close()
    monkeypatch.setitem(sys.modules, "held", module)
    yield module
    pooled.dispose()


def arranged(folder: Path, production: str, env: str) -> Layout:
    there = make_url(production)
    dsn = f"dbname={there.database} host={there.query['host']} user={there.username}"
    text = env.replace("{production}", production).replace("{dsn}", dsn).replace("{name}", str(there.database))
    layout = Layout(folder, text.replace("{host}", str(there.query["host"])), f"{INI}sqlalchemy.url = x\n")
    layout.write(
        "shop_engine.py", f"from sqlalchemy import create_engine\nengine = create_engine({production!r}, pool_size=3)\n"
    )
    return layout


@pytest.mark.parametrize("env", WAYS.values(), ids=WAYS.keys())
@pytest.mark.usefixtures("held")
def test_whatever_env_py_connects_to_is_the_scratch_database(
    tmp_path: Path, database: str, production: str, env: str
) -> None:
    arranged(tmp_path, production, env).revision("a1")
    before = dict(os.environ)
    with open_project(tmp_path) as project:
        upgrade(project, database)
    assert (tables(production), tables(database)) == ({"t_sacred"}, {"t_touched", "t_a1"})
    assert dict(os.environ) == before
    assert not (tmp_path / "production.db").exists()


REVISIONS = {
    "an engine of its own": f"""with create_engine(os.environ["SHOP_DSN"]).begin() as own:
        own.{TOUCH}""",
    "an engine of a module": f"""with __import__("shop_engine").engine.begin() as own:
        own.{TOUCH}""",
    "a session": f"""from sqlalchemy.orm import sessionmaker
    with sessionmaker(create_engine("{{production}}"))() as session:
        session.connection().{TOUCH}
        session.commit()""",
}


@pytest.mark.parametrize("up", REVISIONS.values(), ids=REVISIONS.keys())
@pytest.mark.parametrize("plain_env", [False, True], ids=["env.py", "plain"])
def test_whatever_a_revision_connects_to_is_the_scratch_database(
    tmp_path: Path, database: str, production: str, up: str, plain_env: bool
) -> None:
    layout = arranged(tmp_path, production, HANDED)
    layout.revision("a1", up=up.replace("{production}", production), imports=INSIDE)
    with open_project(tmp_path, plain_env=plain_env) as project:
        upgrade(project, database)
    assert (tables(production), tables(database)) == ({"t_sacred"}, {"t_touched"})


def test_a_pool_of_the_project_follows_from_one_scratch_database_to_the_next(
    tmp_path: Path, database: str, production: str, scratch_admin: str
) -> None:
    env = CONNECTED.replace("create_engine({})", "__import__('shop_engine').engine")
    arranged(tmp_path, production, env).revision("a1")
    with open_project(tmp_path) as project, scratch.database(scratch_admin) as second:
        for url in (database, second):
            upgrade(project, url)
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            assert ask(url, f"SELECT count(*) FROM pg_stat_activity WHERE {others}") == [0]
            assert tables(url) == {"t_a1", "t_touched"}


def test_our_own_connections_are_not_led_elsewhere(tmp_path: Path, database: str, production: str) -> None:
    layout = arranged(tmp_path, production, HANDED)
    layout.revision("a1")
    layout.revision("b2", "a1")
    seen = []
    with open_project(tmp_path) as project, engine(database).connect() as connection:
        ours = create_engine(production, poolclass=NullPool)
        project.run(connection, upgrades(project, lambda _: seen.append(ask_over(ours.connect()))))
    assert seen == [make_url(production).database] * 2


def ask_over(connection: object) -> object:
    with connection as open_one:  # type: ignore[attr-defined]
        with psycopg2.connect("") as made, made.cursor() as cursor:  # libpq's variables are ours again, too
            cursor.execute("SELECT current_database()")
            assert cursor.fetchone() == (open_one.exec_driver_sql("SELECT current_database()").scalar(),)
        made.close()
        return open_one.exec_driver_sql("SELECT current_database()").scalar()


@pytest.mark.parametrize("begun", ["", "connection.begin()"], ids=["at rest", "in a transaction"])
def test_a_connection_to_another_database_that_env_py_comes_by_is_not_migrated_on(
    tmp_path: Path, database: str, production: str, held: ModuleType, begun: str
) -> None:
    env = HANDED.replace('context.config.attributes["connection"]', f"__import__('held').connection\n{begun}")
    arranged(tmp_path, production, env).revision("a1")
    held.connection = held.engine.connect()  # type: ignore[attr-defined]
    refused = pytest.raises(Refused, match="is not the scratch database")
    with held.connection, open_project(tmp_path) as project, refused:
        upgrade(project, database)
    everything = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert ask(production, everything) == ["t_sacred"]


def test_an_engine_of_another_kind_that_was_there_before_is_refused(
    tmp_path: Path, database: str, production: str, held: ModuleType
) -> None:
    held.engine = create_engine(f"sqlite:///{tmp_path}/production.db")  # type: ignore[attr-defined]
    env = CONNECTED.replace("create_engine({})", "__import__('held').engine")
    arranged(tmp_path, production, env).revision("a1")
    refused = pytest.raises(Refused, match="connects to a sqlite database; a scratch database is PostgreSQL")
    with open_project(tmp_path) as project, refused:
        upgrade(project, database)
    assert not (tmp_path / "production.db").exists()


@pytest.mark.parametrize("how", ["psycopg2.connect('{dsn}')", "create_engine('{production}').connect()"])
def test_a_revision_that_connects_as_it_is_imported_is_skipped(
    tmp_path: Path, database: str, production: str, how: str
) -> None:
    there = make_url(production)
    dsn = f"dbname={there.database} host={there.query['host']}"
    layout = arranged(tmp_path, production, HANDED)
    code = how.replace("{dsn}", dsn).replace("{production}", production)
    layout.revision("a1")
    layout.revision("b2", "a1", imports=f"import psycopg2\nfrom sqlalchemy import create_engine\n{code}")
    with open_project(tmp_path) as project:
        (skipped,) = project.skipped.values()
    assert "connects to a database while it is imported" in skipped.message
    assert skipped.message.startswith("alembic/versions/b2_x.py:4: ")


@pytest.mark.parametrize("url", ["'postgresql+asyncpg://u@h/d'", "'postgresql+asyncpg://u@h/d', pool_size=1"])
def test_a_driver_that_is_missing_is_named_with_the_way_out(
    tmp_path: Path, database: str, production: str, url: str
) -> None:
    if find_spec("asyncpg"):
        pytest.skip("asyncpg is installed")
    arranged(tmp_path, production, CONNECTED.replace("{}", url)).revision("a1")
    with open_project(tmp_path) as project, pytest.raises(Refused) as error:
        upgrade(project, database)
    assert error.value.message == (
        "the project connects through postgresql+asyncpg, and its driver asyncpg is not installed; no revision was run"
    )
    assert "--plain-env" in error.value.hint


def test_an_asynchronous_environment_without_its_libraries_is_refused_with_the_way_out(
    tmp_path: Path, database: str, production: str
) -> None:
    if find_spec("greenlet"):
        pytest.skip("greenlet is installed")
    arranged(tmp_path, production, f"from sqlalchemy.ext.asyncio import create_async_engine\n{HANDED}").revision("a1")
    with open_project(tmp_path) as project, pytest.raises(ConfigurationError, match="greenlet") as error:
        upgrade(project, database)
    assert "--plain-env" in error.value.hint
    with open_project(tmp_path, plain_env=True) as project:
        assert upgrade(project, database) == [["a1"]]
