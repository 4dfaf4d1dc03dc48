"""Revisions whose files were edited after they were applied, told by the journal. Changes nothing."""

from collections.abc import Collection
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, text

from app.migrations import journal
from app.migrations.build_inputs import Inputs
from app.migrations.revision import digest

LATEST = """
SELECT revision, digest, encode(sha256(convert_to(source, 'UTF8')), 'hex'), to_char(started_at AT TIME ZONE 'UTC',
       'YYYY-MM-DD HH24:MI "UTC"'), git_commit
FROM (SELECT DISTINCT ON (revision) * FROM {schema}.alembic_journal
      WHERE action IN ('upgrade', 'downgrade', 'stamp') ORDER BY revision, id DESC) latest
WHERE action = 'upgrade' AND digest IS NOT NULL ORDER BY id
"""
SOURCE = """
SELECT source FROM {schema}.alembic_journal WHERE revision = :revision AND action = 'upgrade' ORDER BY id DESC LIMIT 1
"""


class Edited(NamedTuple):
    """A revision whose file says something else than when it was applied; `commit` is the code of that time."""

    revision: str
    path: str
    applied_at: str
    commit: str | None
    digest: str


def since_applied(
    connection: Connection, schema: str | None, inputs: Inputs, applied: Collection[str]
) -> tuple[Edited, ...]:
    """Return which of the `applied` revisions were edited; comments and layout do not count.

    What was stamped, or applied before there was a journal, is not known here. One statement; raises DBAPIError
    without the right to read the journal.
    """
    if schema is None or not journal.exists(connection, schema, journal.JOURNAL):
        return ()
    edited = []
    for revision, then, hashed, applied_at, commit in connection.execute(text(LATEST.format(schema=schema))):
        if revision not in applied or revision not in inputs.history:
            continue
        source = inputs.source(revision)
        if sha256(source.decode("utf-8", "replace").replace("\0", "").encode()).hexdigest() == hashed:
            continue
        now = digest(source)
        if now.partition(":")[0] != then.partition(":")[0]:  # written down by another version of the toolkit
            kept = connection.scalar(text(SOURCE.format(schema=schema)), {"revision": revision})
            then = digest(kept) if kept is not None else then  # noqa: PLW2901
        if now != then:
            edited.append(Edited(revision, inputs.history[revision].path, applied_at, commit, now))
    return tuple(edited)
