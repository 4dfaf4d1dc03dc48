"""What a SQL statement does about locks, by its words alone. Never parses a whole statement, never runs one.

Comments, quoted names and strings are taken away first, so that none of them can pass for a keyword.
https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

import re
from enum import Enum

SETTINGS = frozenset({"SHOW", "SET", "RESET", "DISCARD", "LISTEN", "NOTIFY", "UNLISTEN"})
MAY_COMMIT = frozenset({"CALL", "DO", "CLUSTER"})

_NOISE = re.compile(
    r"""--[^\n]*
    | (?P<open>/\*) | \*/
    | [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*'
    | (?P<name>"(?:[^"]|"")*")
    | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag)
    | (?P<word>[^\W\d][\w$]*|[(),;.])""",
    re.VERBOSE | re.DOTALL,
)
_ALTER_TABLE = re.compile(r"ALTER TABLE (IF EXISTS )?(ONLY )?\S+( \. \S+)?( \*)? (?P<parts>.+)")
_COMMENT = re.compile(r"/\*|\*/")


class Kind(Enum):
    """How long a statement outside a transaction may wait for a lock, and what is left when it fails."""

    LIMITED = "waits for a lock only LOCK_TIMEOUT; fails as a whole"
    LIMITED_IN_PARTS = "waits for each lock only LOCK_TIMEOUT; may have committed a part before it fails"
    UNLIMITED = "made to wait without blocking others; may leave something when it fails"
    SETTING = "takes no lock and must see the settings as they are"


def kind(statement: str) -> Kind:
    """Classify a statement that runs outside a transaction block.

    UNLIMITED are those that give way to readers and writers while they wait: CREATE, DROP and REINDEX INDEX and
    REFRESH with CONCURRENTLY, VACUUM, ANALYZE, VALIDATE CONSTRAINT, DETACH PARTITION CONCURRENTLY
    (PostgreSQL manual, "Explicit Locking", and the page of each statement).
    """
    found = words(statement)
    first = found[0] if found else ""
    if first in SETTINGS:
        return Kind.SETTING
    if _gives_way(found, first):
        return Kind.UNLIMITED
    if first in MAY_COMMIT or (first == "VACUUM" and "FULL" in found):
        return Kind.LIMITED_IN_PARTS
    return Kind.LIMITED


def words(statement: str) -> list[str]:
    """The unquoted words in capitals, and punctuation; a quoted name becomes `"`, strings and comments nothing."""
    return ['"' if token.startswith('"') else token.upper() for token in tokens(statement)]


def tokens(statement: str) -> list[str]:
    """The words, quoted names and punctuation as they are written; strings and comments become nothing."""
    found, at = [], 0
    while match := _NOISE.search(statement, at):
        at = match.end()
        if match["open"]:
            at = _end_of_comment(statement, at)
        elif match["name"] or match["word"]:
            found.append(match[0])
    return found


def shortened(statement: str, longest: int = 120) -> str:
    """The statement on one line, cut where a line of a terminal would."""
    line = " ".join(statement.split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def _end_of_comment(statement: str, at: int) -> int:
    """Where a comment ends whose inside begins at `at`; comments nest."""
    depth = 1
    while depth and (match := _COMMENT.search(statement, at)):
        depth += 1 if match[0] == "/*" else -1
        at = match.end()
    return len(statement) if depth else at


def _gives_way(found: list[str], first: str) -> bool:
    if first in ("VACUUM", "ANALYZE", "ANALYSE"):
        return "FULL" not in found or _switched_off(found, "FULL")
    if first == "ALTER":
        return _alter_gives_way(found)
    indexes = first in ("CREATE", "DROP") and "INDEX" in found[:3]
    if indexes or first in ("REINDEX", "REFRESH"):
        return "CONCURRENTLY" in found and not _switched_off(found, "CONCURRENTLY")
    return False


def _switched_off(found: list[str], option: str) -> bool:
    """Whether an option in parentheses is written as `option false`."""
    return found[found.index(option) + 1 :][:1] in (["FALSE"], ["OFF"])


def _alter_gives_way(found: list[str]) -> bool:
    """Whether every part of an ALTER TABLE is VALIDATE CONSTRAINT, or it detaches a partition concurrently."""
    match = _ALTER_TABLE.match(" ".join(found))
    if match is None:
        return False
    parts = match["parts"].rstrip("; ").split(" , ")
    if parts[0].startswith("DETACH PARTITION "):
        return bool({"CONCURRENTLY", "FINALIZE"} & set(parts[0].split()))
    return all(part.startswith("VALIDATE CONSTRAINT ") for part in parts)
