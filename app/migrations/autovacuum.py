"""Autovacuum in the way of a migration: has the server end it, as the server does for everybody who waits long enough.

A session that waits for an autovacuum worker's lock has the server cancel that worker after deadlock_timeout (1 s),
which a wait of LOCK_TIMEOUT never reaches. So we wait as long for a lock that no reader and no writer queues behind.
It needs no right but that to change the table. A worker that prevents transaction ID wraparound is never cancelled.
https://www.postgresql.org/docs/current/routine-vacuuming.html#AUTOVACUUM
"""

from collections.abc import Iterable

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations.blockers import Holder, Wait

WORKERS = """
SELECT pid FROM pg_stat_activity
WHERE pid = ANY (%(pids)s) AND (backend_type = 'autovacuum worker' OR (usesysid IS NULL AND backend_type IS NULL))
"""
"""To an ordinary role a worker is a session without a user, and without anything else."""
DEADLOCK_TIMEOUT = "SELECT setting::integer FROM pg_settings WHERE name = 'deadlock_timeout'"
LONGEST = 10_000
"""Milliseconds: with a longer deadlock_timeout a worker is left to its own end."""
MARGIN = 500
"""Milliseconds that the worker is given to end once it is cancelled."""


def workers(look: RawConnection, holders: Iterable[Holder]) -> frozenset[Holder]:
    """Return which holders are autovacuum workers."""
    held = [holder for holder in holders if holder.pid]
    if not held:
        return frozenset()
    with look.cursor() as cursor:
        cursor.execute(WORKERS, {"pids": [holder.pid for holder in held]})
        pids = {row[0] for row in cursor.fetchall()}
    return frozenset(holder for holder in held if holder.pid in pids)


def have_cancelled(look: RawConnection, wait: Wait) -> None:
    """Wait, for deadlock_timeout and a little more, in SHARE UPDATE EXCLUSIVE mode on the relation of `wait`.

    Reads and writes pass meanwhile; another VACUUM, ANALYZE or ALTER TABLE may queue behind. `look` is in autocommit
    and keeps its session locks. Nothing is said where the lock cannot be had; raises psycopg2.Error where the
    connection is lost.
    """
    with look.cursor() as cursor:
        cursor.execute(DEADLOCK_TIMEOUT)
        (timeout,) = cursor.fetchone() or (LONGEST + 1,)
        if timeout > LONGEST or not wait.relation:
            return
        try:
            cursor.execute(
                f"BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {timeout + MARGIN};"
                f"LOCK TABLE ONLY {wait.name} IN SHARE UPDATE EXCLUSIVE MODE"
            )
        except psycopg2.Error as error:
            if error.pgcode is None or look.closed:
                raise
        cursor.execute("ROLLBACK")
