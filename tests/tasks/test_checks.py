"""`inv db.check` on the working tree, and `inv setup` where hooks cannot be installed."""

import json
from pathlib import Path

import pytest

from tests.clones import Clone, copy_tree
from tests.repositories import Repository, rules, variables

HEAD = "e5a72b8c9d0f"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A copy of the tree that no repository holds, and no database."""
    made = Clone(copy_tree(tmp_path / "clone"))
    ours = made.environment
    made.environment = variables() | {name: ours[name] for name in ours if name.startswith("PYTHON")}
    made.environment["GIT_CEILING_DIRECTORIES"] = str(tmp_path)
    return made


def with_faults(clone: Clone) -> None:
    """Break the history, a revision and an environment's file."""
    clone.write_revision("aaaa00000001", HEAD, "def upgrade() -> None:\n    op.drop_table('sessions')\n")
    clone.write_revision(
        "bbbb00000001", HEAD, "def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass"
    )
    prod = clone.folder / "envs/prod.env"
    url = "postgresql://me:s3cret-word@h/a"
    prod.write_text(prod.read_text().replace("DATABASE_URL=", f"DATABASE_URL={url}"))


def test_a_good_tree_is_good(clone: Clone) -> None:
    done = clone.inv("db.check", cwd="envs")
    assert done.out == f"4 revisions, head {HEAD}: no findings\n"
    assert done.err.startswith("note: no default branch is known here")


def test_the_three_checks_are_run_together(clone: Clone) -> None:
    with_faults(clone)
    done = clone.inv("db.check", "--json", ok=False)
    assert done.code == 1
    document = json.loads(done.out)
    assert document["heads"] == ["aaaa00000001", "bbbb00000001"]
    assert {"several-heads", "missing-downgrade", "secret-in-tracked-file"} <= set(rules(document["findings"]))
    assert list(document["findings"][0]) == ["rule", "severity", "path", "line", "message", "instead"]
    assert "s3cret" not in done.out + done.err
    text = clone.inv("db.check", ok=False)
    assert "\n  next: inv db.merge\n" in text.out
    assert text.out.splitlines()[-1].startswith("6 revisions, head aaaa00000001, bbbb00000001: ")


@pytest.mark.slow
def test_every_format_is_written(clone: Clone) -> None:
    with_faults(clone)
    assert "::error file=alembic/versions/aaaa00000001" in clone.inv("db.check", "--format=github", ok=False).out
    assert json.loads(clone.inv("db.check", "--format=sarif", ok=False).out)["version"] == "2.1.0"
    done = clone.inv("db.check", "--format=xml", ok=False)
    assert (done.code, done.err.splitlines()[0]) == (
        2,
        "error: --format=xml is none of text, json, github, sarif; nothing was done",
    )


def test_with_git_what_is_published_counts_and_what_is_untracked_does_not(clone: Clone) -> None:
    repository = Repository(clone.folder)
    repository.commit()
    clone.write_revision(
        "aaaa00000001", HEAD,
        'irreversible = "nothing to undo"\n\n\ndef upgrade() -> None:\n    pass\n\n\n'
        'def downgrade() -> None:\n    raise NotImplementedError(irreversible)',
    )  # fmt: skip
    assert rules(json.loads(clone.inv("db.check", "--json", ok=False).out)["findings"]) == []
    (path,) = clone.versions.glob(f"{HEAD}*.py")
    path.write_text(path.read_text() + "\n\nEXTRA = 1\n")
    done = clone.inv("db.check", "--json", ok=False)
    assert done.err == ""
    assert rules(json.loads(done.out)["findings"]) == ["published-edited"]


def test_setup_without_a_repository_says_what_to_do(clone: Clone) -> None:
    done = clone.inv("setup", ok=False)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"error: {clone.folder} is not in a git repository that git can read; no hooks were installed\n"
        "  next: git init && inv setup, or work in a clone\n"
    )


def test_setup_with_hooks_elsewhere_says_what_to_do(clone: Clone) -> None:
    Repository(clone.folder).git("config", "core.hooksPath", "/company/hooks")
    done = clone.inv("setup", ok=False)
    assert done.code == 2
    assert done.err == (
        "error: core.hooksPath is /company/hooks (local): git runs the hooks there and no others; none were installed\n"
        "  next: git config --local --unset-all core.hooksPath && inv setup\n"
    )


def test_setup_inside_another_repository_says_what_to_do(clone: Clone) -> None:
    Repository(clone.folder.parent)
    done = clone.inv("setup", ok=False, GIT_CEILING_DIRECTORIES="")
    assert done.code == 2
    assert f"is part of the repository {clone.folder.parent}, whose hooks are its own" in done.err
