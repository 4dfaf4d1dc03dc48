"""Work beside the main thread ends when that gives up, whenever that is, and nothing of it is lost."""

from concurrent.futures import Future
from threading import Event
from threading import enumerate as enumerate_threads

import pytest

from app.migrations import beside
from tests.migrations.chains import until


def test_what_the_work_returns_or_raises_is_its_outcome() -> None:
    fine: Future[int] = Future()
    beside.begin(lambda: 42, fine)
    assert fine.result(30) == 42
    bad: Future[int] = Future()
    beside.begin(lambda: 1 // 0, bad)
    with pytest.raises(ZeroDivisionError):
        bad.result(30)


def test_who_does_not_hear_that_it_is_over_is_told_again() -> None:
    outcome: Future[None] = Future()
    told: list[bool] = []
    beside.begin(lambda: until(lambda: len(told) > 1, "it was told twice"), outcome)
    beside.end(outcome, lambda: told.append(True))
    assert outcome.done()
    assert outcome.exception() is None


def test_work_that_has_not_begun_never_will() -> None:
    outcome: Future[None] = Future()
    beside.end(outcome, lambda: pytest.fail("nobody is there to be told"))
    began = Event()
    beside.begin(began.set, outcome)
    until(lambda: "beside" not in [thread.name for thread in enumerate_threads()], "the thread is over")
    assert not began.is_set()
    assert outcome.cancelled()


def test_what_has_ended_is_not_told() -> None:
    outcome: Future[int] = Future()
    outcome.set_result(1)
    beside.end(outcome, lambda: pytest.fail("it has ended"))
