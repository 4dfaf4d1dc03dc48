"""check-history as a command: on any tree, in any folder, with and without git, with the standard library alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.migrations.histories import header
from tests.repositories import Done, Repository, project, rules, variables

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/check_history.py"


def run(folder: Path, *arguments: str, **changes: str) -> Done:
    """Run it as a hook is run: isolated, and without what is installed."""
    return run_with(sys.executable, folder, *arguments, **changes)


def run_with(python: str, folder: Path, *arguments: str, **changes: str) -> Done:
    done = subprocess.run(
        [python, "-I", "-S", str(SCRIPT), *arguments],
        cwd=folder, env=variables() | changes, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout)


def document(folder: Path, *arguments: str, **changes: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(folder, "--format=json", *arguments, **changes).out)
    return found


def found(folder: Path, *arguments: str, **changes: str) -> list[str]:
    return rules(document(folder, *arguments, **changes)["findings"])


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return project(tmp_path / "it", "a", "b")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that no repository holds."""
    made = project(tmp_path / "it", "a", "b")
    (made.folder / ".git").rename(tmp_path / "git")
    return made.folder


@pytest.mark.parametrize("staged", [[], ["--staged"]], ids=["the folder", "the index"])
def test_a_good_history_ends_with_0_and_says_nothing(repository: Repository, staged: list[str]) -> None:
    assert run(repository.folder, *staged) == (0, "")
    assert document(repository.folder, *staged) == {"heads": ["b"], "findings": []}


def test_our_own_history_is_good() -> None:
    assert run(ROOT)[0] == 0


def test_two_heads_end_with_1_and_the_command(repository: Repository) -> None:
    repository.add_revision("c", "a")
    assert run(repository.folder) == (
        1,
        "alembic/versions/b_x.py:9: several-heads\n"
        '  the history has 2 heads, and `alembic upgrade head` stops there: b "the title of b" '
        '(alembic/versions/b_x.py by Ann), c "the title of c" (alembic/versions/c_x.py by Ann); '
        'they part at a "the title of a"\n'
        '  next: alembic merge -m "merge heads" heads\n',
    )


def test_a_tree_without_git_is_checked(folder: Path) -> None:
    (folder / "alembic/versions/c_x.py").write_text(header("c", ["a"]))
    assert found(folder, PATH="/nonexistent") == ["several-heads"]
    assert document(folder)["heads"] == ["b", "c"]


def test_a_bare_folder_of_revisions_is_checked(folder: Path) -> None:
    (folder / "alembic.ini").unlink()
    (folder / "more").mkdir()
    (folder / "more/c_x.py").write_text(header("c", ["zz"]))
    assert found(folder, "--versions", "alembic/versions") == []
    assert found(folder, "--versions", "alembic/versions", "more") == ["missing-parent"]
    assert found(folder, "--versions=alembic/versions", "--versions=more") == ["missing-parent"]
    assert found(folder / "more", "--versions", str(folder / "alembic/versions")) == []


def test_the_settings_are_found_from_a_folder_below(folder: Path) -> None:
    assert document(folder / "alembic/versions")["heads"] == ["b"]


def test_settings_elsewhere_count_from_here_or_from_beside_them(folder: Path, tmp_path: Path) -> None:
    assert document(tmp_path, "--config", "it/alembic.ini")["heads"] == ["b"]
    (tmp_path / "alembic/versions").mkdir(parents=True)
    (tmp_path / "alembic/versions/d_x.py").write_text(header("d"))
    assert document(tmp_path, "--config=it/alembic.ini")["heads"] == ["d"]


