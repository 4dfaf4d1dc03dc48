"""The locks that PostgreSQL's manual says a statement takes, by the words of the statement. Never opens a connection.

It knows the statements of schema changes and of maintenance, which may run outside of a transaction, where locks are
gone before they can be read. https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from app.migrations.lock_modes import strength
from app.migrations.sql_statements import split
from app.migrations.statements import tokens
from app.migrations.trace_words import Words

MANUAL = "https://www.postgresql.org/docs/current/"
EXPLICIT_LOCKING = f"{MANUAL}explicit-locking.html"

ROW_SHARE, ROW_EXCLUSIVE = "RowShareLock", "RowExclusiveLock"
SHARE_UPDATE_EXCLUSIVE, SHARE = "ShareUpdateExclusiveLock", "ShareLock"
SHARE_ROW_EXCLUSIVE, EXCLUSIVE, ACCESS_EXCLUSIVE = "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"

WEAK_ALTERATIONS = (
    ("ALTER SET STATISTICS", SHARE_UPDATE_EXCLUSIVE),
    ("ALTER SET (", SHARE_UPDATE_EXCLUSIVE),
    ("ALTER RESET (", SHARE_UPDATE_EXCLUSIVE),
    ("VALIDATE CONSTRAINT", SHARE_UPDATE_EXCLUSIVE),
    ("CLUSTER ON", SHARE_UPDATE_EXCLUSIVE),
    ("SET WITHOUT CLUSTER", SHARE_UPDATE_EXCLUSIVE),
    ("SET (", SHARE_UPDATE_EXCLUSIVE),
    ("RESET (", SHARE_UPDATE_EXCLUSIVE),
    ("ATTACH PARTITION", SHARE_UPDATE_EXCLUSIVE),
    ("ADD FOREIGN KEY", SHARE_ROW_EXCLUSIVE),
    ("ENABLE TRIGGER", SHARE_ROW_EXCLUSIVE),
    ("ENABLE REPLICA TRIGGER", SHARE_ROW_EXCLUSIVE),
    ("ENABLE ALWAYS TRIGGER", SHARE_ROW_EXCLUSIVE),
    ("DISABLE TRIGGER", SHARE_ROW_EXCLUSIVE),
)
"""Forms of ALTER TABLE, without names, with less than ACCESS EXCLUSIVE.

