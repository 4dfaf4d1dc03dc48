"""Projects as they are found: each env.py and each layout runs on the database that is given, step by step."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from alembic.runtime.migration import MigrationContext, MigrationStep

from app.migrations import scratch
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.project import open_project
from tests.migrations.layouts import (
    FROM_CONFIG,
    HANDED,
    INI,
    RUN,
    Layout,
    ask,
    emptied,
    engine,
    tables,
    upgrade,
    upgrades,
)

ENGINE = FROM_CONFIG.partition("with connectable")[0]
ENVIRONMENTS = {
    "a connection that is handed in": HANDED,
    "sqlalchemy.url through engine_from_config": FROM_CONFIG,
    "sqlalchemy.url through get_main_option": f"""
from alembic import context
from sqlalchemy import create_engine
with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
{RUN}
""",
    "an engine or what is handed in, as pytest-alembic has it": ENGINE.replace(
        "connectable = engine_from_config(", "connectable = config.attributes.get('connection') or engine_from_config("
    )
    + f"with connectable.connect() as connection:\n{RUN}",
    "a URL with percent signs, put into the settings": f"""
import os
from alembic import context
from sqlalchemy import engine_from_config
context.config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"])
with engine_from_config(context.config.get_section("alembic"), prefix="sqlalchemy.").connect() as connection:
{RUN}
""",
    "a transaction around everything": f"{ENGINE}with connectable.begin() as connection:\n{RUN}",
    "a statement before configure, and no commit": f"""{ENGINE}
from sqlalchemy import text
with connectable.connect() as connection:
    connection.execute(text("SET lock_timeout = '4s'"))
{RUN}
""",
    "one transaction after configure": f"""{ENGINE}
with connectable.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=False)
    with connection.begin():
        context.run_migrations()
""",
    "an engine in autocommit": ENGINE.replace("poolclass=", "isolation_level='AUTOCOMMIT', poolclass=")
    + f"with connectable.connect() as connection:\n{RUN}",
    "no question whether it is offline": f"""{ENGINE}
def run_migrations_offline():
    raise AssertionError("offline")
