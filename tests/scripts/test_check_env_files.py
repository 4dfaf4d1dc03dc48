"""check-env-files as a command: the files of the folder, of the index and of the commit that is pushed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.repositories import Done, Repository, rules, variables

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/check_env_files.py"
SECRET = "postgresql://me:s3cret-word@db.example/app"


def run(folder: Path, *arguments: str, **changes: str) -> Done:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *arguments],
        cwd=folder, env=variables() | changes, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout)


def found(folder: Path, *arguments: str, **changes: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run(folder, "--format=json", *arguments, **changes).out)["findings"]
    return rows


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """The environment files of this repository, committed."""
    made = Repository(tmp_path)
    for path in ROOT.glob("envs/*.env"):
        if not path.name.endswith(".local.env"):
            made.write(f"envs/{path.name}", path.read_text())
    made.write(".gitignore", ".env\nenvs/*.local.env\n")
    made.commit()
    return made


def edit(repository: Repository, name: str, old: str, new: str) -> None:
    path = repository.folder / "envs" / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize("staged", [[], ["--staged"]], ids=["the folder", "the index"])
def test_our_own_files_are_good(repository: Repository, staged: list[str]) -> None:
    assert run(repository.folder, *staged) == (0, "")


def test_a_secret_of_ones_own_is_no_secret_for_everybody(repository: Repository) -> None:
    repository.write(".env", f"DATABASE_URL={SECRET}\n")
    repository.write("envs/prod.local.env", f"DATABASE_URL={SECRET}\n")
    assert found(repository.folder) == []
    assert found(repository.folder, "--staged") == []


def test_a_secret_that_is_staged_is_found_and_not_shown(repository: Repository) -> None:
    edit(repository, "prod.env", "DATABASE_URL=", f"DATABASE_URL={SECRET}")
    assert rules(found(repository.folder, "--staged")) == []
    assert rules(found(repository.folder)) == ["secret-in-tracked-file"]
    repository.git("add", "-A")
    edit(repository, "prod.env", SECRET, "")
    assert rules(found(repository.folder, "--staged")) == ["secret-in-tracked-file"]
    assert rules(found(repository.folder)) == []
    done = run(repository.folder, "--staged")
    assert done.code == 1
    assert "s3cret" not in done.out
    assert done.out.endswith("  next: move it to envs/prod.local.env, which git ignores, and change the password\n")


def test_a_local_file_that_is_forced_into_git_is_found(repository: Repository) -> None:
    repository.write(".env", f"DATABASE_URL={SECRET}\n")
    repository.git("add", "-f", ".env")
    assert rules(found(repository.folder, "--staged")) == ["tracked-local-file", "secret-in-tracked-file"]
    assert rules(found(repository.folder)) == ["tracked-local-file", "secret-in-tracked-file"]


def test_the_pushed_commit_is_read(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "leak")
    edit(repository, "prod.env", "DATABASE_URL=", f"DATABASE_URL={SECRET}")
    repository.commit("leak", "--no-verify")
    repository.git("checkout", "-q", "main")
    assert found(repository.folder, "--staged") == []
    assert rules(found(repository.folder, "--staged", PRE_COMMIT_TO_REF="leak")) == ["secret-in-tracked-file"]


def test_a_key_that_is_missing_or_misplaced_is_found(repository: Repository) -> None:
    edit(repository, "staging.env", "BACKUP_KEEP=", "# BACKUP_KEEP=")
    lines = (repository.folder / "envs/test.env").read_text().splitlines()
    protected = next(line for line in lines if line.startswith("PROTECTED"))
    lines.remove(protected)
    repository.write("envs/test.env", "\n".join([*lines, "# why", protected, ""]))
    assert [(each["path"], each["rule"]) for each in found(repository.folder)] == [
        ("envs/staging.env", "missing-key"),
        ("envs/test.env", "key-order"),
    ]


def test_a_file_that_is_no_utf_8_is_a_finding(repository: Repository) -> None:
    (repository.folder / "envs/dev.env").write_bytes(b"# caf\xe9\n")
    assert [(each["path"], each["line"]) for each in found(repository.folder)] == [("envs/dev.env", 1)]
    repository.git("add", "-A")
    assert [(each["path"], each["line"]) for each in found(repository.folder, "--staged")] == [("envs/dev.env", 1)]


def test_without_git_the_shared_files_count_as_tracked(repository: Repository) -> None:
    edit(repository, "prod.env", "DATABASE_URL=", f"DATABASE_URL={SECRET}")
    repository.write("envs/prod.local.env", f"DATABASE_URL={SECRET}\n")
    assert [each["path"] for each in found(repository.folder, PATH="/nonexistent")] == ["envs/prod.env"]
    assert run(repository.folder, "--staged", PATH="/nonexistent").code == 2


def test_a_repository_without_environments_is_good(tmp_path: Path) -> None:
    Repository(tmp_path)
    assert run(tmp_path, "--staged") == (0, "")


def test_files_are_not_taken(repository: Repository) -> None:
    done = run(repository.folder, "envs/dev.env")
    assert done.code == 2
    assert done.out.startswith("error: envs/dev.env: this takes no files")
