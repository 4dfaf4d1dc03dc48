"""The hooks as people meet them: real git, the real pre-commit, a clone of this repository after `inv setup`."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clones import copy_tree
from tests.repositories import Done, Repository

pytestmark = pytest.mark.slow
HEAD = "e5a72b8c9d0f"
HOOKS = ["post-checkout", "post-merge", "post-rewrite", "pre-commit", "pre-merge-commit", "pre-push"]
MENDING = "inv db.merge && git add alembic/versions && git commit"
MERGING, COMMITTED = f"{MENDING} --no-edit", f'{MENDING} -m "merge the heads"'
REVISION = '''"""add users.{name}

Revision ID: {id}
Revises: {parent}
"""

import sqlalchemy as sa
from alembic import op

revision: str = "{id}"
down_revision: str | None = "{parent}"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("users", sa.Column("{name}", sa.Text(), nullable=True))


def downgrade() -> None:
    {down}
'''


class Checkout(Repository):
    """A clone of this repository; commands find the tools of this virtual environment, and no database."""

    def __init__(self, folder: Path, author: str = "Ann", init: bool = True) -> None:
        super().__init__(folder, author, init)
        self.environment |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PRE_COMMIT_HOME": str(folder.parent / "pre-commit"),
            "PRE_COMMIT_COLOR": "never",
        }

    def write_revision(self, id_: str, parent: str = HEAD, down: str = "") -> Path:
        name = f"column_{id_}"
        text = REVISION.format(id=id_, parent=parent, name=name, down=down or f'op.drop_column("users", "{name}")')
        return self.write(f"alembic/versions/{id_}_add_users_{name}.py", text)

    def commit_revision(self, id_: str, parent: str = HEAD, *options: str) -> None:
        self.write_revision(id_, parent)
        self.commit(f"add {id_}", *options)

    def try_to(self, *words: str, **changes: str) -> Done:
        return self.run("git", *words, ok=False, cwd=None, **changes)

    def mend(self, shown: str, command: str) -> None:
        """Run the command that a message ends in."""
        named = [line.strip().removeprefix("next: ") for line in shown.splitlines() if "next: " in line][-1]
        assert named == command
        self.run("sh", "-c", named)

    def heads(self) -> int:
        return len(self.run(sys.executable, "-m", "invoke", "db.heads").out.splitlines())


@pytest.fixture(scope="module", autouse=True)
def our_scratch_server(scratch_admin: str) -> Iterator[None]:
    """What a command needs a scratch database for is done there: no clone starts a server of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCRATCH_URL", scratch_admin)
        yield


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """What everybody clones and pushes to."""
    made = Repository(copy_tree(tmp_path_factory.mktemp("origin") / "massacorp"))
    made.commit("begin")
    return made


@pytest.fixture(scope="module")
def bare(origin: Repository) -> Path:
    folder = origin.folder.parent / "massacorp.git"
    origin.git("clone", "-q", "--bare", str(origin.folder), str(folder))
    return folder


