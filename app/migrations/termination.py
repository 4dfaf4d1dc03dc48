"""SIGTERM while a database is changed: the revision at work is finished, and none is begun after it.

That is how orchestrators end a container, and the first process of one hears no signal that it has no handler for.
https://docs.docker.com/reference/cli/docker/container/stop/
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sqlalchemy.exc import DBAPIError

from app.migrations.errors import Interrupted
from app.migrations.failures import Place
from app.migrations.recorder import Done
from app.migrations.timeouts import RETRIED

HEARD = b"SIGTERM: the revision at work is finished, then nothing more is begun\n"


class Termination:
    """What one change has heard. `done` is the last revision that is finished."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.at_work = False
        self.asked = False
        self.done = ""

    def hear(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- as `signal` calls it
        """Handle SIGTERM, once the statement at work has returned. Raises Interrupted where no revision is at work."""
        if not self.at_work:
            raise self.stopped()
        if not self.asked:
            self.asked = True
            os.write(2, HEARD)  # print may be what was interrupted

    def reported(self, progress: Callable[[Done], None] | None) -> Callable[[Done], None]:
        """Return what is called after each finished revision; it raises Interrupted where that was the last one."""

        def report(done: Done) -> None:
            self.done = done.revision
            if progress is not None:
                progress(done)
            self.check()

        return report

    @contextmanager
    def working(self) -> Iterator[None]:
        """Finish what is begun in the block; a try that got no lock is not repeated for it."""
        self.check()
        self.at_work = True
        try:
            yield
        except DBAPIError as error:
            if self.asked and getattr(error.orig, "pgcode", None) in RETRIED:
                raise self.stopped() from error
            raise
        finally:
            self.at_work = False

    def check(self) -> None:
        """Raise Interrupted where SIGTERM was heard."""
        if self.asked:
            raise self.stopped()

    def stopped(self) -> Interrupted:
        """Return the error that ends the change."""
        after = f"after revision {self.done}, which is kept" if self.done else "before a revision was finished"
        return Interrupted(
            f"{self.place.described}: stopped by SIGTERM {after}; what was not committed is rolled back",
            f"`{self.place.status}` shows where it stands; the same command goes on from there",
        )


@contextmanager
def raised(state: str) -> Iterator[None]:
    """Raise Interrupted in the block at SIGTERM, so that it undoes what it began; `state` is what holds then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 -- as `signal` calls it
        raise Interrupted(f"stopped by SIGTERM; {state}", "the same command begins anew")

    before = signal.signal(signal.SIGTERM, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def heard(place: Place) -> Iterator[Termination]:
    """Handle SIGTERM while the block runs, in the main thread; elsewhere its owner's handler stays."""
    termination = Termination(place)
    if threading.current_thread() is not threading.main_thread():
        yield termination
        return
    before = signal.signal(signal.SIGTERM, termination.hear)
    try:
        yield termination
    finally:
        signal.signal(signal.SIGTERM, before)