def run_migrations_online():
    with connectable.connect() as connection:
{RUN.replace("    ", "        ")}
run_migrations_online()
""",
}


@pytest.fixture(scope="module")
def shared(scratch_admin: str) -> Iterator[str]:
    with scratch.database(scratch_admin) as url:
        yield url


@pytest.fixture
def database(shared: str) -> str:
    """An empty database: emptying one is faster than making one."""
    return emptied(shared)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "project"


@pytest.mark.parametrize("env", ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
def test_each_step_is_really_there_before_the_next_is_asked_for(place: Path, database: str, env: str) -> None:
    layout = Layout(place, env, INI + "sqlalchemy.url = postgresql://nobody:secret@nowhere.invalid/nothing\n")
    layout.revision("a1")
    layout.revision("b2", "a1")
    with open_project(place) as project:
        assert upgrade(project, database) == [["a1"], ["b2"]]
    assert tables(database) == {"t_a1", "t_b2"}


def test_the_way_down_runs_too(place: Path, database: str) -> None:
    layout = Layout(place, FROM_CONFIG)
    layout.revision("a1")
    layout.revision("b2", "a1")

    def down(heads: tuple[str, ...], _: MigrationContext) -> Iterator[MigrationStep]:
        for step in project.script._downgrade_revs("base", cast("str", heads)):
            yield step
            found.append(tables(database))

    found: list[set[object]] = []
    with open_project(place) as project:
        upgrade(project, database)
        with engine(database).connect() as connection:
            project.run(connection, down)
    assert found == [{"t_a1"}, set()]


def settings_in_toml(layout: Layout) -> None:
    (layout.folder / "alembic.ini").unlink()
    layout.write("pyproject.toml", '[tool.alembic]\nscript_location = "%(here)s/alembic"\nprepend_sys_path = ["."]\n')
    layout.revision("a1")
    layout.revision("b2", "a1")


def several_locations(layout: Layout) -> None:
    layout.write("alembic.ini", f"{INI}version_locations = one{os.pathsep}%(here)s/two\n")
    layout.revision("a1", folder="one")
    layout.revision("b2", "a1", folder="two")


def folders_within(layout: Layout) -> None:
    layout.write("alembic.ini", f"{INI}recursive_version_locations = true\n")
    layout.revision("a1", folder="alembic/versions/2025")
    layout.revision("b2", "a1", folder="alembic/versions/2026/may")


def separated_by_spaces(layout: Layout) -> None:
    layout.write("alembic.ini", INI.replace("= os", "= space") + "version_locations = one two\n")
    layout.revision("a1", folder="one")
    layout.revision("b2", "a1", folder="two")


def separated_as_before_1_16(layout: Layout) -> None:
    layout.write("alembic.ini", INI.replace("path_separator = os\n", "version_locations = one two\n"))
    layout.revision("a1", folder="one")
    layout.revision("b2", "a1", folder="two")


def in_a_package(layout: Layout) -> None:
    layout.write("alembic.ini", INI.replace("= alembic", "= shop.db:migrations").replace("= .", "= src"))
    layout.write("src/shop/__init__.py", "raise RuntimeError('importing it starts the shop')")
    layout.write("src/shop/db/migrations/env.py", HANDED)
    layout.revision("a1", folder="src/shop/db/migrations/versions")
    layout.revision("b2", "a1", folder="src/shop/db/migrations/versions")


def labelled(layout: Layout) -> None:
    layout.revision("a1", labels=("shop",))
    layout.revision("b2", "a1", imports="import b2_marker")
    layout.write("b2_marker.py", "")


LAYOUTS = [
    settings_in_toml, several_locations, folders_within, separated_by_spaces, separated_as_before_1_16, in_a_package,
    labelled,
]  # fmt: skip


@pytest.mark.parametrize("arrange", LAYOUTS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("plain_env", [False, True], ids=["env.py", "plain"])
def test_revisions_are_found_where_alembic_finds_them(
    place: Path, database: str, arrange: Callable[[Layout], None], plain_env: bool
) -> None:
    arrange(Layout(place))
    with open_project(place, plain_env=plain_env) as project:
        assert (upgrade(project, database), dict(project.skipped)) == ([["a1"], ["b2"]], {})


def test_branches_several_bases_and_depends_on_are_walked(place: Path, database: str) -> None:
    layout = Layout(place)
    layout.revision("a1")
    layout.revision("b1", "a1", labels=("left",))
    layout.revision("b2", "a1")
    layout.revision("c1", None, depends="b1")
    layout.revision("d1", ("b2", "b1"))
    with open_project(place) as project:
        rows = upgrade(project, database)
        assert (sorted(project.history.version_rows), rows[-1]) == (["c1", "d1"], ["c1", "d1"])
    assert tables(database) == {"t_a1", "t_b1", "t_b2", "t_c1", "t_d1"}


def test_a_section_of_its_own_has_its_own_history(place: Path, database: str) -> None:
    layout = Layout(place, ini=INI + INI.replace("[alembic]", "[other]").replace("= alembic", "= other"))
    layout.write("other/env.py", HANDED)
    layout.revision("a1")
    layout.revision("z9", folder="other/versions")
    with open_project(place, section="other") as project:
        assert (project.section, upgrade(project, database)) == ("other", [["z9"]])


def test_settings_elsewhere_bring_their_own_folder(place: Path, tmp_path: Path, database: str) -> None:
    layout = Layout(place)
    layout.revision("a1")
    with open_project(tmp_path, config=place / "alembic.ini") as project:
        assert (project.root, upgrade(project, database)) == (place.resolve(), [["a1"]])


def test_settings_below_the_root_count_from_the_root(place: Path, database: str) -> None:
    layout = Layout(place, ini="")
    layout.write("backend/alembic.ini", INI.replace("= alembic", "= backend/db"))
    layout.write("backend/db/env.py", HANDED)
    layout.revision("a1", folder="backend/db/versions")
    with open_project(place, config=Path("backend/alembic.ini")) as project:
        assert (project.root, upgrade(project, database)) == (place.resolve(), [["a1"]])


@pytest.mark.parametrize("schema", [None, "meta"])
def test_the_version_table_may_have_a_name_and_a_schema(place: Path, database: str, schema: str | None) -> None:
    ask(database, "CREATE SCHEMA meta")
    words = f"version_table='revisions_of', version_table_schema={schema!r}, render_as_batch=True"
    Layout(place, HANDED.replace("target_metadata=None", words)).revision("a1")
    with open_project(place) as project:
        assert project.version_table == (None, "alembic_version")
        assert upgrade(project, database) == [["a1"]]
        assert project.version_table == (schema, "revisions_of")


def test_what_env_py_sets_for_its_session_holds_in_every_step(place: Path, database: str) -> None:
    ask(database, "CREATE SCHEMA side")
    env = FROM_CONFIG.replace(
        "as connection:\n", 'as connection:\n    connection.exec_driver_sql("SET search_path TO side, public")\n'
    )
    layout = Layout(place, env)
    layout.revision("a1")
    layout.revision("b2", "a1")
    with open_project(place) as project:
        upgrade(project, database)
    where = "relnamespace = 'side'::regnamespace AND relkind = 'r'"
    assert ask(database, f"SELECT relname FROM pg_class WHERE {where} ORDER BY 1") == [
        "alembic_version",
        "t_a1",
        "t_b2",
    ]


def test_env_py_may_put_its_folder_on_the_path_that_revisions_need(place: Path, database: str) -> None:
    env = "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parents[1] / 'lib'))\n" + HANDED
    layout = Layout(place, env)
    layout.write("lib/shop_words.py", "WORD = 'late'")
    layout.revision("a1", imports="from shop_words import WORD")
    with open_project(place) as project:
        assert list(project.skipped) == ["a1"]
        assert upgrade(project, database) == [["a1"]]
        assert dict(project.skipped) == {}
    assert tables(database) == {"t_a1"}


def test_neither_logging_nor_print_is_touched(place: Path, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    ini = INI.replace("[alembic]", "[loggers]\nkeys=root\n[handlers]\nkeys=\n[formatters]\nkeys=\n[logger_root]\n"
                      "level=ERROR\nhandlers=\n[alembic]")  # fmt: skip
    env = FROM_CONFIG + "\nimport logging\nlogging.getLogger('ours').disabled = True\nlogging.root.handlers.clear()\n"
    Layout(place, env, ini).revision("a1", up="print('the migration speaks')", imports="print('it is imported')")
    ours, handlers, level = logging.getLogger("ours"), logging.root.handlers[:], logging.root.level
    with open_project(place) as project:
        upgrade(project, database)
    assert (ours.disabled, logging.root.handlers, logging.root.level) == (False, handlers, level)
    assert capsys.readouterr().out == ""


def test_the_plain_environment_executes_no_env_py_and_offers_what_migrations_use(place: Path, database: str) -> None:
    layout = Layout(place, "raise AssertionError('env.py was executed')", INI + "greeting = hello\n")
    up = """assert context.config.get_main_option("greeting") == "hello"
    assert context.get_x_argument(as_dictionary=True) == {}
    assert op.get_context().opts["target_metadata"] is None
    assert op.get_bind().scalar(sa.text("SELECT 1")) == 1
    op.create_table("t_a1", sa.Column("a", sa.Integer))"""
    layout.revision("a1", imports="from alembic import context", up=up)
    with open_project(place, plain_env=True) as project, engine(database).connect() as connection:
        project.run(connection, upgrades(project))
        assert project.models(connection) is None
    assert tables(database) == {"t_a1"}


def test_models_are_compared_with_the_filters_of_env_py(place: Path, database: str) -> None:
    env = "import shop_models\n" + HANDED.replace(
        "target_metadata=None",
        "target_metadata=shop_models.metadata, include_object=lambda one, name, *_: name != 't_hidden'",
    )
    layout = Layout(place, env)
    layout.write(
        "shop_models.py",
        "from sqlalchemy import Column, Integer, MetaData, Table\nmetadata = MetaData()\n"
        "for name in ('t_a1', 't_new', 't_hidden'):\n    Table(name, metadata, Column('a', Integer))\n",
    )
    layout.revision("a1")
    with open_project(place) as project, engine(database).connect() as connection:
        project.run(connection, upgrades(project))
        assert project.models(connection) == ("table t_new is only in the models",)
        assert not connection.in_transaction()


def test_there_is_nothing_to_compare_without_models_or_with_several_heads(place: Path, database: str) -> None:
    layout = Layout(place)
    layout.revision("a1")
    with open_project(place) as project, engine(database).connect() as connection:
        project.run(connection, upgrades(project))
        assert project.models(connection) is None
    layout.revision("b2")
    with open_project(place) as project, engine(database).connect() as connection:
        assert project.models(connection) is None


MULTIDB = """
from alembic import context
for name in ("one", "two"):
    context.configure(connection=context.config.attributes["connection"], upgrade_token=f"{name}_upgrades")
    context.run_migrations(engine_name=name)
