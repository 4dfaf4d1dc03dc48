"""What git holds and what is published, in real repositories: merges, worktrees, submodules, odd names, conflicts."""

import os
from pathlib import Path

import pytest

from app.migrations import git_files, git_history, git_tree, history_settings
from app.migrations.errors import ConfigurationError
from app.migrations.git_history import Base, Places
from app.migrations.git_tree import Held
from tests.migrations.histories import header
from tests.repositories import Repository, project, variables

ODD = ["a b.py", "ä'\"$x.py", "{b,c}*.py", "-n.py", ":(top).py"]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(os.environ) - set(variables()):
        monkeypatch.delenv(name)
    for name, value in variables().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    made = project(tmp_path / "a repository", "a", "b")
    monkeypatch.chdir(made.folder)
    return made


def places(root: str = ".") -> Places:
    return Places(history_settings.locate(root))


def index() -> Held:
    return git_tree.index(places().shown, places().words)


def held() -> dict[str, bytes]:
    return dict(git_tree.texts(index()))


def names(*ids: str) -> list[str]:
    return [f"alembic/versions/{id_}_x.py" for id_ in ids]


def base(state: str = git_history.INDEX) -> Base | None:
    return git_history.base(places(), git_history.start_base(places(), state), state)


def changed() -> dict[str, bytes]:
    found = base()
    assert found is not None
    return dict(found.changed)


def text(id_: str, *parents: str) -> bytes:
    return header(id_, parents).encode()


def test_the_index_is_read_and_not_the_folder(repository: Repository) -> None:
    repository.revision("b", "zz")
    repository.revision("c", "b")
    assert held() == {names("a")[0]: text("a"), names("b")[0]: text("b", "a")}
    assert git_tree.outside(index()) == {names("c")[0]: text("c", "b")}
    repository.git("add", "-A")
    assert held()[names("b")[0]] == text("b", "zz")
    assert list(held()) == names("a", "b", "c")


def test_a_file_that_was_deleted_from_the_folder_alone_is_still_held(repository: Repository) -> None:
    (repository.folder / names("b")[0]).unlink()
    assert held() == {names("a")[0]: text("a"), names("b")[0]: text("b", "a")}
    repository.git("add", "-A")
    assert list(held()) == names("a")


def test_a_file_that_is_only_meant_to_be_added_is_not_held(repository: Repository) -> None:
    repository.revision("c", "b")
    repository.git("add", "--intent-to-add", "alembic")
    assert list(held()) == names("a", "b")
    assert list(index().not_added) == names("c")


def test_a_file_that_git_ignores_is_not_held_and_not_overlooked(repository: Repository) -> None:
    repository.write(".gitignore", "c_*\n")
    repository.revision("c", "b")
    assert list(index().not_added) == names("c")


def test_what_alembic_does_not_load_is_passed_over(repository: Repository) -> None:
    for name in ("notes.txt", "__init__.py", "__pycache__/x.py", "deeper/x.py", ".#x.py"):
        repository.write(f"alembic/versions/{name}", "x = 1\n")
    repository.write("alembic/env.py", "x = 1\n")
    assert not index().not_added
    repository.git("add", "-A", "-f")
    assert list(held()) == names("a", "b")


def test_deeper_folders_count_where_alembic_looks_into_them(repository: Repository) -> None:
    repository.write("alembic.ini", "[alembic]\nscript_location = alembic\nrecursive_version_locations = true\n")
    repository.write("alembic/versions/2026/c_x.py", header("c", ["b"]))
    repository.git("add", "-A")
    assert "alembic/versions/2026/c_x.py" in held()


@pytest.mark.parametrize("name", ODD)
def test_any_name_is_taken_as_it_is(repository: Repository, name: str) -> None:
    repository.write(f"alembic/versions/{name}", header("c", ["b"]))
    assert list(index().not_added) == [f"alembic/versions/{name}"]
    repository.git("add", "-A")
    assert held()[f"alembic/versions/{name}"] == text("c", "b")
    repository.git("commit", "-q", "-m", "x")
    commit = git_tree.commit(places().shown, places().words, "HEAD")
    assert dict(git_tree.texts(commit)) == held()