def test_settings_in_pyproject_are_read(folder: Path) -> None:
    (folder / "alembic.ini").unlink()
    (folder / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "%(here)s/alembic"\n')
    assert document(folder)["heads"] == ["b"]


@pytest.mark.parametrize("how", ["text", "github"])
def test_a_warning_does_not_block(repository: Repository, how: str) -> None:
    repository.git("mv", "alembic/versions/b_x.py", "alembic/versions/other.py")
    done = run(repository.folder, f"--format={how}")
    assert done.code == 0
    assert "file-name" in done.out


def test_every_format_is_written(repository: Repository) -> None:
    repository.revision("c", "zz")
    assert run(repository.folder, "--format=github").out.startswith("::error file=alembic/versions/c_x.py,line=9,")
    assert (
        json.loads(run(repository.folder, "--format=sarif").out)["runs"][0]["results"][0]["ruleId"] == "missing-parent"
    )
    assert document(repository.folder)["findings"] == [
        {
            "rule": "missing-parent",
            "severity": "error",
            "path": "alembic/versions/c_x.py",
            "line": 9,
            "message": "c names zz as its parent, and no file has that id: no command of Alembic can run",
            "instead": "git log --all --oneline --name-only -- '*zz*.py'",
        }
    ]


WRONG = {
    "an unknown option": (["--fix"], "--fix is no option; there are: --config, --versions, --format, --staged"),
    "a file": (["alembic/versions/a_x.py"], "alembic/versions/a_x.py: this takes no files"),
    "an unknown format": (["--format=xml"], "--format=xml is none of text, json, github, sarif"),
    "a missing value": (["--config"], "--config needs a value"),
    "a value too many": (["--staged=yes"], "--staged=yes is no option"),
    "settings that are not there": (["--config", "no.ini"], "no.ini: there is no such file of settings"),
    "a folder that is not there": (["--versions", "no"], "no: there is no such folder of revisions"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use_is_told_in_two_lines(folder: Path, name: str) -> None:
    arguments, message = WRONG[name]
    done = run(folder, *arguments)
    assert done.code == 2
    assert done.out.startswith(f"error: {message}")
    assert [line[:8] for line in done.out.splitlines()][1:] == ["  next: "]


def test_a_folder_without_settings_is_told(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.code == 2
    assert "do not say where the history is" in done.out


def test_the_index_cannot_be_read_without_a_repository(folder: Path) -> None:
    done = run(folder, "--staged", GIT_CEILING_DIRECTORIES=str(folder.parent))
    assert done == (
        2,
        "error: what git holds cannot be read: not a git repository (or any of the parent directories): .git; nothing "
        "was checked\n  next: leave out --staged to check the files in the folder\n",
    )


def test_a_history_in_a_submodule_is_not_called_empty(repository: Repository, tmp_path: Path) -> None:
    outer = Repository(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository.folder), "inner")
    outer.commit()
    done = run(outer.folder, "--staged", "--config=inner/alembic.ini")
    assert done.code == 2
    assert "is it in a submodule?" in done.out
    assert document(outer.folder / "inner", "--staged")["heads"] == ["b"]


def test_help_says_what_there_is() -> None:
    done = run(ROOT, "--help")
    assert done.code == 0
    assert all(option in done.out for option in ("--config", "--versions", "--format", "--staged"))


def test_nobody_who_reads_is_no_error(repository: Repository) -> None:
    for number in range(300):
        repository.revision(f"f{number}", "b")
    command = [sys.executable, "-I", "-S", str(SCRIPT), "--format=json"]
    with subprocess.Popen(
        command, cwd=repository.folder, env=variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        assert started.stderr.read() == b""
    assert started.returncode == 1


def test_a_bug_is_told_as_one(repository: Repository, tmp_path: Path) -> None:
    """The same code, with a mistake in it."""
    for name in ("app", "scripts"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(tmp_path / name)], check=True)
    body = tmp_path / "scripts/hooks/history.py"
    body.write_text(body.read_text().replace("    wanted = settings.load", "    1 / 0\n    wanted = settings.load"))
    done = repository.run(sys.executable, str(tmp_path / "scripts/check_history.py"), ok=False)
    assert done.code == 3
    lines = done.out.splitlines()
    assert lines[0].startswith("error: ZeroDivisionError: division by zero (")
    assert lines[1] == "  next: this is a bug of the check, not of your revisions: report the line above"
    assert len(lines) == 2


OLDER = ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10"]
NEWER = ["3.11", "3.12", "3.13", "3.14"]


def python(version: str) -> str:
    """An interpreter of this version; pyenv keeps them in folders of their own."""
    kept = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python"))
    for candidate in (*map(str, kept), f"python{version}"):
        asked = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        try:
            if subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == version:
                return candidate
        except OSError:
            continue
    pytest.skip(f"there is no Python {version} here")


@pytest.mark.slow
@pytest.mark.parametrize("version", OLDER)
def test_an_older_python_is_told_in_two_lines(repository: Repository, version: str) -> None:
    done = repository.run(python(version), str(SCRIPT), ok=False)
    assert done == (
        2,
        f"error: this check needs Python 3.11 or newer, and this is {version}; nothing was checked\n"
        "  next: put a newer python3 first on PATH",
    )


@pytest.mark.slow
@pytest.mark.parametrize("version", NEWER)
def test_any_newer_python_will_do(repository: Repository, version: str) -> None:
    repository.add_revision("c", "a")
    done = run_with(python(version), repository.folder, "--format=json")
    assert done.code == 1
    assert rules(json.loads(done.out)["findings"]) == ["several-heads"]


def test_nothing_is_loaded_that_takes_long(repository: Repository) -> None:
    heavy = {"argparse", "subprocess", "pathlib", "tomllib", "ast", "dataclasses", "json", "inspect", "logging"}
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from scripts.hooks import history\n"
        f"code = history.main(['--staged']); print(code, sorted({heavy} & set(sys.modules)))"
    )
    assert repository.run(sys.executable, "-I", "-S", "-c", program).out == "0 []"


class TestTheIndex:
    """What `--staged` reads."""

    def test_a_revision_that_is_not_added_is_found(self, repository: Repository) -> None:
        repository.revision("c", "b")
        assert found(repository.folder, "--staged") == ["not-added"]
        assert found(repository.folder) == []
        repository.git("add", "-A")
        assert found(repository.folder, "--staged") == []

    def test_the_staged_text_counts_and_not_the_one_in_the_folder(self, repository: Repository) -> None:
        repository.revision("c", "zz")
        repository.git("add", "-A")
        repository.revision("c", "b")
        assert found(repository.folder, "--staged") == ["missing-parent"]
        assert found(repository.folder) == []

    def test_the_command_adds_and_commits_what_it_writes(self, repository: Repository) -> None:
        repository.revision("c", "a")
        repository.git("add", "-A")
        done = run(repository.folder, "--staged")
        assert done.out.endswith(
            '  next: alembic merge -m "merge heads" heads && git add alembic/versions && git commit\n'
        )
        assert "by somebody who has not committed it yet" in done.out

    def test_before_a_push_the_commit_is_read(self, repository: Repository) -> None:
        repository.git("checkout", "-q", "-b", "two")
        repository.add_revision("c", "a")
        repository.git("checkout", "-q", "main")
        assert found(repository.folder, "--staged") == []
        assert found(repository.folder, "--staged", PRE_COMMIT_TO_REF="two") == ["several-heads"]
        assert found(repository.folder, "--staged", PRE_COMMIT_LOCAL_BRANCH="refs/heads/two") == ["several-heads"]
        assert found(repository.folder, PRE_COMMIT_TO_REF="two") == []

    def test_a_commit_that_is_not_there_is_told(self, repository: Repository) -> None:
        done = run(repository.folder, "--staged", PRE_COMMIT_TO_REF="0" * 39 + "1")
        assert done.code == 2
        assert "what git holds cannot be read" in done.out

    def test_a_published_revision_that_was_edited_is_found(self, repository: Repository, tmp_path: Path) -> None:
        clone = repository.clone(tmp_path / "clone")
        path = clone.folder / "alembic/versions/b_x.py"
        path.write_text(path.read_text() + "\n\n# only a comment\n")
        clone.git("add", "-A")
        assert found(clone.folder, "--staged") == []
        path.write_text(path.read_text() + "x = 1\n")
        assert found(clone.folder, "--staged") == []
        assert found(clone.folder) == ["published-edited"]
        clone.commit()
        assert found(clone.folder, "--staged") == ["published-edited"]
        (instead,) = [each["instead"] for each in document(clone.folder, "--staged")["findings"]]
        clone.run("sh", "-c", instead)
        clone.commit()
        assert found(clone.folder, "--staged") == []

    def test_a_published_revision_that_was_deleted_is_found(self, repository: Repository, tmp_path: Path) -> None:
        clone = repository.clone(tmp_path / "clone")
        clone.git("rm", "-q", "alembic/versions/b_x.py")
        assert found(clone.folder, "--staged") == ["published-deleted"]
        assert found(clone.folder) == ["published-deleted"]


class TestSettings:
    """`[tool.massacorp.checks]` of the project that is checked."""

    @pytest.fixture
    def two(self, repository: Repository) -> Repository:
        repository.add_revision("c", "a")
        return repository

    def test_several_heads_can_be_meant(self, two: Repository) -> None:
        two.write("pyproject.toml", "[tool.massacorp.checks]\nseveral_heads = true\n")
        assert document(two.folder) == {"heads": ["b", "c"], "findings": []}

    def test_a_rule_can_be_a_warning_or_off(self, two: Repository) -> None:
        two.write("pyproject.toml", '[tool.massacorp.checks.severity]\nseveral-heads = "warning"\n')
        assert run(two.folder).code == 0
        assert found(two.folder) == ["several-heads"]
        two.write("pyproject.toml", '[tool.massacorp.checks.severity]\nseveral-heads = "off"\n')
        assert found(two.folder) == []

    def test_settings_that_are_wrong_are_told(self, two: Repository) -> None:
        two.write("pyproject.toml", '[tool.massacorp.checks.severity]\nseveral-heads = "maybe"\n')
        assert run(two.folder).code == 2
