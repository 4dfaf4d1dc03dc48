"""The modes of table locks, and which of them exclude each other. Knows no connection.

https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

MODES = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock",
    "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip
"""As pg_locks names them, the weakest first."""
CONFLICTS = ("7", "67", "4567", "34567", "23567", "234567", "1234567", "01234567")
"""For each of MODES the modes that it conflicts with."""


def conflict(one: str, other: str) -> bool:
    """Return whether two modes exclude each other; False for what is none of them."""
    return one in MODES and other in MODES and str(MODES.index(other)) in CONFLICTS[MODES.index(one)]


def covers(one: str, other: str) -> bool:
    """Return whether who holds `one` keeps away all whom `other` would: SHARE and SHARE UPDATE EXCLUSIVE do neither."""
    return one == other or (
        one in MODES and other in MODES and set(CONFLICTS[MODES.index(other)]) <= set(CONFLICTS[MODES.index(one)])
    )


def strength(mode: str) -> int:
    """Return the place of a mode among MODES; -1 for none of them."""
    return MODES.index(mode) if mode in MODES else -1