@pytest.mark.slow
def test_a_name_that_is_no_text_is_read(repository: Repository) -> None:
    path = os.fsencode(repository.folder / "alembic/versions") + b"/c_\xff.py"
    Path(os.fsdecode(path)).write_bytes(text("c", "b"))
    repository.git("add", "-A")
    assert held()["alembic/versions/c_\udcff.py"] == text("c", "b")


@pytest.mark.slow
def test_paths_are_those_of_the_project_wherever_git_has_its_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Repository(tmp_path)
    project(tmp_path / "x" / "backend", "a").folder.joinpath(".git").rename(tmp_path / "gone")
    made.commit()
    for here, root in ((tmp_path, "x/backend"), (tmp_path / "x/backend", "."), (tmp_path / "x/backend/alembic", "..")):
        monkeypatch.chdir(here)
        there = places(root)
        assert dict(git_tree.texts(git_tree.index(there.shown, there.words))) == {names("a")[0]: text("a")}


@pytest.mark.slow
def test_a_linked_worktree_has_an_index_of_its_own(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("worktree", "add", "-q", "-b", "other", str(tmp_path / "linked"))
    monkeypatch.chdir(tmp_path / "linked")
    (tmp_path / "linked" / names("c")[0]).write_bytes(text("c", "b"))
    git_files.ask("add", "-A")
    assert list(held()) == names("a", "b", "c")
    monkeypatch.chdir(repository.folder)
    assert list(held()) == names("a", "b")


@pytest.mark.slow
def test_a_submodule_is_a_repository_of_its_own(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = Repository(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository.folder), "inner")
    outer.commit()
    monkeypatch.chdir(outer.folder / "inner")
    assert list(held()) == names("a", "b")
    monkeypatch.chdir(outer.folder)
    assert git_tree.index(places("inner").shown, places("inner").words) == Held({}, {}, ())


def test_the_index_that_git_names_is_read(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """`git commit FILE` runs its hooks with an index of that file alone."""
    repository.revision("c", "b")
    repository.git("add", "-A", GIT_INDEX_FILE=".git/another")
    assert list(held()) == names("a", "b")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/another")
    monkeypatch.setenv("GIT_DIR", ".git")
    assert list(held()) == names("a", "b", "c")


def test_a_conflict_is_told_and_read_by_nobody(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "other")
    repository.revision("b", "other")
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.revision("b", "main")
    repository.commit()
    repository.git("merge", "other", ok=False)
    assert index().unmerged == tuple(names("b"))
    assert list(held()) == names("a")


def test_a_file_outside_a_sparse_checkout_is_read_from_the_objects(repository: Repository) -> None:
    repository.git("update-index", "--skip-worktree", names("b")[0])
    repository.revision("b", "zz")
    assert held()[names("b")[0]] == text("b", "a")
    (repository.folder / names("b")[0]).unlink()
    assert held()[names("b")[0]] == text("b", "a")


def test_a_link_is_followed(repository: Repository) -> None:
    repository.write("shared/c_x.py", header("c", ["b"]))
    (repository.folder / names("c")[0]).symlink_to("../../shared/c_x.py")
    repository.commit()
    assert held()[names("c")[0]] == text("c", "b")


@pytest.mark.slow
def test_a_folder_that_is_a_link_is_read_where_it_leads(repository: Repository) -> None:
    (repository.folder / "alembic/versions").rename(repository.folder / "elsewhere")
    (repository.folder / "alembic/versions").symlink_to("../elsewhere")
    repository.commit()
    assert list(held()) == ["elsewhere/a_x.py", "elsewhere/b_x.py"]


def test_a_folder_without_a_repository_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = x\n")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="not a git repository") as raised:
        index()
    assert raised.value.hint == "leave out --staged to check the files in the folder"
    assert git_tree.index_if_any(places().shown, git_tree.start_index(places().words)) is None


def test_a_machine_without_git_is_told(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository.folder))
    with pytest.raises(ConfigurationError, match="git: No such file"):
        index()
    assert git_tree.index_if_any(places().shown, git_tree.start_index(places().words)) is None


def test_an_empty_repository_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Repository(tmp_path)
    made.write("alembic.ini", "[alembic]\nscript_location = alembic\n")
    made.revision("a")
    monkeypatch.chdir(tmp_path)
    assert held() == {}
    assert list(index().not_added) == names("a")
    assert base() is None


def test_without_a_quick_way_to_start_git_the_answers_are_the_same(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.revision("b", "zz")
    before = held(), index(), base(git_history.FOLDER), git_files.ask("no such command")
    monkeypatch.delattr(os, "posix_spawnp")
    assert (held(), index(), base(git_history.FOLDER), git_files.ask("no such command")) == before
    monkeypatch.setenv("PATH", "")
    assert git_files.start("status") is None


def test_no_file_descriptor_is_left_open(repository: Repository) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    held()
    git_files.ask("no such command")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


class TestPublished:
    @pytest.fixture
    def branch(self, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
        made = repository.clone(tmp_path / "clone")
        made.git("checkout", "-q", "-b", "feature")
        monkeypatch.chdir(made.folder)
        return made

    def test_nothing_is_changed_in_a_new_clone(self, branch: Repository) -> None:
        assert changed() == {}

    def test_a_new_revision_changes_nothing_published(self, branch: Repository) -> None:
        branch.add_revision("c", "b")
        branch.revision("d", "c")
        assert changed() == {}

    def test_an_edit_is_seen_once_it_is_staged_and_once_it_is_committed(self, branch: Repository) -> None:
        branch.revision("b", "zz")
        assert changed() == {}
        branch.git("add", "-A")
        assert changed() == {names("b")[0]: text("b", "a")}
        branch.commit()
        found = base()
        assert found is not None
        assert (found.branch, dict(found.changed)) == ("origin/main", {names("b")[0]: text("b", "a")})
        assert branch.git("rev-parse", "origin/main").startswith(found.commit)

    def test_in_the_folder_an_edit_is_seen_before_it_is_staged(self, branch: Repository) -> None:
        assert base(git_history.FOLDER) == Base(git_history.DEFAULT, "", {})
        branch.revision("b", "zz")
        found = base(git_history.FOLDER)
        assert found is not None
        assert (found.branch, dict(found.changed)) == ("origin/main", {names("b")[0]: text("b", "a")})

    def test_what_was_deleted_is_seen(self, branch: Repository) -> None:
        (branch.folder / names("b")[0]).unlink()
        assert changed() == {}
        assert (found := base(git_history.FOLDER)) is not None
        assert list(found.changed) == names("b")
        branch.git("rm", "-q", names("b")[0])
        assert list(changed()) == names("b")

    def test_paths_count_from_the_folder_of_the_process(
        self, branch: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        branch.git("config", "diff.relative", "true")
        branch.revision("b", "zz")
        (branch.folder / "deep/er").mkdir(parents=True)
        monkeypatch.chdir(branch.folder / "deep/er")
        there = places("../..")
        found = git_history.base(there, git_history.start_base(there, ""), "")
        assert found is not None
        assert dict(found.changed) == {names("b")[0]: text("b", "a")}

    def test_of_a_folder_outside_of_the_repository_nothing_is_known(self, branch: Repository, tmp_path: Path) -> None:
        branch.write("alembic.ini", f"[alembic]\nscript_location = {tmp_path / 'elsewhere'}\n")
        assert base(git_history.FOLDER) is None

    def test_a_file_that_was_only_touched_is_the_same(self, branch: Repository) -> None:
        os.utime(branch.folder / names("b")[0], (1, 1))
        assert (found := base(git_history.FOLDER)) is not None
        assert found.changed == {}

    def test_a_git_that_does_not_know_the_question_is_asked_step_by_step(
        self, branch: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        branch.revision("b", "zz")
        branch.git("add", "-A")
        assert (found := git_history.base(places(), git_files.start("diff", "--no-such-option"))) is not None
        assert list(found.changed) == names("b")
        assert git_history.base(places(), None) == found

    def test_a_revision_of_this_branch_may_be_edited(self, branch: Repository) -> None:
        branch.add_revision("c", "b")
        branch.revision("c", "a")
        branch.commit()
        assert changed() == {}

    def test_what_the_default_branch_got_since_is_not_missed_here(
        self, branch: Repository, repository: Repository
    ) -> None:
        repository.add_revision("c", "b")
        branch.git("fetch", "-q")
        assert changed() == {}

    def test_on_the_default_branch_the_upstream_counts(self, branch: Repository) -> None:
        branch.git("checkout", "-q", "main")
        branch.add_revision("c", "b")
        branch.revision("c", "a")
        branch.revision("b", "zz")
        branch.commit()
        assert list(changed()) == names("b")

    def test_without_a_remote_the_local_branch_counts(self, repository: Repository) -> None:
        repository.revision("b", "zz")
        repository.git("add", "-A")
        assert list(changed()) == names("b")
        repository.git("commit", "-q", "-m", "x")
        assert changed() == {}

    @pytest.mark.parametrize("name", ["master", "main"])
    def test_a_remote_of_another_name_is_found(self, repository: Repository, tmp_path: Path, name: str) -> None:
        repository.git("branch", "-q", "-m", name)
        repository.git("checkout", "-q", "-b", "feature")
        repository.git("update-ref", f"refs/remotes/company/{name}", name)
        repository.git("branch", "-q", "-D", name)
        repository.revision("b", "zz")
        repository.git("add", "-A")
        found = base()
        assert found is not None
        assert (found.branch, list(found.changed)) == (f"company/{name}", names("b"))

    def test_where_no_default_branch_is_known_nothing_is(self, repository: Repository) -> None:
        repository.git("branch", "-q", "-m", "trunk")
        assert base() is None

    def test_where_nothing_is_shared_nothing_is_published(self, branch: Repository) -> None:
        branch.git("checkout", "-q", "--orphan", "alone")
        branch.commit()
        assert base() is None

    @pytest.mark.slow
    def test_a_shallow_clone_knows_what_it_has(
        self, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository.add_revision("c", "b")
        shallow = repository.clone(tmp_path / "shallow", "Bob", "--depth=1")
        monkeypatch.chdir(shallow.folder)
        shallow.revision("b", "zz")
        shallow.git("add", "-A")
        assert list(changed()) == names("b")
        shallow.git("commit", "-q", "-m", "x")
        repository.add_revision("d", "c")
        shallow.git("fetch", "-q", "--depth=1")
        assert base() is None

    def test_an_edit_that_comes_with_a_merge_is_not_of_this_branch(
        self, branch: Repository, repository: Repository
    ) -> None:
        branch.add_revision("c", "b")
        repository.revision("b", "zz")
        repository.commit()
        branch.git("fetch", "-q")
        branch.git("merge", "-q", "--no-commit", "origin/main")
        assert changed() == {}
        branch.revision("a", "yy")
        branch.git("add", "-A")
        assert list(changed()) == names("a")

    def test_a_pushed_commit_is_judged_by_itself(self, branch: Repository) -> None:
        branch.revision("b", "zz")
        branch.commit()
        branch.git("checkout", "-q", "main")
        found = base("feature")
        assert found is not None
        assert list(found.changed) == names("b")


def test_authors_are_those_who_added_a_file(repository: Repository) -> None:
    repository.git("config", "user.name", "Bob")
    repository.revision("b", "zz")
    repository.commit()
    repository.add_revision("c", "b")
    repository.revision("d", "c")
    wanted = {path: str(repository.folder / path) for path in names("b", "c", "d")}
    assert list(git_history.authors(wanted).values()) == ["Ann", "Bob", git_history.NOBODY]


@pytest.mark.slow
def test_the_author_of_what_is_merged_is_known_before_and_after_the_merge(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "other")
    repository.git("config", "user.name", "Bob")
    repository.add_revision("c", "b")
    repository.git("checkout", "-q", "main")
    repository.git("config", "user.name", "Ann")
    repository.add_revision("d", "b")
    wanted = {names("c")[0]: names("c")[0], names("m")[0]: names("m")[0]}
    repository.git("merge", "-q", "--no-commit", "other")
    repository.revision("m", "c", "d")
    assert list(git_history.authors(wanted).values()) == ["Bob", git_history.NOBODY]
    repository.commit()
    assert list(git_history.authors(wanted).values()) == ["Bob", "Ann"]
