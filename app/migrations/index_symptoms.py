"""Finds indexes that are not valid and that nobody is building at this moment. Changes nothing.

https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

import re

from sqlalchemy import Connection, text

from app.migrations.symptoms import InvalidIndex

LEFTOVER = re.compile(r"_cc(?:new|old)\d*$")
"""How REINDEX CONCURRENTLY names the index that it builds, and the one that it takes away."""

INVALID = text("""
SELECT i.indexrelid::bigint, format('%I.%I', n.nspname, c.relname), format('%I.%I', n.nspname, t.relname),
       format('%I ON %I.%I', c.relname, n.nspname, t.relname), pg_get_indexdef(i.indexrelid),
       EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x'))
       OR EXISTS (SELECT FROM pg_inherits WHERE inhrelid = i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND c.relkind = 'i' AND i.indexrelid >= 16384
  AND n.nspname !~ '^pg_temp'
  AND NOT EXISTS (
    SELECT FROM pg_stat_progress_create_index p
    WHERE p.datname = current_database() AND (p.index_relid = i.indexrelid OR EXISTS (
        SELECT FROM pg_locks l
        WHERE l.pid = p.pid AND l.granted AND l.locktype = 'relation'
          AND l.relation = i.indrelid AND l.database = p.datid)))
  AND NOT EXISTS (
    SELECT FROM pg_locks l
    WHERE l.locktype = 'relation' AND l.relation = i.indexrelid AND l.granted AND l.pid <> pg_backend_pid()
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND l.mode IN ('ShareUpdateExclusiveLock', 'AccessExclusiveLock'))
ORDER BY 2
""")


def invalid(connection: Connection) -> tuple[InvalidIndex, ...]:
    """Return them, on a connection in autocommit. The index of a partitioned table, which is no work, is left out.

    Looked at twice: a build that ended between the reading of the catalog and that of the sessions would seem to
    have failed. A session that takes an index away, or rebuilds it, holds a lock on it.
    """
    found = _read(connection)
    return found if not found else tuple(one for one in _read(connection) if one in found)


def is_leftover(index: InvalidIndex) -> bool:
    """Return whether a REINDEX CONCURRENTLY that failed has left it: then the index that is meant is another one."""
    return LEFTOVER.search(index.name.rstrip('"')) is not None


def _read(connection: Connection) -> tuple[InvalidIndex, ...]:
    rows = connection.execute(INVALID)
    return tuple(InvalidIndex(*row) for row in rows)
