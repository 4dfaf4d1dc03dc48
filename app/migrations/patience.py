"""How a migration waits for those who hold the lock it needs, and when it gives up.

Queues for no lock itself, save for one that neither reads nor writes queue behind, to be rid of an autovacuum.
"""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations import autovacuum, blockers
from app.migrations.advisory import Caller
from app.migrations.blockers import Blocker, Holder, Wait, spoken
from app.migrations.errors import MigrationFailed

POLL = 0.02
"""Seconds between two looks at pg_locks."""
SAY_AGAIN = 30.0
NEW_ONES_FOR = 5.0
"""Seconds for which transactions that came after the first ones are waited for, doubled with every try."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0


class Limits(NamedTuple):
    """An environment's limits: LOCK_TIMEOUT, LOCK_RETRY_FOR, UPGRADE_WAIT, STATEMENT_TIMEOUT (0: none)."""

    lock_timeout: timedelta
    lock_retry_for: timedelta
    upgrade_wait: timedelta
    statement_timeout: timedelta = timedelta(0)


class Patience:
    """Waits between the tries of one revision, for `lock_retry_for` in all; the next revision begins anew.

    `look` is a connection in autocommit that is free while it waits. `state` says what the database looks like when
    it gives up.
    """

    def __init__(self, look: RawConnection, limits: Limits, caller: Caller, state: Callable[[], str]) -> None:
        self.look = look
        self.limits = limits
        self.caller = caller
        self.state = state
        self.revision = ""
        self.tries = 0
        self.deadline = 0.0
        self.said = 0.0
        self.asked: frozenset[Holder] = frozenset()

    def wait_out(self, revision: str, wait: Wait | None) -> None:
        """Return when another try makes sense: the transactions in the way are gone. Raises MigrationFailed.

        Without a known blocker, and from the third try on, it pauses besides, longer each time.
        """
        if revision != self.revision or not self.tries:
            self.revision, self.tries = revision, 0
            self.deadline = time.monotonic() + self.limits.lock_retry_for.total_seconds()
        self.tries += 1
        self.said = 0.0
        if wait is None:
            self._pause(None, self.tries)
            return
        self._until_free(wait)
        if self.tries > 1:
            self._pause(wait, self.tries - 1)

    def _until_free(self, wait: Wait) -> None:
        """Wait for the holders seen; then, as long as they are no short ones, for those that have come since."""
        patience = self.limits.lock_timeout.total_seconds() / 2
        wanted, since, first_gone = wait.holders, time.monotonic(), 0.0
        while True:
            alive, others = blockers.in_the_way(self.look, wait._replace(holders=wanted))
            now = time.monotonic()
            if not alive:
                short = first_gone and now - since < patience
                if short or not others:
                    return
                first_gone = first_gone or now
                wanted, since = others, now
                continue
            if first_gone and now - first_gone > NEW_ONES_FOR * 2 ** (self.tries - 1):
                return
            if not first_gone or now - since > patience:
                self._say(wait, alive)
            self._check(wait, alive)
            self._end_autovacuum(wait, alive)
            time.sleep(POLL)

    def _end_autovacuum(self, wait: Wait, alive: frozenset[Holder]) -> None:
        """Have the server cancel the workers among those in the way, once for each."""
        workers = autovacuum.workers(self.look, alive - self.asked)
        self.asked |= alive
        if workers:
            autovacuum.have_cancelled(self.look, wait)

    def _pause(self, wait: Wait | None, step: int) -> None:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(step - 1, 10)) * random.uniform(0.5, 1)  # noqa: S311 -- jitter
        self._check(wait, frozenset())
        time.sleep(min(pause, max(0.0, self.deadline - time.monotonic())))

    def _say(self, wait: Wait, alive: frozenset[Holder]) -> None:
        now = time.monotonic()
        if now < self.said + SAY_AGAIN and self.said:
            return
        for blocker in blockers.describe(self.look, alive):
            self.caller.announce(
                f"{self.revision or 'the migration'} needs {wait.name}: waiting, without blocking anybody, for "
                f"{blocker.described}; gives up in {spoken(self.deadline - now)}"
            )
        self.said = now

    def _check(self, wait: Wait | None, alive: frozenset[Holder]) -> None:
        if time.monotonic() < self.deadline:
            return
        found = blockers.describe(self.look, alive)
        raise self._gives_up(wait, found)

    def _gives_up(self, wait: Wait | None, found: list[Blocker]) -> MigrationFailed:
        who = "; ".join(blocker.described for blocker in found) or "no blocker was seen at the end"
        ending = "; ".join(blocker.ending for blocker in found)
        tries = f"{self.tries} {'try' if self.tries == 1 else 'tries'}"
        return MigrationFailed(
            f"{self.caller.place.described}: {self.revision or 'the migration'} did not get the lock on "
            f"{wait.name if wait else 'what it needs'} in {spoken(self.limits.lock_retry_for.total_seconds())} "
            f"({tries}): {who}; {self.state()}",
            "wait for its end" + (f", or end it: {ending};" if ending else ",") + " then repeat the command",
        )
