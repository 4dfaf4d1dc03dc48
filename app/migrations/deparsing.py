"""What PostgreSQL servers of different versions write differently about the same view. Never connects.

From 16 on pg_get_viewdef() leaves out the table before a column where a query reads one table alone.
https://www.postgresql.org/docs/16/functions-info.html#FUNCTIONS-INFO-CATALOG-TABLE
"""

import re

from app.migrations.catalog import Catalog, Difference

PLAIN_SINCE = 16
VIEWS = frozenset({"view", "materialized view"})
TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[\w$]+|\S""")


def is_only_written_differently(one: Difference, before: Catalog, after: Catalog) -> bool:
    """Tell whether a difference comes of the servers' versions alone."""
    if one.kind not in VIEWS or one.attribute != "definition" or one.before is None or one.after is None:
        return False
    if (before.server_version < PLAIN_SINCE) == (after.server_version < PLAIN_SINCE):
        return False
    older, newer = (one.before, one.after) if before.server_version < PLAIN_SINCE else (one.after, one.before)
    return _names_more_tables(TOKEN.findall(older), TOKEN.findall(newer))


def _names_more_tables(older: list[str], newer: list[str]) -> bool:
    """Tell whether the older text is the newer one with `table.` before some of its columns."""
    at = 0
    for token in newer:
        if older[at : at + 1] != [token] and older[at + 1 : at + 3] == [".", token]:
            at += 2
        if older[at : at + 1] != [token]:
            return False
        at += 1
    return at == len(older)