"""
LOOP = MULTIDB.replace(', upgrade_token=f"{name}_upgrades"', "").replace("engine_name=name", "")


@pytest.mark.parametrize(("env", "done"), [(MULTIDB, set()), (LOOP, {"t_a1"})], ids=["alembic's multidb", "a loop"])
def test_an_environment_of_several_databases_is_refused(place: Path, database: str, env: str, done: set[str]) -> None:
    Layout(place, env).revision("a1")
    with open_project(place) as project, pytest.raises(Refused, match="several databases") as refused:
        upgrade(project, database)
    assert "--plain-env" in refused.value.hint
    assert tables(database) == done


UNUSABLE = {
    "KeyError: 'SHOP_SECRET'": "import os\nos.environ['SHOP_SECRET']",
    "imports the module shop_engine, which is not there": "import shop_engine",
    "SystemExit: 3": "import sys\nsys.exit(3)",
    "did not call context.run_migrations": "from alembic import context",
}


@pytest.mark.parametrize(("said", "env"), UNUSABLE.items(), ids=UNUSABLE.keys())
def test_an_env_py_that_cannot_be_used_is_named_with_the_way_out(
    place: Path, database: str, said: str, env: str
) -> None:
    Layout(place, env).revision("a1")
    with open_project(place) as project, pytest.raises(ConfigurationError, match=said) as error:
        upgrade(project, database)
    assert error.value.message.startswith("alembic/env.py ")
    assert "--plain-env" in error.value.hint


def test_a_connection_in_a_transaction_is_no_ground_to_migrate_on(place: Path, database: str) -> None:
    Layout(place).revision("a1")
    with (
        open_project(place) as project,
        engine(database).begin() as connection,
        pytest.raises(ValueError, match="in a transaction"),
    ):
        project.run(connection, upgrades(project))


@pytest.mark.parametrize(
    ("parent", "said"), [("gone", "a parent that is not there"), ("b2", "runs in a circle")], ids=["missing", "circle"]
)
def test_a_broken_graph_is_refused_in_the_usual_words(place: Path, parent: str, said: str) -> None:
    layout = Layout(place)
    layout.revision("a1", parent)
    layout.revision("b2", "a1")
    with pytest.raises(ConfigurationError, match=said):
        open_project(place)
    layout.write("alembic/versions/c3_x.py", "revision = (")
    with pytest.raises(ConfigurationError, match=r"alembic/versions/c3_x\.py:1"):
        open_project(place)


def test_the_process_is_left_as_it_was(place: Path, database: str) -> None:
    before = (sys.path[:], sys.meta_path[:], dict(os.environ), Path.cwd(), set(sys.modules))
    layout = Layout(place, "import os\nos.environ['SHOP'] = '1'\nimport shop_models\n" + HANDED)
    layout.write("shop_models.py", "")
    layout.revision("a1", up="import os\n    assert os.environ['SHOP'] == '1'", imports="import shop_models")
    with open_project(place) as project:
        upgrade(project, database)
        assert "shop_models" not in sys.modules
    assert (sys.path, sys.meta_path, dict(os.environ), Path.cwd()) == before[:4]
    assert "shop_models" not in sys.modules


def test_our_own_project_runs_as_any_other(root: Path, database: str) -> None:
    with open_project(root) as project, engine(database).connect() as connection:
        project.run(connection, upgrades(project))
        assert (project.models(connection), dict(project.skipped), project.stubbed) == ((), {}, ())
        assert ask(database, "SELECT version_num FROM alembic_version") == list(project.history.version_rows)
