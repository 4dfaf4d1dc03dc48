"""How it is said which side an environment is on."""

import pytest

from app.migrations import branches
from app.migrations.headers import Revision
from app.migrations.history import History
from app.migrations.whereabouts import Whereabout
from scripts.tasks import joining_screen

HISTORY = History(
    [Revision("p"), Revision("a1", ("p",)), Revision("a2", ("a1",)), Revision("b", ("p",)), Revision("c", ("p",))]
)


def said(capsys: pytest.CaptureFixture[str], heads: tuple[str, ...], one: Whereabout) -> str:
    joining_screen.sides([one], HISTORY, branches.of(HISTORY, heads))
    return capsys.readouterr().out.strip().removeprefix(one.name).strip()


@pytest.mark.parametrize(
    ("applied", "heads", "words"),
    [
        ("p", ("a2", "b"), "neither side"),
        ("p a1 a2", ("a2", "b"), "on the side of a2"),
        ("p a1", ("a2", "b"), "has applied 1 of 2 of a2"),
        ("p a1 b", ("a2", "b"), "has applied 1 of 2 of a2, b"),
        ("p a1 a2 b", ("a2", "b"), "both sides"),
        ("p b c", ("a2", "b", "c"), "on the side of b, c"),
        ("p a1 a2 b c", ("a2", "b", "c"), "all sides"),
    ],
)
def test_what_was_applied(capsys: pytest.CaptureFixture[str], applied: str, heads: tuple[str, ...], words: str) -> None:
    assert said(capsys, heads, Whereabout("dev", frozenset(applied.split()), False)) == words


def test_what_is_not_known_is_said_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, ("a2", "b"), Whereabout("dev", None, False, "no answer")) == "not known: no answer"
    made = Whereabout("dev", frozenset(), False, "not made yet")
    assert said(capsys, ("a2", "b"), made) == "neither side: not made yet"
