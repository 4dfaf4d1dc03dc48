"""What the journal remembers of single revisions: who applied them, from which code, what was left. Changes nothing."""

import re
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, text

from app.migrations import journal
from app.migrations.symptoms import Trace

TRACES = """
SELECT DISTINCT ON (revision) revision, action, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
       concat(os_user, '@', os_host), git_commit, coalesce(git_dirty, false),
       EXISTS (SELECT FROM {schema}.alembic_journal s WHERE s.revision = j.revision AND s.source IS NOT NULL)
FROM {schema}.alembic_journal j
WHERE revision = ANY (:ids) AND action IN ('upgrade', 'stamp', 'downgrade', 'begun', 'failed')
ORDER BY revision, action NOT IN ('upgrade', 'stamp'), id DESC
"""
BEGUN = """
SELECT revision, coalesce(min(detail ->> 'direction'), 'upgrade'),
       to_char(min(started_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
       (array_agg(concat(os_user, '@', os_host) ORDER BY id))[1], (array_agg(git_commit ORDER BY id))[1],
       coalesce(bool_or(git_dirty), false), bool_or(source IS NOT NULL),
       (SELECT detail ->> 'error' FROM {schema}.alembic_journal f
        WHERE f.revision = j.revision AND f.action = 'failed' ORDER BY id DESC LIMIT 1)
FROM {schema}.alembic_journal j WHERE action = 'begun' GROUP BY revision ORDER BY min(id)
"""
SOURCE = """
SELECT source FROM {schema}.alembic_journal
WHERE revision = :revision AND source IS NOT NULL ORDER BY action NOT IN ('upgrade'), id DESC LIMIT 1
"""
HALF = re.compile(r"half applied \((.*)\)")


def read(connection: Connection, schema: str | None, ids: Collection[str]) -> dict[str, Trace]:
    """Return what the journal says last of each of these revisions; raises DBAPIError without the right to read it."""
    if not ids or schema is None or not journal.exists(connection, schema, journal.JOURNAL):
        return {}
    rows = connection.execute(text(TRACES.format(schema=schema)), {"ids": list(ids)})
    return {str(row[0]): Trace(*row) for row in rows}


def begun(connection: Connection, schema: str | None) -> Sequence[Trace]:
    """Return the revisions that were begun and never ended, the oldest first; `action` is the direction."""
    if schema is None or not journal.exists(connection, schema, journal.JOURNAL):
        return ()
    return tuple(_begun(row) for row in connection.execute(text(BEGUN.format(schema=schema))))


def source(connection: Connection, schema: str | None, revision: str) -> str | None:
    """Return the source with which a revision was last applied; None where the journal holds none."""
    if schema is None or not journal.exists(connection, schema, journal.JOURNAL):
        return None
    found = connection.scalar(text(SOURCE.format(schema=schema)), {"revision": revision})
    return None if found is None else str(found)


def _begun(row: Sequence[Any]) -> Trace:
    half = HALF.search(row[7] or "")
    return Trace(*row[:7])._replace(left=half[1] if half else "")
