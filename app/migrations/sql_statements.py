"""SQL of pg_dump, taken apart into statements. Never runs one.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

import re
from collections.abc import Iterator

TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*\n?)
    | (?P<block>/\*)
    | (?P<quoted>[eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | "(?:[^"]|"")*")
    | (?P<dollar>(?<![\w$])\$(?:[^\W\d]\w*)?\$)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<end>;)
    """,
    re.X | re.S,
)
BLOCK_EDGE = re.compile(r"/\*|\*/")
META = re.compile(r"^\\[^\n]*\n?", re.M)


def split(text: str) -> Iterator[str]:
    """Yield the statements without their semicolons; comments between them, and psql's own commands, are left out.

    A body in the SQL standard's form (BEGIN ATOMIC ... END) is kept in one piece.
    """
    start = at = 0
    depth, before = 0, ""
    while True:
        if not text[start:at].strip():
            start = at = _past_meta(text, at)
        token = TOKEN.search(text, at)
        if token is None:
            break
        if token["comment"] is not None and not text[start : token.start()].strip():
            start = token.end()
        at = _past(text, token)
        word = (token["word"] or "").upper()
        if token["end"] and not depth:
            if statement := text[start : token.start()].strip():
                yield statement
            start = at
        depth = _depth(depth, before, word)
        before = word or before
    if rest := text[start:].strip():
        yield rest


def _past_meta(text: str, at: int) -> int:
    """Pass over lines such as `\\restrict`, which are for psql alone."""
    while (place := re.compile(r"\s*\\[^\n]*\n?").match(text, at)) is not None:
        at = place.end()
    return at


def _past(text: str, token: re.Match[str]) -> int:
    """Return where what begins with the token ends."""
    if token["dollar"]:
        return _after(text, token["dollar"], token.end())
    if token["block"]:
        depth = 1
        for edge in BLOCK_EDGE.finditer(text, token.end()):
            depth += 1 if edge[0] == "/*" else -1
            if not depth:
                return edge.end()
        return len(text)
    return token.end()


def _after(text: str, mark: str, at: int) -> int:
    found = text.find(mark, at)
    return len(text) if found < 0 else found + len(mark)


def _depth(depth: int, before: str, word: str) -> int:
    """Count BEGIN ATOMIC and, inside of it, CASE: both end with END."""
    if word == "ATOMIC" and before == "BEGIN":
        return depth + 1
    if depth and word == "CASE" and before != "END":
        return depth + 1
    return depth - 1 if depth and word == "END" else depth
