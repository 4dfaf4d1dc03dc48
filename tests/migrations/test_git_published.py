"""Which revisions git says are published, in real repositories."""

from contextlib import chdir
from pathlib import Path

import pytest

from app.migrations import git_published
from app.migrations.errors import Refused
from app.migrations.git_published import Published
from tests.repositories import Repository, project

P, M, F = "aaaa00000000", "bbbb00000000", "cccc00000000"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """One revision on main, and one more on each of main and feature; feature is checked out."""
    found = project(tmp_path / "made", P)
    for name, value in found.environment.items():
        if name.startswith("GIT_"):
            monkeypatch.setenv(name, value)
    found.git("checkout", "-q", "-b", "feature")
    found.add_revision(F, P)
    found.git("checkout", "-q", "main")
    found.add_revision(M, P)
    found.git("checkout", "-q", "feature")
    return found


def read(repository: Repository) -> Published:
    with chdir(repository.folder):
        return git_published.read(str(repository.folder))


def test_without_a_remote_the_local_default_branch_is_what_is_published(made: Repository) -> None:
    assert read(made) == Published("main", frozenset({P, M}), frozenset())


def test_the_other_side_of_a_merge_in_progress_counts(made: Repository) -> None:
    made.git("checkout", "-q", "main")
    made.git("merge", "-q", "--no-commit", "feature")
    assert read(made) == Published("main", frozenset({P, M}), frozenset({P, F}))


def test_with_a_remote_its_default_branch_counts_and_not_the_local_one(made: Repository, tmp_path: Path) -> None:
    made.git("checkout", "-q", "main")
    clone = made.clone(tmp_path / "clone")
    clone.add_revision("dddd00000000", M)
    assert read(clone) == Published("origin/main", frozenset({P, M}), frozenset())


def test_what_lies_in_another_file_now_is_the_same_revision(made: Repository) -> None:
    made.git("mv", f"alembic/versions/{P}_x.py", f"alembic/versions/{P}_y.py")
    assert P in read(made).ids


def test_whether_a_branch_was_pushed(made: Repository, tmp_path: Path) -> None:
    with chdir(made.folder):
        assert not git_published.pushed([f"alembic/versions/{F}_x.py"])
    clone = made.clone(tmp_path / "clone")
    clone.git("checkout", "-q", "-b", "more")
    clone.add_revision("dddd00000000", F)
    with chdir(clone.folder):
        assert git_published.pushed([f"alembic/versions/{F}_x.py"])
        assert not git_published.pushed(["alembic/versions/dddd00000000_x.py"])
        assert not git_published.pushed([])


@pytest.mark.parametrize("how", ["no repository", "no default branch"])
def test_where_nobody_knows_it_is_refused(made: Repository, tmp_path: Path, how: str) -> None:
    if how == "no repository":
        (made.folder / ".git").rename(tmp_path / "away")
    else:
        made.git("branch", "-q", "-m", "main", "trunk")
    with pytest.raises(Refused) as raised:
        read(made)
    assert raised.value.message.startswith("git knows no default branch here (origin/HEAD, main or master)")
