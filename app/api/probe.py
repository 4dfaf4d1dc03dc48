"""Answers many probes with one look at the database at a time, each within a limit. Never blocks the event loop.

A look runs in a thread of its own: the pool of threads that other requests share may be full, and must not be.
"""

import asyncio
import logging
import threading
from contextlib import suppress

from app.migrations.readiness import Looker, Readiness, silent

WITHIN = 2.0
"""Seconds within which a probe is answered, whatever the database does."""

log = logging.getLogger(__name__)


class Probe:
    """The looks of one process, on its event loop. Who asks while a look is under way gets that one's answer."""

    def __init__(self, looker: Looker, within: float = WITHIN) -> None:
        self.looker = looker
        self.within = within
        self.under_way: asyncio.Future[Readiness] | None = None
        self.said = ""

    async def ask(self) -> Readiness:
        """Return what the database is like now; that it is silent, when it has not said so in time."""
        if self.under_way is None or self.under_way.done():
            self.under_way = self._begin()
        try:
            found = await asyncio.wait_for(asyncio.shield(self.under_way), self.within)
        except TimeoutError:
            found = silent(self.looker.place)
        self._say(found)
        return found

    def close(self) -> None:
        """End the look that is under way, and the connection."""
        self.looker.cut()
        self.looker.engine.dispose()

    def _begin(self) -> "asyncio.Future[Readiness]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Readiness] = loop.create_future()
        # a little before those who wait for it give up, so that they hear what it has to say
        timer = loop.call_later(self.within * 0.95, self.looker.cut)
        answer.add_done_callback(lambda _: timer.cancel())

        def settle(found: Readiness | BaseException) -> None:
            if answer.cancelled():
                return
            if isinstance(found, BaseException):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def look() -> None:
            found: Readiness | BaseException
            try:
                found = self.looker.look()
            except BaseException as error:  # noqa: BLE001 -- raised again where it is awaited
                found = error
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=look, name="readiness", daemon=True).start()
        return answer

    def _say(self, found: Readiness) -> None:
        """Log what has changed; what was read of an address goes there and not into an answer."""
        if found.words == self.said:
            return
        self.said = found.words
        if found.ready:
            log.info("ready: the database is %s", found.words)
        else:
            log.warning("not ready: %s\n  next: %s", found.detail or found.words, found.next)
