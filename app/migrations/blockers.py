"""Who holds the lock that a migration waits for, and when they are gone. Never waits in a queue for a lock itself.

Transactions are told apart by pid and virtual transaction id, which every role may read in pg_locks.
https://www.postgresql.org/docs/current/view-pg-locks.html
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations.lock_modes import conflict
from app.migrations.statements import shortened

WAITING = """
SELECT w.locktype, w.relation::bigint, w.relation::regclass::text, w.mode,
       coalesce(h.pid, 0), h.virtualtransaction
FROM (SELECT *, pg_blocking_pids(pid) AS blockers FROM pg_locks WHERE pid = %(pid)s AND NOT granted) w
LEFT JOIN pg_locks h ON h.granted AND (
    (h.pid = ANY (w.blockers) AND h.locktype = 'virtualxid' AND h.virtualxid = h.virtualtransaction)
    OR (h.pid IS NULL AND 0 = ANY (w.blockers) AND h.locktype = w.locktype
        AND h.database IS NOT DISTINCT FROM w.database AND h.relation IS NOT DISTINCT FROM w.relation
        AND h.transactionid IS NOT DISTINCT FROM w.transactionid))
"""
HELD = """
SELECT coalesce(pid, 0), virtualtransaction, CASE WHEN relation = %(relation)s THEN mode END
FROM pg_locks
WHERE granted AND pid IS DISTINCT FROM pg_backend_pid()
  AND (pid IS NULL OR (locktype = 'virtualxid' AND virtualxid = virtualtransaction)
       OR (locktype = 'relation' AND relation = %(relation)s
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))
"""
SESSIONS = """
SELECT pid, usename, application_name, query, extract(epoch FROM clock_timestamp() - xact_start)::float8,
       state, backend_type = 'autovacuum worker' OR (usesysid IS NULL AND backend_type IS NULL)
FROM pg_stat_activity WHERE pid = ANY (%(pids)s) ORDER BY xact_start NULLS LAST, pid
"""
PREPARED = """
SELECT gid, owner, extract(epoch FROM clock_timestamp() - prepared)::float8
FROM pg_prepared_xacts JOIN pg_locks ON transactionid = transaction AND locktype = 'transactionid' AND pid IS NULL
WHERE granted AND virtualtransaction = ANY (%(ids)s) ORDER BY prepared
"""
HIDDEN = "<insufficient privilege>"
WRAPAROUND = "(to prevent wraparound)"


class Holder(NamedTuple):
    """One transaction: the pid of its session, 0 for a prepared one, and its virtual transaction id."""

    pid: int
    transaction: str


class Wait(NamedTuple):
    """What a statement was seen to wait for; `relation` is 0 where it is not a table or an index."""

    relation: int
    name: str
    mode: str
    holders: frozenset[Holder]


class Blocker(NamedTuple):
    """A transaction in the way, in words, and the SQL that would end it."""

    described: str
    ending: str


def waiting(connection: RawConnection, pid: int) -> Wait | None:
    """Return what the session `pid` waits for at this moment, and who is in its way; None if it does not wait."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"pid": pid})
        rows = cursor.fetchall()
    if not rows:
        return None
    kind, relation, name, mode = rows[0][:4]
    holders = frozenset(Holder(row[4], row[5]) for row in rows if row[5] is not None)
    is_relation = kind == "relation" and relation is not None
    return Wait(relation if is_relation else 0, name or f"a {kind} lock", mode, holders)


def in_the_way(connection: RawConnection, wait: Wait) -> tuple[frozenset[Holder], frozenset[Holder]]:
    """Return which holders of `wait` still live, and who else holds a conflicting lock on its relation now."""
    with connection.cursor() as cursor:
        cursor.execute(HELD, {"relation": wait.relation})
        rows = cursor.fetchall()
    alive = frozenset(Holder(pid, transaction) for pid, transaction, _ in rows)
    conflicting = (Holder(pid, transaction) for pid, transaction, mode in rows if mode and conflict(mode, wait.mode))
    return wait.holders & alive, frozenset(conflicting) - wait.holders


def describe(connection: RawConnection, holders: Iterable[Holder]) -> list[Blocker]:
    """Describe the holders that still live: who, since when, with which query as far as this role may see it."""
    held = list(holders)
    with connection.cursor() as cursor:
        cursor.execute(SESSIONS, {"pids": [holder.pid for holder in held if holder.pid]})
        sessions = cursor.fetchall()
        cursor.execute(PREPARED, {"ids": [holder.transaction for holder in held if not holder.pid]})
        prepared = cursor.fetchall()
    return [_session(row) for row in sessions] + [_prepared(*row) for row in prepared]


def _session(row: tuple[Any, ...]) -> Blocker:
    pid, user, name, query, age, state, is_autovacuum = row
    if is_autovacuum:
        return _autovacuum(pid, query, age)
    who = f"pid {pid} (user {user or '?'}, application {name or 'not named'})"
    if query == HIDDEN or (age is None and state is None):
        what = "the age of its transaction and its query are shown to members of pg_read_all_stats only"
    else:
        doing = "idle in transaction, last query" if (state or "").startswith("idle") else "running"
        what = f"transaction open for {spoken(age or 0)}, {doing}: {shortened(query or 'none', 100)}"
    return Blocker(f"{who}, {what}", f"SELECT pg_terminate_backend({pid})")


def _autovacuum(pid: int, query: str | None, age: float | None) -> Blocker:
    what = "what it does is shown to members of pg_read_all_stats only"
    if query and query != HIDDEN:
        what = f"since {spoken(age or 0)}: {shortened(query, 100)}"
    if WRAPAROUND in (query or ""):
        what += "; the server does not cancel this one for anybody: let it end (it is fast with vacuum_cost_delay = 0)"
    return Blocker(f"pid {pid}, an autovacuum worker, {what}", f"SELECT pg_cancel_backend({pid}) as a superuser")


def _prepared(gid: str, owner: str, age: float) -> Blocker:
    quoted = gid.replace("'", "''")
    return Blocker(
        f"prepared transaction '{gid}' (user {owner}), prepared {spoken(age)} ago and not ended since",
        f"ROLLBACK PREPARED '{quoted}'",
    )


def spoken(seconds: float) -> str:
    """Return a length of time as a person says it, in its two largest units."""
    whole = max(0, round(seconds))
    if whole < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    parts = [(whole // size, unit) for size, unit in units if whole >= size][:1]
    size = next(size for size, unit in units if unit == parts[0][1])
    rest = next(((whole % size // smaller, unit) for smaller, unit in units if smaller < size), (0, ""))
    return " ".join(f"{count} {unit}" for count, unit in [*parts, rest] if count)
