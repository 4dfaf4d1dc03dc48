"""Imports that fail: the revision is stepped over and named, or stands on empty modules; and what a failure leaves."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path

import pytest
from alembic.runtime.migration import MigrationContext, MigrationStep

from app.migrations import project_stage as stage
from app.migrations import scratch
from app.migrations.errors import ConfigurationError, MigrationFailed
from app.migrations.project import Project, open_project
from tests.clones import copy_tree
from tests.migrations.layouts import FROM_CONFIG, HANDED, Layout, ask, emptied, engine, tables, upgrade, upgrades


@pytest.fixture(scope="module")
def shared(scratch_admin: str) -> Iterator[str]:
    with scratch.database(scratch_admin) as url:
        yield url


@pytest.fixture
def database(shared: str) -> str:
    return emptied(shared)


def runnable(project: Project) -> "Iterator[str]":
    barred = project.history.descendants(project.skipped)
    return (each for each in reversed(project.history.order()) if each not in barred)


def upgrade_what_can(project: Project, url: str) -> None:
    def steps(heads: tuple[str, ...], _: MigrationContext) -> Iterator[MigrationStep]:
        for id_ in runnable(project):
            yield from project.script._upgrade_revs(id_, heads)  # type: ignore[arg-type]
            heads = (id_,)

    with engine(url).connect() as connection:
        project.run(connection, steps)


def test_a_revision_whose_import_fails_is_named_and_does_not_stop_the_others(tmp_path: Path, database: str) -> None:
    layout = Layout(tmp_path)
    layout.revision("a1")
    layout.revision("b2", "a1", imports="from shop.models import User")
    layout.revision("c3", "b2")
    layout.revision("d4", "a1", imports="{}['gone']")
    layout.revision("e5", "a1", imports="raise SystemExit(2)")
    with open_project(tmp_path) as project:
        upgrade_what_can(project, database)
        assert list(project.skipped) == ["b2", "d4", "e5"]
        assert project.skipped["b2"].message == (
            "alembic/versions/b2_x.py:2: revision b2 imports the module shop, which is not there; it was not run"
        )
        assert "--stub-imports" in project.skipped["b2"].hint
        assert "b2_x.py" not in project.skipped["d4"].message
        assert "alembic/versions/d4_x.py:2" in project.skipped["d4"].message
        assert "KeyError: 'gone'" in project.skipped["d4"].message
        assert project.stubbed == ()
    assert tables(database) == {"t_a1"}


USES = {
    "names": ("from shop.models import User, Base", "User.query.filter(User.id == 1)"),
    "a base class": ("from shop.models import Base\nclass Own(Base):\n    a = 1", "Own().a"),
    "a decorator": ("from shop import task\n@task\ndef own(): return 7", "assert own() == 7"),
    "a decorator with arguments": ("from shop import task\n@task(retry=1)\ndef own(): return 7", "assert own() == 7"),
    "a type": ("import shop\ndef own(a: shop.Kind | None, b: 'shop.Other[int]') -> None: ...", "own(None, 1)"),
    "something to iterate over": ("from shop.kinds import ALL", "assert [*ALL] == []"),
    "a context": ("import shop.deep.down as down", "with down.context() as one: one.x"),
    "several": ("import shop\nimport stall.a.b\nfrom market import c", "shop.x(stall.a.b.y, c)"),
}


@pytest.mark.parametrize(("imports", "up"), USES.values(), ids=USES.keys())
def test_an_empty_module_stands_for_one_that_is_missing(tmp_path: Path, database: str, imports: str, up: str) -> None:
    Layout(tmp_path).revision("a1", imports=imports, up=f'{up}\n    op.execute("CREATE TABLE t_a1 (a int)")')
    with open_project(tmp_path) as project:
        assert list(project.skipped) == ["a1"]
    with open_project(tmp_path, stub_imports=True) as project:
        upgrade(project, database)
        assert (dict(project.skipped), project.stubbed[0]) == ({}, "shop")
    assert tables(database) == {"t_a1"}
    assert [name for name in sys.modules if name.partition(".")[0] in {"shop", "stall", "market"}] == []


def test_only_the_module_that_fails_is_replaced_and_the_rest_of_the_application_is_real(
    tmp_path: Path, database: str
) -> None:
    layout = Layout(tmp_path, f"from shop.models import NAME\nassert NAME == 'real'\n{FROM_CONFIG}")
    layout.write("shop/__init__.py", "")
    layout.write("shop/settings.py", "import os\nSECRET = os.environ['SHOP_SECRET_THAT_NOBODY_SET']\n")
    layout.write("shop/models.py", "from shop.settings import SECRET\nNAME = 'real'\n")
    layout.revision(
        "a1", imports="from shop.models import NAME, Gone", up='op.execute(f"CREATE TABLE t_{NAME} (a int)")'
    )
    with open_project(tmp_path) as project, pytest.raises(ConfigurationError, match="SHOP_SECRET") as error:
        upgrade(project, database)
    assert error.value.message.startswith("alembic/env.py fails: KeyError")
    with open_project(tmp_path, stub_imports=True) as project:
        upgrade(project, database)
        assert project.stubbed == ("shop.settings", "shop.models.Gone")
    assert tables(database) == {"t_real"}


def test_an_import_that_the_project_does_without_is_not_replaced(tmp_path: Path, database: str) -> None:
    optional = "try:\n    import fast_json\nexcept ImportError:\n    fast_json = None\n"
    layout = Layout(tmp_path, optional + "assert fast_json is None\nimport shop\n" + HANDED)
    layout.revision("a1", imports=f"{optional}import shop", up="assert fast_json is None and shop.x")
    with open_project(tmp_path, stub_imports=True) as project:
        upgrade(project, database)
        assert project.stubbed == ("shop",)


def test_what_env_py_puts_on_the_path_is_not_replaced(tmp_path: Path, database: str) -> None:
    env = "import sys\nsys.path.insert(0, 'lib')\n" + HANDED
    layout = Layout(tmp_path, env)
    layout.write("lib/shop_words.py", "NAME = 'real'")
    layout.revision(
        "a1", imports="from shop_words import NAME\nimport shop", up='op.execute(f"CREATE TABLE t_{NAME} (a int)")'
    )
    with open_project(tmp_path, stub_imports=True) as project:
        upgrade(project, database)
        assert project.stubbed == ("shop",)
    assert tables(database) == {"t_real"}


def test_a_revision_that_ends_the_process_has_failed(tmp_path: Path, database: str) -> None:
    Layout(tmp_path).revision("a1", imports="import sys", up="sys.exit(4)")
    with open_project(tmp_path) as project, pytest.raises(MigrationFailed, match=r"a1_x\.py:13: SystemExit: 4"):
        upgrade(project, database)


def test_two_projects_with_packages_of_the_same_names_are_two_projects(tmp_path: Path, database: str) -> None:
    for name in ("one", "two"):
        layout = Layout(tmp_path / name, "import app.migrations.models as models\n" + HANDED)
        layout.write("app/__init__.py", f"NAME = {name!r}")
        layout.write("app/migrations/models.py", "from app import NAME")
        layout.revision(f"{name}1", imports="from app.migrations.models import NAME",
                        up='op.execute(f"CREATE TABLE t_{NAME} (a int)")')  # fmt: skip
        with open_project(tmp_path / name) as project:
            assert dict(project.skipped) == {}
            upgrade(project, database)
        assert tables(database) == {f"t_{name}"}
        emptied(database)
    assert sys.modules["app.migrations.project"].open_project is open_project


class Editable(MetaPathFinder):
    """Finds our package wherever it is, as an editable install has it."""

    def find_spec(self, name: str, _path: object, _target: object = None) -> ModuleSpec | None:
        return spec_from_file_location(name, stage.HOME / "app/__init__.py") if name == "app" else None


def test_what_is_installed_is_not_ours_where_the_environment_is_a_link(tmp_path: Path) -> None:
    tree = copy_tree(tmp_path / "tree")
    (tree / ".venv").symlink_to(sys.prefix)
    program = "import alembic.context\nfrom app.migrations import project_stage\nprint(*project_stage._our_modules())"
    done = subprocess.run(
        [tree / ".venv/bin/python", "-c", program], cwd=tree, capture_output=True, text=True, check=True
    )
    assert {name.partition(".")[0] for name in done.stdout.split()} == {"app"}


def test_our_own_packages_are_not_those_that_a_project_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Editable()])
    Layout(tmp_path).revision("a1", imports="import app")
    with open_project(tmp_path) as project:
        assert "imports the module app, which is not there" in project.skipped["a1"].message


def test_a_commit_before_an_autocommit_block_leaves_a_version_row(tmp_path: Path, database: str) -> None:
    block = "with op.get_context().autocommit_block():\n        op.execute('CREATE TABLE t_{} (a int)')"
    layout = Layout(tmp_path, FROM_CONFIG)
    layout.revision("a1", up=f"op.get_bind().commit()\n    {block.format('a1')}")
    layout.revision("b2", "a1", up=f"op.execute('SELECT 1')\n    {block.format('b2')}")
    layout.revision("c3", "b2", up=f"op.get_bind().commit()\n    {block.format('c3')}")
    with open_project(tmp_path) as project:
        assert upgrade(project, database) == [["a1"], ["b2"], ["c3"]]
    assert tables(database) == {"t_a1", "t_b2", "t_c3"}


def test_a_step_without_its_version_row_is_not_called_done(tmp_path: Path, database: str) -> None:
    layout = Layout(tmp_path, FROM_CONFIG)
    layout.revision("a1")
    keep = "CREATE RULE keep AS ON UPDATE TO alembic_version DO INSTEAD NOTHING"
    blind = "op.get_context().dialect.supports_sane_rowcount = False"
    layout.revision("b2", "a1", up=f'op.execute("{keep}")\n    {blind}\n    op.get_bind().commit()')
    with open_project(tmp_path) as project, pytest.raises(MigrationFailed, match="the step is not done"):
        upgrade(project, database)


def test_a_step_that_fails_is_undone_and_the_run_can_be_taken_up_again(tmp_path: Path, database: str) -> None:
    layout = Layout(tmp_path)
    layout.revision("a1")
    layout.revision("b2", "a1", up='op.execute("CREATE TABLE t_b2 (a int)")\n    op.execute("SELECT 1/0")')
    ended: list[tuple[str, ...]] = []

    def steps(heads: tuple[str, ...], _: MigrationContext) -> Iterator[MigrationStep]:
        try:
            yield from project.script._upgrade_revs("heads", heads)  # type: ignore[arg-type]
        finally:
            ended.append(heads)

    with open_project(tmp_path) as project, engine(database).connect() as connection:
        for _ in range(2):
            with pytest.raises(Exception, match="division by zero") as failure:
                project.run(connection, steps)
            assert not connection.in_transaction()
        message, hint = project.explain(failure.value)
    assert (tables(database), ask(database, "SELECT version_num FROM alembic_version")) == ({"t_a1"}, ["a1"])
    assert ended == [(), ("a1",)]
    assert message.endswith("alembic/versions/b2_x.py:14: division by zero [22012], in SELECT 1/0")
    assert message.startswith("revision b2 failed at ")
    assert hint == "correct it there, and the same command again"


FAILURES = {
    'CREATE EXTENSION "no_such_thing"': ('the extension "no_such_thing" is not on the server', "PG_BIN="),
    "GRANT SELECT ON t TO shop_reader": ('the role "shop_reader" is not on the server', "SCRATCH_URL=URL"),
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'no_such_library', 'f'": ('"no_such_library" is not on', "PG_BIN="),
    "CREATE ROLE shop PASSWORD 'top-secret' NOSUCHWORD": ("unrecognized role option", "correct it there"),
}


@pytest.mark.parametrize(("statement", "said"), FAILURES.items(), ids=["extension", "role", "library", "a secret"])
def test_what_a_server_lacks_is_named_with_the_way_out(
    tmp_path: Path, database: str, statement: str, said: tuple[str, str]
) -> None:
    Layout(tmp_path).revision("a1", up=f'op.execute("CREATE TABLE t (a int)")\n    op.execute({statement!r})')
    with open_project(tmp_path) as project, engine(database).connect() as connection:
        with pytest.raises(Exception, match=r"\(psycopg2") as failure:
            project.run(connection, upgrades(project))
        message, hint = project.explain(failure.value)
    assert said[0] in message
    assert said[1] in hint
    assert "top-secret" not in message + hint
    assert "versions/a1_x.py:14: " in message
