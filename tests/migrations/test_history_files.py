"""Which files are read, with Alembic's own choice as the judge."""

import os
import py_compile
import random
import sys
from pathlib import Path

import pytest

from app.migrations.errors import ConfigurationError
from app.migrations.headers import Fault, Revision
from app.migrations.history_files import assemble, read, sources
from app.migrations.history_settings import locate
from tests.migrations.histories import grown, header, of_map, script_directory, write

INI = "[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n"


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alembic takes relative paths from the current folder; loading a project puts folders on sys.path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "alembic/versions").mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text(INI)
    return tmp_path


def agree(folder: Path, section: str = "alembic") -> list[str]:
    """Compare all that both say about a project; return the ids in the order of loading."""
    reading = read(str(folder), section=section)
    script = script_directory(folder, section=section)
    known = of_map(script.revision_map)
    assert reading.faults == ()
    history = reading.history
    assert (history.heads, history.bases, history.version_rows) == (known.heads, known.bases, known.version_rows)
    assert (history.branch_points, history.merge_points) == (known.branch_points, known.merge_points)
    assert history.order() == known.order
    loaded = [str(Path(each.path)) for each in script.walk_revisions()]
    assert [str(folder.resolve() / history[id_].path) for id_ in history.order()] == loaded
    assert {each.id: each.message for each in history} == {each.revision: each.doc for each in script.walk_revisions()}
    return [each.id for each in history]


def test_the_default_folder(project: Path) -> None:
    write(project / "alembic/versions", Revision("b", ("a",)), Revision("a"), Revision("c", ("a",)))
    assert agree(project) == ["a", "b", "c"]
    assert read(str(project)).history["a"].path == "alembic/versions/a_x.py"


@pytest.mark.parametrize("seed", range(6))
def test_any_history_spread_over_recursive_folders(project: Path, seed: int) -> None:
    (project / "alembic.ini").write_text(
        INI + f"version_locations = one{os.pathsep}%(here)s/two\nrecursive_version_locations = true\n"
    )
    chance = random.Random(seed)
    for each in grown(seed, 25):
        folder = project / chance.choice(["one", "two"]) / chance.choice(["", "2024", "2025/06", "x.py"])
        write(folder, each, name=chance.choice(["{id}_x.py", ".{id}.py", "#{id}.py", "Z{id} é.py"]))
    agree(project)


def test_the_names_that_alembic_loads(project: Path) -> None:
    versions = project / "alembic/versions"
    for id_, name in [("a", ".hidden.py"), ("b", "#b.py"), ("c", "c d.py"), ("e", "E.py"), ("f", "__main__.py")]:
        write(versions, Revision(id_), name=name)
    for name in ("__init__.py", "__init__x.py", ".#lock.py", "note.txt", "old.py~", "x.pyc", "sub/x.py"):
        (versions / name).parent.mkdir(exist_ok=True)
        (versions / name).write_text("raise SystemExit")
    assert sorted(agree(project)) == ["a", "b", "c", "e", "f"]


