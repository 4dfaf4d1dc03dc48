"""Work in a thread beside the main one, ended early when that is: by an interrupt too, at whatever moment it comes."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")
AGAIN = 0.1
"""Seconds after which who has not ended is asked again."""


def begin(work: Callable[[], Result], outcome: "Future[Result]") -> None:
    """Have `work` done in a thread; `outcome`, a new Future of the caller's, is what comes of it.

    To be called within the `try` whose handler calls `end`: an interrupt may come before this has returned.
    """

    def settle() -> None:
        if not outcome.set_running_or_notify_cancel():
            return
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 -- raised again where it is asked for
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    Thread(target=settle, name="beside", daemon=True).start()


def end(outcome: "Future[Result]", give_up: Callable[[], object]) -> None:
    """Return when the work has ended; work that has not begun never will.

    `give_up` is called again and again: a query's cancel that comes before the query has begun does nothing.
    """
    while not (outcome.cancel() or outcome.done()):
        give_up()
        wait([outcome], AGAIN)
