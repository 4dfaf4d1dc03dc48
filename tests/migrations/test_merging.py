"""The revision that joins heads: written, proven, and gone again where it does not hold."""

import os
import signal
from pathlib import Path

import pytest

from app.migrations import merging, roundtrip
from app.migrations.errors import ConfigurationError, Interrupted, Refused
from app.migrations.roundtrip_report import Outcome, Report, Result, Way
from tests.migrations.projects import Project
from tests.roads import ask

MAKO = '''"""${message}"""

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
'''


@pytest.fixture
def made(tmp_path: Path) -> Project:
    """A history with the heads `a` and `b`."""
    found = Project(tmp_path)
    found.revision("p", "CREATE TABLE t (n int)")
    found.revision("a", "SELECT 1", parents="p")
    found.revision("b", "SELECT 1", parents="p")
    (tmp_path / "alembic/script.py.mako").write_text(MAKO)
    return found


def files(made: Project) -> set[str]:
    return {path.name for path in made.versions.glob("*.py")}


def test_it_is_written_and_goes_up_and_down(made: Project, scratch_admin: str) -> None:
    written = merging.write(made.folder, scratch_admin, ("a", "b"), "join")
    assert not written.failed
    assert [one.result for one in written.report.revisions] == [Result.OK]
    history = merging.sound(made.folder)
    assert history.heads == (written.revision,)
    assert history[written.revision].parents == ("a", "b")


@pytest.mark.slow
def test_one_that_fails_its_roundtrip_is_gone(made: Project, scratch_admin: str) -> None:
    mako = made.folder / "alembic/script.py.mako"
    mako.write_text(MAKO.replace("    pass", "    raise ValueError", 1))
    before = files(made)
    assert merging.write(made.folder, scratch_admin, ("a", "b"), "join").failed
    assert files(made) == before


@pytest.mark.slow
def test_roles_that_the_history_makes_stand_in_no_way_the_next_time(made: Project, scratch_admin: str) -> None:
    for more in ("SELECT 1", "SELECT 2"):
        made.revision("p", "CREATE TABLE t (n int)", "CREATE ROLE merging_owner", more)
        written = merging.write(made.folder, scratch_admin, ("a", "b"), "join")
        assert not written.failed
        written.path.unlink()
    assert ask(scratch_admin, "SELECT 1 FROM pg_roles WHERE rolname = 'merging_owner'") == []


@pytest.mark.parametrize("how", ["SIGTERM", "Ctrl-C", "a bug"])
def test_whatever_interrupts_it_leaves_no_file(made: Project, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(made)

    def end(*_: object) -> None:
        assert files(made) > before
        if how == "SIGTERM":
            os.kill(os.getpid(), signal.SIGTERM)
        raise KeyboardInterrupt if how == "Ctrl-C" else ValueError

    monkeypatch.setattr(roundtrip, "check", end)
    expected = {"SIGTERM": Interrupted, "Ctrl-C": KeyboardInterrupt, "a bug": ValueError}[how]
    with pytest.raises(expected):
        merging.write(made.folder, "unused", ("a", "b"), "join")
    assert files(made) == before


@pytest.mark.parametrize(
    ("report", "good"),
    [
        (Report((Outcome("a", "", Result.OK),), ("a difference",), 0), True),
        (Report((Outcome("a", "", Result.IRREVERSIBLE),), None, 0), True),
        (Report((Outcome("a", "", Result.FAILED),), None, 0), False),
        (Report((Outcome("a", "", Result.SKIPPED),), None, 0), False),
        (Report((), None, 0), False),
        (Report((Outcome("a", "", Result.OK),), None, 0, (Way("base", "head", "x", failed=True),)), False),
    ],
    ids=["models aside", "irreversible", "failed", "skipped", "nothing checked", "in one go it fails"],
)
def test_what_a_roundtrip_has_to_say(report: Report, good: bool) -> None:
    assert merging.holds(report) is good


def test_a_broken_graph_is_told_with_its_place(made: Project) -> None:
    merging.sound(made.folder)
    made.revision("a", "SELECT 1", parents="absent")
    with pytest.raises(ConfigurationError) as raised:
        merging.sound(made.folder)
    assert raised.value.message.startswith("alembic/versions/a_x.py:5: a names absent as its parent")
    assert raised.value.message.endswith("; nothing was written")


def test_several_heads_that_are_meant_are_to_be_named(made: Project) -> None:
    history = merging.sound(made.folder)
    merging.refuse_what_is_on_purpose(made.folder, history, "inv db.rebase", "--onto")
    (made.folder / "pyproject.toml").write_text("[tool.massacorp.checks]\nseveral_heads = true\n")
    with pytest.raises(Refused) as raised:
        merging.refuse_what_is_on_purpose(made.folder, history, "inv db.rebase", "--onto")
    assert raised.value.hint == "inv db.rebase --onto=a, or --onto=b"
