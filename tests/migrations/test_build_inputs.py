"""Which files decide what a history builds."""

from pathlib import Path

import pytest

from app.migrations.build_inputs import Inputs, imports
from app.migrations.errors import ConfigurationError
from tests.migrations.projects import ROOT, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    for name in ("shop/__init__.py", "shop/models/__init__.py", "shop/models/user.py", "shop/names.py", "other.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("")
    made.revision("one")
    made.revision("two", parents="one")
    return made


def key(project: Project, *revisions: str) -> str:
    return Inputs(project.folder).key(revisions or ("two",))


def changes(project: Project, name: str, *revisions: str) -> bool:
    """Whether a change of a file makes another key."""
    path = project.folder / name
    before = key(project, *revisions)
    path.write_text(path.read_text() + "\n# more\n")
    return before != key(project, *revisions)


def test_the_revision_and_those_below_count_and_those_above_do_not(project: Project) -> None:
    assert changes(project, "alembic/versions/one_x.py", "two")
    assert changes(project, "alembic/versions/two_x.py", "two")
    assert not changes(project, "alembic/versions/two_x.py", "one")
    assert key(project, "one") != key(project, "two") != key(project, "one", "two")


def test_the_settings_and_env_py_count(project: Project) -> None:
    assert changes(project, "alembic.ini")
    assert changes(project, "alembic/env.py")


def test_what_nobody_imports_does_not_count(project: Project) -> None:
    assert not changes(project, "other.py")
    assert not changes(project, "shop/names.py")


@pytest.mark.parametrize(
    ("statement", "counts"),
    [
        ("import other", {"other.py"}),
        ("from other import a", {"other.py"}),
        ("from shop import names", {"shop/names.py"}),
        ("from shop.names import (\n    a,\n    b,\n)", {"shop/names.py"}),
        ("import shop.models", {"shop/models/user.py"}),
        ("from shop import models", {"shop/models/user.py"}),
        ("from shop.models import user", {"shop/models/user.py"}),
        ("def upgrade():\n    import other", {"other.py"}),
        ("import os", set()),
    ],
    ids=lambda value: value.split("\n")[0] if isinstance(value, str) else None,
)
def test_what_a_revision_imports_of_the_repository_counts(project: Project, statement: str, counts: set[str]) -> None:
    path = project.versions / "one_x.py"
    path.write_text(f"{statement}\n{path.read_text()}")
    found = {name for name in ("other.py", "shop/names.py", "shop/models/user.py") if changes(project, name)}
    assert found == counts


def test_what_is_imported_by_what_is_imported_counts(project: Project) -> None:
    (project.folder / "other.py").write_text("from shop import names")
    path = project.versions / "one_x.py"
    path.write_text(f"import other\n{path.read_text()}")
    assert changes(project, "shop/names.py")


def test_the_same_tree_in_another_folder_has_the_same_key(project: Project) -> None:
    twin = Project(project.folder / "twin")
    twin.revision("one")
    twin.revision("two", parents="one")
    assert key(twin) == key(project)


def test_a_file_whose_place_cannot_be_known_is_a_configuration_error(project: Project) -> None:
    (project.versions / "three.py").write_text("revision = input()")
    with pytest.raises(ConfigurationError, match=r"three\.py:1"):
        Inputs(project.folder)


def test_models_of_this_repository_count() -> None:
    imported = Inputs(ROOT)._closure([(ROOT / "alembic/env.py").read_bytes()])
    paths = {path.relative_to(ROOT).as_posix() for path in imported}
    assert {"app/models/user.py", "app/core/engine.py"} <= paths
    assert not any(path.startswith("app/migrations/") for path in paths)


def test_a_source_that_cannot_be_parsed_imports_nothing() -> None:
    assert imports(b"import") == []