@pytest.fixture(scope="module")
def hooks(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hooks that `inv setup` installs in a new clone."""
    folder = tmp_path_factory.mktemp("setup") / "clone"
    Repository(bare.parent).git("clone", "-q", str(bare), str(folder))
    made = Checkout(folder, init=False)
    for _ in range(2):
        done = made.run(sys.executable, "-m", "invoke", "setup")
        assert "inv --print-completion-script=" in done.out
    return folder / ".git/hooks"


@pytest.fixture
def remote(bare: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bare, tmp_path / "massacorp.git"))


def clone(remote: Path, hooks: Path, name: str) -> Checkout:
    folder = remote.parent / name
    Repository(remote.parent).git("clone", "-q", str(remote), str(folder))
    made = Checkout(folder, name, init=False)
    shutil.copytree(hooks, folder / ".git/hooks", dirs_exist_ok=True)
    return made


@pytest.fixture
def ann(remote: Path, hooks: Path) -> Checkout:
    return clone(remote, hooks, "Ann")


@pytest.fixture
def bob(remote: Path, hooks: Path) -> Checkout:
    return clone(remote, hooks, "Bob")


def test_setup_installs_every_hook(hooks: Path) -> None:
    assert sorted(path.name for path in hooks.iterdir() if path.suffix != ".sample") == HOOKS


def test_a_good_revision_is_committed_and_pushed(ann: Checkout) -> None:
    ann.commit_revision("aaaa00000001")
    ann.git("push", "-q", "origin", "main")


def test_a_commit_without_a_downgrade_is_stopped(ann: Checkout) -> None:
    ann.write_revision("aaaa00000001", down="pass")
    ann.git("add", "-A")
    done = ann.try_to("commit", "-m", "x")
    assert done.code == 1
    assert "missing-downgrade" in done.out


def test_a_commit_that_leaves_its_revision_out_is_stopped(ann: Checkout) -> None:
    path = ann.write_revision("aaaa00000001")
    ann.write("README.md", "changed\n")
    done = ann.try_to("commit", "-q", "-a", "-m", "x")
    assert done.code == 1
    assert f"next: git add -f alembic/versions/{path.name}" in done.out


def test_a_commit_of_one_file_is_checked_as_it_will_be(ann: Checkout) -> None:
    """git makes an index for it: the other revision, which is staged, is not part of that commit."""
    one, other = ann.write_revision("aaaa00000001"), ann.write_revision("bbbb00000001", "aaaa00000001")
    ann.git("add", "-A")
    done = ann.try_to("commit", "-q", "-m", "x", "--", str(other))
    assert done.code == 1
    assert "bbbb00000001 names aaaa00000001 as its parent, and no file has that id" in done.out
    ann.git("commit", "-q", "-m", "x", "--", str(one))
    ann.git("commit", "-q", "-m", "y", "--", str(other))


def test_a_clean_merge_into_two_heads_is_stopped_and_the_command_mends_it(ann: Checkout) -> None:
    ann.git("checkout", "-q", "-b", "feature")
    ann.commit_revision("aaaa00000001")
    ann.git("checkout", "-q", "main")
    ann.commit_revision("bbbb00000001")
    done = ann.try_to("merge", "feature", "-m", "merge feature")
    assert done.code == 1
    assert "several-heads" in done.out
    assert "they part at e5a72b8c9d0f" in done.out
    assert done.out.endswith(f"  next: {MERGING}\n\nNot committing merge; use 'git commit' to complete the merge.")
    ann.mend(done.out, MERGING)
    assert ann.heads() == 1
    assert ann.git("log", "-1", "--format=%s %P").startswith("merge feature ")
    assert not ann.git("status", "--porcelain")


def test_a_merge_with_a_conflict_is_checked_when_it_is_committed(ann: Checkout) -> None:
    ann.git("checkout", "-q", "-b", "feature")
    ann.write("LICENSE", "theirs\n")
    ann.commit_revision("aaaa00000001")
    ann.git("checkout", "-q", "main")
    ann.write("LICENSE", "ours\n")
    ann.commit_revision("bbbb00000001")
    assert ann.try_to("merge", "feature").code == 1
    ann.write("LICENSE", "both\n")
    ann.git("add", "LICENSE")
    done = ann.try_to("commit", "-q", "-m", "merge")
    assert done.code == 1
    ann.mend(done.out, MERGING)
    assert ann.heads() == 1


def test_a_pull_with_rebase_is_told_and_the_push_is_stopped(ann: Checkout, bob: Checkout) -> None:
    bob.commit_revision("bbbb00000001")
    bob.git("push", "-q", "origin", "main")
    ann.commit_revision("aaaa00000001")
    done = ann.try_to("pull", "--rebase", "-q", "origin", "main")
    assert done.code == 0
    assert f"next: {COMMITTED}" in done.out
    assert "by Bob" in done.out
    pushed = ann.try_to("push", "-q", "origin", "main")
    assert pushed.code == 1
    ann.mend(pushed.out, COMMITTED)
    ann.git("push", "-q", "origin", "main")
    assert ann.heads() == 1


def test_what_no_verify_has_let_in_is_stopped_at_the_push(ann: Checkout) -> None:
    ann.commit_revision("aaaa00000001")
    ann.commit_revision("bbbb00000001", HEAD, "--no-verify")
    done = ann.try_to("push", "origin", "main")
    assert done.code == 1
    ann.mend(done.out, COMMITTED)
    ann.git("push", "-q", "origin", "main")


def test_the_pushed_commit_counts_and_not_the_one_that_is_checked_out(ann: Checkout) -> None:
    ann.git("checkout", "-q", "-b", "broken")
    ann.commit_revision("bbbb00000001", "nowhere", "--no-verify")
    ann.git("checkout", "-q", "main")
    assert "missing-parent" in ann.try_to("push", "origin", "broken").out
    ann.git("checkout", "-q", "broken")
    ann.git("push", "-q", "origin", "main")


def test_the_first_push_of_everything_is_checked(ann: Checkout, tmp_path: Path) -> None:
    Repository(tmp_path).git("init", "-q", "--bare", "empty.git")
    ann.git("remote", "add", "empty", str(tmp_path / "empty.git"))
    ann.commit_revision("aaaa00000001")
    ann.commit_revision("bbbb00000001", HEAD, "--no-verify")
    assert "several-heads" in ann.try_to("push", "empty", "main").out


def test_an_edit_of_a_published_revision_is_stopped(ann: Checkout) -> None:
    (path,) = ann.folder.glob(f"alembic/versions/{HEAD}*.py")
    path.write_text(path.read_text() + "\n\nEXTRA = 1\n")
    ann.git("add", "-A")
    done = ann.try_to("commit", "-m", "x")
    assert done.code == 1
    assert "published-edited" in done.out


def test_a_linked_worktree_is_checked_like_any(ann: Checkout, tmp_path: Path) -> None:
    ann.git("worktree", "add", "-q", "-b", "linked", str(tmp_path / "linked"))
    linked = Checkout(tmp_path / "linked", init=False)
    linked.write_revision("aaaa00000001", "nowhere")
    linked.git("add", "-A")
    done = linked.try_to("commit", "-m", "x")
    assert done.code == 1
    assert "missing-parent" in done.out


def test_an_old_branch_without_hooks_can_be_worked_on(ann: Checkout) -> None:
    ann.git("rm", "-q", ".pre-commit-config.yaml")
    ann.git("commit", "-q", "-m", "before there were hooks", "--no-verify")
    ann.commit_revision("aaaa00000001")


class TestElsewhere:
    """Another repository, whose configuration names this one."""

    @pytest.fixture
    def other(self, origin: Repository, tmp_path: Path) -> Checkout:
        made = Checkout(tmp_path / "other")
        revision = origin.git("rev-parse", "HEAD")
        made.write(
            ".pre-commit-config.yaml",
            "default_install_hook_types: [pre-commit, pre-merge-commit, pre-push]\nrepos:\n"
            f"  - repo: {origin.folder.as_uri()}\n    rev: {revision}\n    hooks:\n"
            "      - id: check-history\n        args: [--staged, --config=backend/alembic.ini]\n"
            "      - id: check-migrations\n",
        )
        made.write("backend/alembic.ini", "[alembic]\nscript_location = migrations\npath_separator = os\n")
        text = REVISION.format(id="c0", parent="x", name="a", down='op.drop_column("users", "a")')
        made.write("backend/migrations/versions/c0_a.py", text.replace('= "x"', "= None"))
        made.commit("begin")
        made.run(sys.executable, "-m", "pre_commit", "install")
        return made

    def test_its_history_is_checked_by_our_scripts(self, other: Checkout) -> None:
        for id_ in ("d1", "d2"):
            text = REVISION.format(id=id_, parent="c0", name="b", down='op.drop_column("users", "b")')
            other.write(f"backend/migrations/versions/{id_}_b.py", text)
        other.git("add", "-A")
        done = other.try_to("commit", "-m", "x")
        assert done.code == 1
        merge = '(cd backend && alembic merge -m "merge heads" heads)'
        assert f"  next: {merge} && git add backend/migrations/versions && git commit\n" in done.out
        assert "backend/migrations/versions/d1_b.py:10: several-heads" in done.out
        other.git("rm", "-q", "-f", "backend/migrations/versions/d2_b.py")
        other.git("commit", "-q", "-m", "x")

    def test_its_revisions_are_checked_by_our_scripts(self, other: Checkout) -> None:
        text = REVISION.format(id="d1", parent="c0", name="b", down="pass")
        other.write("backend/migrations/versions/d1_b.py", text)
        other.git("add", "-A")
        assert "missing-downgrade" in other.try_to("commit", "-m", "x").out
