"""A clone in a git repository of its own, on a branch into which the main one was merged: two heads."""

from tests.clones import Clone
from tests.repositories import Repository, variables
from tests.test_guide import HEAD

OURS, THEIRS = "aaaa00000001", "bbbb00000001"
ADD = """
def upgrade() -> None:
    op.add_column("users", sa.Column("{column}", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "{column}")
"""
SQL = """
def upgrade() -> None:
    op.execute({up!r})


def downgrade() -> None:
    op.execute({down!r})
"""


def isolate(clone: Clone) -> Repository:
    """Have git know nothing of the user's settings, and commit what is there on the branch main."""
    kept = {name: value for name, value in clone.environment.items() if name.startswith("PYTHON")}
    scratch = {"SCRATCH_URL": clone.environment["SCRATCH_URL"]}
    clone.environment = variables() | kept | scratch
    for name in ("DATABASE_URL", "APP_ENV", "PG_BIN"):
        clone.environment.pop(name, None)
    made = Repository(clone.folder)
    made.commit("begin")
    return made


def branch(clone: Clone, ours: str = "", theirs: str = "", *more: tuple[str, str, str]) -> Repository:
    """Write a revision on the branch `feature`, and others after it; one on main; merge main, and stay on `feature`."""
    made = isolate(clone)
    made.git("checkout", "-q", "-b", "feature")
    clone.write_revision(OURS, HEAD, ours or ADD.format(column="ours"))
    for id_, parent, body in more:
        clone.write_revision(id_, parent, body)
    made.commit("ours")
    made.git("checkout", "-q", "main")
    clone.write_revision(THEIRS, HEAD, theirs or ADD.format(column="theirs"))
    made.commit("theirs")
    made.git("checkout", "-q", "feature")
    made.git("merge", "-q", "-m", "two heads", "main")
    return made


def texts(clone: Clone) -> dict[str, bytes]:
    """What is in the versions folder."""
    return {path.name: path.read_bytes() for path in clone.versions.glob("*.py")}
