"""How big the tables of a target are, and what is done to them: the figures that weigh a finding. Reads; locks nothing.

https://www.postgresql.org/docs/current/monitoring-stats.html
"""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, text

SMALL_ROWS, SMALL_BYTES = 10_000, 16 * 2**20
"""Up to here a table is read or written from end to end within the time of one lock timeout."""
LARGE_ROWS, LARGE_BYTES = 1_000_000, 2**30
"""From here on that takes seconds at least."""
BUSY = 10.0
"""Statements a second from which on a wait of a second is seen by users."""
REWRITTEN_PER_SECOND = (20 * 2**20, 200 * 2**20)
"""Bytes of a table with its indexes: an assumption, from slow network storage to a local disk. A rehearsal measures."""

FIGURES = text("""
WITH age AS (
    SELECT greatest(extract(epoch FROM clock_timestamp() - coalesce(stats_reset, pg_postmaster_start_time())), 1) AS s
    FROM pg_stat_database WHERE datname = current_database()
), wanted AS (
    SELECT format('%I.%I', n.nspname, c.relname) AS name, c.oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND (CAST(:names AS text[]) IS NULL OR format('%I.%I', n.nspname, c.relname) = ANY (:names))
), part AS (
    SELECT name, oid FROM wanted
    UNION
    SELECT w.name, t.relid FROM wanted w, pg_partition_tree(w.oid) t WHERE t.isleaf
)
SELECT part.name,
       sum(CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE coalesce(s.n_live_tup, 0) END)
           FILTER (WHERE c.relkind <> 'p'),
       sum(pg_total_relation_size(c.oid)),
       sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del) / (SELECT s FROM age),
       sum(s.seq_scan + coalesce(s.idx_scan, 0)) / (SELECT s FROM age)
FROM part JOIN pg_class c USING (oid) LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
GROUP BY part.name
""")


class Figures(NamedTuple):
    """One table of the target, with its partitions: estimated rows, bytes with indexes, and its traffic.

    That is rows written and scans begun, a second: averages since the statistics were reset, else since the server
    was started.
    """

    rows: int
    bytes: int
    writes: float
    scans: float

    def __str__(self) -> str:
        traffic = f", {amount(self.writes)} writes/s" if self.writes >= 1 else ""
        traffic += f", {amount(self.scans)} scans/s" if self.scans >= 1 else ""
        return f"{amount(self.rows)} {'row' if self.rows == 1 else 'rows'}, {size(self.bytes)}{traffic}"

    @property
    def is_small(self) -> bool:
        """Return whether work on the whole table is over in a moment."""
        return self.rows <= SMALL_ROWS and self.bytes <= SMALL_BYTES

    @property
    def is_large(self) -> bool:
        """Return whether work on the whole table lasts, or is felt at once."""
        large = self.rows >= LARGE_ROWS or self.bytes >= LARGE_BYTES
        return large or (not self.is_small and self.writes + self.scans >= BUSY)


def read(connection: Connection, names: Collection[str] | None = None) -> dict[str, Figures]:
    """Return the figures of the tables among `names`, which are qualified and quoted as `format('%I.%I')` writes them.

    None means all tables. In one statement of the connection's own transaction. A table that is not there is left
    out. Raises DBAPIError.
    """
    rows = connection.execute(FIGURES, {"names": None if names is None else sorted(names)})
    return {
        str(name): Figures(int(count or 0), int(bytes_ or 0), float(writes or 0), float(scans or 0))
        for name, count, bytes_, writes, scans in rows
    }


def rewriting(figures: Figures) -> tuple[float, float]:
    """Return how many seconds it takes to write a table anew, at least and at most, by the assumption above."""
    slow, fast = REWRITTEN_PER_SECOND
    return figures.bytes / fast, figures.bytes / slow


def amount(number: float) -> str:
    """Return a number in a few characters: 12, 1.2 k, 90 M."""
    for unit, word in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{_short(number / unit)} {word}"
    return f"{number:.0f}"


def size(count: int) -> str:
    """Return bytes in a few characters: 8 kB, 41 GB; of 1,024 each, as PostgreSQL counts them."""
    for unit, word in ((2**40, "TB"), (2**30, "GB"), (2**20, "MB"), (2**10, "kB")):
        if count >= unit:
            return f"{_short(count / unit)} {word}"
    return f"{count} bytes"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0") if number < 10 else f"{number:.0f}"
