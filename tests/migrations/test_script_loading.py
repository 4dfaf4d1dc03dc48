"""Our loading of a history beside Alembic's own: the same modules of the same files in one order, the same errors."""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

import pytest
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from app.migrations import script_loading
from app.migrations.headers import Revision
from tests.migrations.histories import grown, header, write


@pytest.fixture
def script(tmp_path: Path) -> ScriptDirectory:
    (tmp_path / "versions").mkdir()
    return ScriptDirectory(str(tmp_path))


def loaded(script: ScriptDirectory) -> list[tuple[str, str, str, str]]:
    """Load anew; return what each revision is, where it lies, and which module it became, in the order of loading."""
    scripts = cast("Iterable[Script]", script.revision_map._generator())
    return [(each.revision, each.path, each.module.__name__, str(each.module.__file__)) for each in scripts]


def both(script: ScriptDirectory) -> list[str]:
    theirs = loaded(script)
    assert loaded(script_loading.swift(script)) == theirs
    return [revision for revision, *_ in theirs]


def test_a_history_spread_over_folders(script: ScriptDirectory, tmp_path: Path) -> None:
    script.recursive_version_locations = True
    script.version_locations = [str(tmp_path / "versions"), str(tmp_path / "more"), str(tmp_path / "missing")]
    for number, each in enumerate(grown(4, 25)):
        write(tmp_path / ("more" if number % 3 else "versions") / ("deep/er" if number % 2 else ""), each)
    (tmp_path / "versions/again.py").symlink_to(next((tmp_path / "more").glob("*.py")))
    with pytest.warns(UserWarning, match="loaded twice"):
        assert len(both(script)) > 5


def test_odd_names_and_ids_out_of_names(script: ScriptDirectory, tmp_path: Path) -> None:
    for id_, name in [("a", ".hidden.py"), ("b", "#b.py"), ("c", "é c.py")]:
        write(tmp_path / "versions", Revision(id_), name=name)
    (tmp_path / "versions/cafe01.py").write_text(header("x").replace("revision = 'x'", "", 1))
    for name in ("__init__.py", ".#lock.py", "note.txt", "x.pyc"):
        (tmp_path / "versions" / name).write_text("raise SystemExit")
    assert sorted(both(script)) == ["a", "b", "c", "cafe01"]


@pytest.mark.parametrize(
    ("text", "error"),
    [("down_revision = None", CommandError), ("revision = 'a'", AttributeError), ("def", SyntaxError)],
    ids=["no id anywhere", "no parent", "no Python"],
)
def test_a_broken_file_is_told_as_alembic_tells_it(
    script: ScriptDirectory, tmp_path: Path, text: str, error: type[Exception]
) -> None:
    (tmp_path / "versions/no_id_.py").write_text(text)
    said = []
    for each in (script, script_loading.swift(ScriptDirectory(str(tmp_path)))):
        with pytest.raises(error) as caught:
            loaded(each)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_compiled_files_are_left_to_alembic(script: ScriptDirectory) -> None:
    script.sourceless = True
    theirs: Callable[[], object] = script.revision_map._generator
    assert script_loading.swift(script).revision_map._generator == theirs


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_passed_over(script: ScriptDirectory, tmp_path: Path) -> None:
    script.recursive_version_locations = True
    (tmp_path / "versions/closed").mkdir(mode=0)
    assert both(script) == []


@pytest.fixture(autouse=True)
def _compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