def test_each_file_is_read_once_under_its_real_name(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(elsewhere, Revision("a"), Revision("b", ("a",)))
    write(elsewhere, Revision("n"), name="not_python.txt")
    (project / "alembic.ini").write_text(
        INI + f"version_locations = v{os.pathsep}./v{os.pathsep}w\nrecursive_version_locations = true\n"
    )
    for folder in ("v", "w"):
        (project / folder).mkdir()
    (project / "v/a.txt").symlink_to(elsewhere / "a_x.py")
    (project / "w/again.py").symlink_to(elsewhere / "a_x.py")
    (project / "w/b.py").symlink_to(elsewhere / "b_x.py")
    (project / "w/n.py").symlink_to(elsewhere / "not_python.txt")
    (project / "w/loop").symlink_to(project / "w")
    assert agree(project) == ["a", "b"]


SETTINGS = {
    "a folder from here": ("script_location = alembic\npath_separator = os", ""),
    "several folders": ("script_location = alembic\nversion_locations = one:%(here)s/two\npath_separator = :", ""),
    "separated by spaces": ("script_location = alembic\nversion_locations = one two\npath_separator = space", ""),
    "on lines": ("script_location = alembic\nversion_locations =\n  one\n  two\npath_separator = newline", ""),
    "the old way": ("script_location = alembic\nversion_locations = one, two", ""),
    "the old name": ("script_location = alembic\nversion_locations = one;two\nversion_path_separator = ;", ""),
    "in pyproject.toml": ("", 'script_location = "%(here)s/alembic"\nversion_locations = ["one", "%(here)s/two"]'),
    "in both, where the ini wins": (
        "script_location = alembic\nversion_locations = one",
        'version_locations = ["two"]',
    ),
    "in both, key by key": ("script_location = alembic", "recursive_version_locations = true"),
    "a true that is none": ("script_location = alembic\nrecursive_version_locations = True", ""),
    "in the default section": ("script_location = alembic\n[DEFAULT]\nversion_locations = two", ""),
    "in a package": ("script_location = pack.age:alembic\nprepend_sys_path = src\npath_separator = os", ""),
}


@pytest.mark.parametrize(("ini", "toml"), SETTINGS.values(), ids=SETTINGS)
def test_the_folders_are_those_of_the_settings(tmp_path: Path, ini: str, toml: str) -> None:
    for number, folder in enumerate(["alembic/versions", "alembic/versions/sub", "one", "one/sub", "two"]):
        write(tmp_path / folder, Revision(f"r{number}"))
    write(tmp_path / "src/pack/age/alembic/versions", Revision("packed"))
    if ini:
        (tmp_path / "alembic.ini").write_text(f"[alembic]\n{ini}\n")
    (tmp_path / "pyproject.toml").write_text(f"[tool.alembic]\n{toml}\n")
    assert agree(tmp_path)


def test_another_section_is_read_when_it_is_named(project: Path) -> None:
    write(project / "alembic/versions", Revision("a"))
    write(project / "other/versions", Revision("z"))
    (project / "alembic.ini").write_text(INI + "[other]\nscript_location = %(here)s/other\n")
    assert agree(project, "other") == ["z"]


REFUSED = {
    "no settings at all": ("", "", "there is no script_location"),
    "an unknown separator": (
        "script_location = a\nversion_locations = x\npath_separator = ,",
        "",
        "path_separator is ','",
    ),
    "a placeholder of nothing": ("script_location = %(there)s/a", "", "script_location in [alembic] cannot be read"),
    "a list for a text": ("", "script_location = ['a']", "script_location in pyproject.toml is ['a'], not a text"),
    "a text for a list": ("script_location = a", "version_locations = 'a'", "not a list of texts"),
    "a text for a flag": ("script_location = a", "sourceless = 'true'", "sourceless in pyproject.toml is 'true'"),
    "a single percent": ("", "script_location = '100%'", "a plain % is written %%"),
    "no toml": ("script_location = a", "x = alembic", "pyproject.toml cannot be read"),
    "no ini": ("script_location = a\nscript_location = b", "", "alembic.ini cannot be read"),
    "a package that is not here": (
        "script_location = nowhere:alembic",
        "",
        "the package nowhere is not in the project",
    ),
}


@pytest.mark.parametrize(("ini", "toml", "message"), REFUSED.values(), ids=REFUSED)
def test_settings_that_do_not_work_are_refused(tmp_path: Path, ini: str, toml: str, message: str) -> None:
    if ini:
        (tmp_path / "alembic.ini").write_text(f"[alembic]\n{ini}\n")
    if toml:
        (tmp_path / "pyproject.toml").write_text(f"[tool.alembic]\n{toml}\n")
    with pytest.raises(ConfigurationError) as refused:
        read(str(tmp_path))
    assert message in refused.value.message
    assert "--versions DIR" in refused.value.hint


def test_files_of_settings_can_be_named(project: Path) -> None:
    write(project / "there/versions", Revision("z"))
    (project / "other.ini").write_text("[alembic]\nscript_location = there\n")
    assert read(str(project), ["other.ini"]).history.heads == ("z",)
    with pytest.raises(ConfigurationError, match="there is no such file of settings"):
        read(str(project), ["missing.ini"])


def test_folders_can_be_named_instead(tmp_path: Path) -> None:
    write(tmp_path / "some/where", Revision("a"))
    assert read(str(tmp_path), versions=["some/where"]).history.heads == ("a",)
    with pytest.raises(ConfigurationError, match="there is no such folder of revisions"):
        read(str(tmp_path), versions=["nowhere"])


def test_a_folder_that_is_not_made_yet_is_an_empty_history(project: Path) -> None:
    (project / "alembic/versions").rmdir()
    assert agree(project) == []


def test_a_file_that_cannot_be_read_is_a_fault_and_the_rest_is_read(project: Path) -> None:
    versions = project / "alembic/versions"
    write(versions, Revision("a"))
    (versions / "dangling.py").symlink_to(versions / "gone.py")
    (versions / "helper.py").write_text("def upper(x): return x\n")
    (versions / "half.py").write_text('revision = "h\n')
    reading = read(str(project))
    assert reading.history.heads == ("a",)
    assert [(fault.path, fault.line, fault.rule) for fault in reading.faults] == [
        ("alembic/versions/gone.py", 1, "unreadable-file"),
        ("alembic/versions/half.py", 1, "syntax-error"),
        ("alembic/versions/helper.py", 1, "not-a-revision"),
    ]


def test_compiled_files_count_where_alembic_loads_them(project: Path) -> None:
    (project / "alembic.ini").write_text(INI + "sourceless = true\n")
    versions = project / "alembic/versions"
    write(versions, Revision("a"), Revision("b", ("a",)))
    py_compile.compile(str(versions / "a_x.py"), cfile=str(versions / "a_x.pyc"))
    py_compile.compile(str(versions / "a_x.py"))
    assert agree(project) == ["a", "b"]
    py_compile.compile(str(versions / "b_x.py"))
    (versions / "b_x.py").unlink()
    assert [fault.rule for fault in read(str(project)).faults] == ["compiled-only"]
    assert set(of_map(script_directory(project).revision_map).order) == {"a", "b"}


def test_a_path_is_known_to_belong_without_being_there(project: Path) -> None:
    flat, deep = locate(str(project)), locate(str(project))._replace(recursive=True)
    for path, in_flat, in_deep in [
        ("alembic/versions/x.py", True, True),
        (str(project.resolve() / "alembic/versions/x.py"), True, True),
        ("alembic/versions/sub/x.py", False, True),
        ("alembic/versions/__pycache__/x.py", False, False),
        ("alembic/versions/__init__.py", False, False),
        ("alembic/versions2/x.py", False, False),
        ("alembic/env.py", False, False),
    ]:
        assert (flat.hold(path), deep.hold(path)) == (in_flat, in_deep), path


def test_a_history_is_made_of_contents_from_anywhere() -> None:
    reading = assemble([("v/a.py", header("a").encode()), ("v/README", b""), ("v/b.py", b"revision = f()")])
    assert reading.history.heads == ("a",)
    assert isinstance(reading.faults[0], Fault)


def test_each_file_is_opened_once(project: Path) -> None:
    versions = project / "alembic/versions"
    for number in range(300):
        write(versions, Revision(f"r{number:03}", (f"r{number - 1:03}",) if number else ()))
    paths = [path for path, _ in sources(locate(str(project)))]
    assert len(paths) == len(set(paths)) == 300
    assert agree(project)[0] == "r000"