https://www.postgresql.org/docs/current/sql-altertable.html
"""
TABLE_MODES = {
    "ACCESS SHARE": "AccessShareLock",
    "ROW SHARE": ROW_SHARE,
    "ROW EXCLUSIVE": ROW_EXCLUSIVE,
    "SHARE UPDATE EXCLUSIVE": SHARE_UPDATE_EXCLUSIVE,
    "SHARE": SHARE,
    "SHARE ROW EXCLUSIVE": SHARE_ROW_EXCLUSIVE,
    "EXCLUSIVE": EXCLUSIVE,
    "ACCESS EXCLUSIVE": ACCESS_EXCLUSIVE,
}


class Claim(NamedTuple):
    """A lock on the relation `name`, as the statement spells it, or on the table of that index; and the page."""

    name: str
    mode: str
    page: str
    of_table: bool = False


def claims(sql: str) -> list[Claim]:
    """Return the locks on relations that these statements name; of a kind that is not known, none."""
    found: list[Claim] = []
    for statement in split(sql):
        words = Words(tokens(statement))
        reader = next((read for start, read in READERS.items() if words.skip(*start.split())), None)
        found += reader(words) if reader else []
    return [claim for claim in dict.fromkeys(found) if claim.name not in ("", ";")]


def _create_index(words: Words) -> list[Claim]:
    mode = SHARE_UPDATE_EXCLUSIVE if words.skip("CONCURRENTLY") else SHARE
    return [Claim(words.name(), mode, f"{MANUAL}sql-createindex.html")] if words.seek("ON") else []


def _drop_index(words: Words) -> list[Claim]:
    mode = SHARE_UPDATE_EXCLUSIVE if words.skip("CONCURRENTLY") else ACCESS_EXCLUSIVE
    page = f"{MANUAL}sql-dropindex.html"
    return [Claim(name, mode, page, of) for name in words.names() for of in (True, False)]


def _reindex(words: Words) -> list[Claim]:
    options = words.options()
    kind = words.upper[0] if words.upper else ""
    words.at += 1
    gently = words.skip("CONCURRENTLY") or ("CONCURRENTLY" in options and not {"FALSE", "OFF"} & set(options))
    page = f"{MANUAL}sql-reindex.html"
    if kind == "TABLE":
        return [Claim(words.name(), SHARE_UPDATE_EXCLUSIVE if gently else SHARE, page)]
    if kind != "INDEX":
        return []
    name = words.name()
    of_table, of_index = (SHARE_UPDATE_EXCLUSIVE,) * 2 if gently else (SHARE, ACCESS_EXCLUSIVE)
    return [Claim(name, of_table, page, of_table=True), Claim(name, of_index, page)]


def _vacuum(words: Words) -> list[Claim]:
    full = "FULL" in words.options()
    while words.upper[:1] and words.upper[0] in ("FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"):
        full = full or words.upper[0] == "FULL"
        words.at += 1
    mode = ACCESS_EXCLUSIVE if full else SHARE_UPDATE_EXCLUSIVE
    return [Claim(name, mode, f"{MANUAL}sql-vacuum.html") for name in words.names()]


def _analyze(words: Words) -> list[Claim]:
    words.options()
    words.skip("VERBOSE")
    return [Claim(name, SHARE_UPDATE_EXCLUSIVE, f"{MANUAL}sql-analyze.html") for name in words.names()]


def _cluster(words: Words) -> list[Claim]:
    words.options()
    words.skip("VERBOSE")
    return [Claim(name, ACCESS_EXCLUSIVE, f"{MANUAL}sql-cluster.html") for name in words.names()[:1]]


def _refresh(words: Words) -> list[Claim]:
    mode = EXCLUSIVE if words.skip("CONCURRENTLY") else ACCESS_EXCLUSIVE
    return [Claim(words.name(), mode, f"{MANUAL}sql-refreshmaterializedview.html")]


def _alter_index(words: Words) -> list[Claim]:
    name, page = words.name(), f"{MANUAL}sql-alterindex.html"
    weak = words.upper[:1] in (["RENAME"], ["RESET"], ["ALTER"]) or words.upper[:2] == ["SET", "("]
    return [Claim(name, SHARE_UPDATE_EXCLUSIVE if weak else ACCESS_EXCLUSIVE, page)]


def _alter_table(words: Words) -> list[Claim]:
    name, page = words.name(), f"{MANUAL}sql-altertable.html"
    actions, found = _actions(words), []
    for action in actions:
        found += _elsewhere(Words(action), name, page)
    mode = max((_mode(action) for action in actions), key=strength, default=ACCESS_EXCLUSIVE)
    return [Claim(name, mode, page), *found]


def _actions(words: Words) -> list[list[str]]:
    """Return the tokens of each action: those between commas outside of parentheses."""
    actions: list[list[str]] = [[]]
    depth = 0
    for word in words.found[words.at :]:
        depth += (word == "(") - (word == ")")
        if word == "," and not depth:
            actions.append([])
        elif word != ";":
            actions[-1].append(word)
    return actions


def _mode(action: list[str]) -> str:
    """Return the lock of one action of ALTER TABLE on the table that it names."""
    words = Words(action).upper
    if words[:2] == ["DETACH", "PARTITION"]:
        return SHARE_UPDATE_EXCLUSIVE if words[-1] in ("CONCURRENTLY", "FINALIZE") else ACCESS_EXCLUSIVE
    if words[:2] == ["ADD", "CONSTRAINT"]:
        words = ["ADD", *words[3:]]
    elif words[:1] == ["ALTER"]:
        words = ["ALTER", *words[3 if words[1:2] == ["COLUMN"] else 2 :]]
    return next(
        (mode for form, mode in WEAK_ALTERATIONS if words[: len(form.split())] == form.split()), ACCESS_EXCLUSIVE
    )


def _elsewhere(action: Words, name: str, page: str) -> list[Claim]:
    """Return the locks of one action of ALTER TABLE on other tables."""
    if action.skip("ATTACH", "PARTITION"):
        return [Claim(action.name(), ACCESS_EXCLUSIVE, page)]
    if action.skip("DETACH", "PARTITION"):
        return [Claim(action.name(), ACCESS_EXCLUSIVE, page)]
    if action.upper[:1] == ["ADD"] and action.seek("REFERENCES"):
        other = action.name()
        return [Claim(other, SHARE_ROW_EXCLUSIVE, page)] if other != name else []
    return []


def _lock_table(words: Words) -> list[Claim]:
    words.skip("TABLE")
    names = words.names()
    words.skip("IN")
    mode = " ".join(words.upper[: words.upper.index("MODE")]) if "MODE" in words.upper else "ACCESS EXCLUSIVE"
    return [Claim(name, TABLE_MODES.get(mode, ACCESS_EXCLUSIVE), f"{MANUAL}sql-lock.html") for name in names]


def _create_table(words: Words) -> list[Claim]:
    page, found = f"{MANUAL}sql-createtable.html", []
    words.skip("IF", "NOT", "EXISTS")
    own = words.name()
    start = words.at
    if words.skip("PARTITION", "OF"):
        found.append(Claim(words.name(), ACCESS_EXCLUSIVE, page))
    words.at = start
    if words.seek("INHERITS", "("):
        found += [Claim(name, SHARE_UPDATE_EXCLUSIVE, page) for name in words.names()]
    words.at = start
    while words.seek("REFERENCES"):
        found.append(Claim(words.name(), SHARE_ROW_EXCLUSIVE, page))
    return [claim for claim in found if claim.name != own]


def _comment_on_column(words: Words) -> list[Claim]:
    return [Claim(words.name().rpartition(".")[0], SHARE_UPDATE_EXCLUSIVE, EXPLICIT_LOCKING)]


def _named(mode: str, page: str) -> Callable[[Words], list[Claim]]:
    """Return the reader of a statement that locks the relations listed next."""
    return lambda words: [Claim(name, mode, page) for name in words.names()]


def _on(mode: str, page: str, before: str = "ON") -> Callable[[Words], list[Claim]]:
    """Return the reader of a statement that locks the table after ON, or after another word."""
    return lambda words: [Claim(words.name(), mode, page)] if words.seek(before) else []


READERS: Mapping[str, Callable[[Words], list[Claim]]] = {
    "CREATE INDEX": _create_index,
    "CREATE UNIQUE INDEX": _create_index,
    "DROP INDEX": _drop_index,
    "REINDEX": _reindex,
    "VACUUM": _vacuum,
    "ANALYZE": _analyze,
    "ANALYSE": _analyze,
    "CLUSTER": _cluster,
    "REFRESH MATERIALIZED VIEW": _refresh,
    "ALTER INDEX": _alter_index,
    "ALTER TABLE": _alter_table,
    "LOCK": _lock_table,
    "CREATE TABLE": _create_table,
    "CREATE UNLOGGED TABLE": _create_table,
    "DROP TABLE": _named(ACCESS_EXCLUSIVE, EXPLICIT_LOCKING),
    "DROP VIEW": _named(ACCESS_EXCLUSIVE, EXPLICIT_LOCKING),
    "DROP MATERIALIZED VIEW": _named(ACCESS_EXCLUSIVE, EXPLICIT_LOCKING),
    "DROP SEQUENCE": _named(ACCESS_EXCLUSIVE, EXPLICIT_LOCKING),
    "TRUNCATE TABLE": _named(ACCESS_EXCLUSIVE, f"{MANUAL}sql-truncate.html"),
    "TRUNCATE": _named(ACCESS_EXCLUSIVE, f"{MANUAL}sql-truncate.html"),
    "CREATE TRIGGER": _on(SHARE_ROW_EXCLUSIVE, EXPLICIT_LOCKING),
    "CREATE OR REPLACE TRIGGER": _on(SHARE_ROW_EXCLUSIVE, EXPLICIT_LOCKING),
    "CREATE CONSTRAINT TRIGGER": _on(SHARE_ROW_EXCLUSIVE, EXPLICIT_LOCKING),
    "DROP TRIGGER": _on(ACCESS_EXCLUSIVE, EXPLICIT_LOCKING),
    "CREATE POLICY": _on(ACCESS_EXCLUSIVE, EXPLICIT_LOCKING),
    "ALTER POLICY": _on(ACCESS_EXCLUSIVE, EXPLICIT_LOCKING),
    "DROP POLICY": _on(ACCESS_EXCLUSIVE, EXPLICIT_LOCKING),
    "CREATE STATISTICS": _on(SHARE_UPDATE_EXCLUSIVE, EXPLICIT_LOCKING, "FROM"),
    "CREATE RULE": _on(ACCESS_EXCLUSIVE, EXPLICIT_LOCKING, "TO"),
    "CREATE OR REPLACE RULE": _on(ACCESS_EXCLUSIVE, EXPLICIT_LOCKING, "TO"),
    "CREATE PUBLICATION": _on(SHARE_UPDATE_EXCLUSIVE, f"{MANUAL}sql-createpublication.html", "TABLE"),
    "COMMENT ON COLUMN": _comment_on_column,
    "COMMENT ON TABLE": _named(SHARE_UPDATE_EXCLUSIVE, EXPLICIT_LOCKING),
    "INSERT INTO": _named(ROW_EXCLUSIVE, EXPLICIT_LOCKING),
    "UPDATE": _named(ROW_EXCLUSIVE, EXPLICIT_LOCKING),
    "DELETE FROM": _named(ROW_EXCLUSIVE, EXPLICIT_LOCKING),
    "MERGE INTO": _named(ROW_EXCLUSIVE, EXPLICIT_LOCKING),
}
"""How to read a statement, by the words that it begins with.

For policies, rules and dropped triggers the manual names no mode: theirs is what is measured within a transaction.
"""
