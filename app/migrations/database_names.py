"""The names that a restore gives to databases, and what they say about them. Never looks whether one is taken.

A name has at most 63 bytes, and more is cut without a word: so the name that is followed by an ending is cut here,
between two characters. https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
"""

import re
from datetime import UTC, datetime

LONGEST = 63
"""Bytes, unless the server was compiled with another NAMEDATALEN."""
STAMP = "%Y%m%dT%H%M%SZ"

_KEPT = r"_before_\d{8}T\d{6}Z"
_BUILT = r"_restoring_[0-9a-f]{16}"
_ENDING = re.compile(f"(?:{_KEPT}|{_BUILT})$")


def fits(name: str) -> bool:
    """Return whether a database can bear exactly this name."""
    return 0 < len(name.encode("utf-8", "replace")) <= LONGEST and "\0" not in name


def kept(name: str, at: datetime) -> str:
    """Return the name under which the database `name` is kept when a restored one takes its place."""
    ending = at.astimezone(UTC).strftime(f"_before_{STAMP}")
    return _cut(name, len(ending)) + ending


def built(name: str, token: str) -> str:
    """Return the name that the new `name` bears until it is whole; `token` has 16 hexadecimal digits."""
    return _cut(name, len("_restoring_") + len(token)) + f"_restoring_{token}"


def built_pattern(name: str) -> str:
    """Return the regular expression, Python's and PostgreSQL's, of what `built` returns for `name`."""
    return f"^{re.escape(_cut(name, len('_restoring_') + 16))}{_BUILT}$"


def set_aside(name: str) -> bool:
    """Return whether `name` is what a restore calls the database beside the one in use: kept, or half built."""
    return _ENDING.search(name) is not None


def _cut(name: str, room: int) -> str:
    return name.encode()[: LONGEST - room].decode(errors="ignore")
