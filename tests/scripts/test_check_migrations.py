"""scripts/check_migrations.py as it is run by hand and by hooks: under any Python, on files and on what git holds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/check_migrations.py"
GOOD = 'revision = "a1"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n'
BAD = GOOD.replace("def upgrade():\n    pass", "def upgrade():\n    op.drop_table('deprecated_a')").replace(
    "def upgrade", "from alembic import op\n\n\ndef upgrade", 1
)
WARNED = BAD.replace("deprecated_a", "a").replace(
    "def downgrade():\n    pass", "def downgrade():\n    op.create_table('a')"
)
GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def run(
    folder: Path, *arguments: str, isolated: tuple[str, ...] = ("-I", "-S"), **variables: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *isolated, str(SCRIPT), *arguments]
    environment = {"PATH": os.environ["PATH"], **GIT, **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **GIT}, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "versions").mkdir()
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = .\n")
    (tmp_path / "versions/a1.py").write_text(BAD)
    return tmp_path


def test_a_finding_that_blocks_ends_with_1(project: Path) -> None:
    done = run(project, "versions/a1.py")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("versions/a1.py:12: missing-downgrade\n  downgrade() does nothing, but upgrade() ")


def test_warnings_are_shown_and_do_not_block(project: Path) -> None:
    (project / "versions/a1.py").write_text(WARNED)
    done = run(project, "versions/a1.py")
    assert done.returncode == 0
    assert "versions/a1.py:9: drop-table (warning)\n" in done.stdout


def test_nothing_wrong_says_nothing(project: Path) -> None:
    (project / "versions/a1.py").write_text(GOOD)
    done = run(project, "versions/a1.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_files_that_are_no_revisions_are_passed_over(project: Path) -> None:
    (project / "tool.py").write_text("def f(:\n")
    (project / "README.md").write_text("down_revision\n")
    assert run(project, "tool.py", "README.md").stdout == ""


def test_the_settings_of_the_project_count(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.massacorp.checks]\nno_downgrades = true\n")
    assert run(project, "versions/a1.py").returncode == 0
    assert run(project / "versions", "a1.py").returncode == 0
    assert run(project.parent, f"{project.name}/versions/a1.py").returncode == 1
    assert run(project.parent, f"{project.name}/versions/a1.py", f"--config={project.name}/alembic.ini").returncode == 0


def test_a_mistake_in_the_settings_is_told_and_nothing_is_checked(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.massacorp.checks]\nno_downgrade = true\n")
    done = run(project, "versions/a1.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: pyproject.toml: tool.massacorp.checks has the key 'no_downgrade'; accepted: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "error: no file is named"),
        (("versions/b2.py",), "error: versions/b2.py cannot be read: No such file"),
        (("--format=xml", "versions/a1.py"), "error: --format=xml is none of text, json, github, sarif"),
        (("--loud", "versions/a1.py"), "error: --loud is no option"),
        (("--staged", "versions/a1.py"), "error: what git holds cannot be read; nothing was checked"),
    ],
    ids=["no file", "no such file", "no such format", "no such option", "no git"],
)
def test_bad_use_ends_with_2_and_the_next_step(project: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run(project, *arguments, GIT_CEILING_DIRECTORIES=str(project.parent))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(said)
    assert "\n  next: " in done.stderr


def test_json_is_one_document(project: Path) -> None:
    document = json.loads(run(project, "--format=json", "versions/a1.py").stdout)
    (found,) = document["findings"]
    assert set(found) == {"rule", "severity", "path", "line", "message", "instead"}
    assert (found["rule"], found["severity"], found["path"], found["line"]) == (
        "missing-downgrade", "error", "versions/a1.py", 12,
    )  # fmt: skip


def test_staged_is_what_git_will_hold_and_not_what_is_in_the_folder(project: Path) -> None:
    git(project, "init", "-q")
    git(project, "add", ".")
    (project / "versions/a1.py").write_text(GOOD)
    (project / "versions/b2.py").write_text(BAD)
    assert run(project, "--staged", "versions/a1.py").returncode == 1
    assert run(project, "versions/a1.py").returncode == 0
    assert run(project, "--staged", "versions/b2.py").returncode == 0
    git(project, "add", "versions/a1.py")
    assert run(project, "--staged", "versions/a1.py").returncode == 0


def test_many_staged_files_are_all_read(project: Path) -> None:
    names = [f"versions/c{number:02}.py" for number in range(20)]
    for name in names:
        (project / name).write_text(BAD)
    git(project, "init", "-q")
    git(project, "add", ".")
    found = json.loads(run(project, "--staged", "--format=json", *names).stdout)["findings"]
    assert [each["path"] for each in found if each["rule"] == "missing-downgrade"] == names


def test_before_a_push_it_is_the_commit_that_is_pushed(project: Path) -> None:
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    pushed = git(project, "rev-parse", "HEAD")
    (project / "versions/a1.py").write_text(GOOD)
    git(project, "commit", "-qam", "two")
    assert run(project, "--staged", "versions/a1.py").returncode == 0
    assert run(project, "--staged", "versions/a1.py", PRE_COMMIT_TO_REF=pushed).returncode == 1


def test_it_loads_nothing_from_outside_the_standard_library(project: Path) -> None:
    program = (
        "import runpy, sys\nsys.argv = ['x', 'versions/a1.py']\n"
        f"runpy.run_path({str(SCRIPT)!r})['migrations'].main(sys.argv[1:])\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(names - set(sys.stdlib_module_names) - {'app', 'scripts', '__main__', '__mp_main__'}))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
