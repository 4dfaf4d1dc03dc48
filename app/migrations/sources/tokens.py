"""A statement as words, names and marks, to be read from left to right. Knows no statement.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

import re
from collections.abc import Iterator

from app.migrations.lean import NamedTuple
from app.migrations.sources.operations import table_name

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<string>[eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?:(?P=tag)|\Z))
    | "(?P<quoted>(?:[^"]|"")*)"
    | (?P<word>[^\W\d][\w$]*)
    | (?P<mark>\d[\w.]*|.)
    """,
    re.X | re.S,
)


class Token(NamedTuple):
    """A word in capitals, `"` for a quoted name, `'` for a text, or a mark; `name` is what it stands for as a name."""

    word: str
    name: str = ""


def tokens(statement: str) -> Iterator[Token]:
    """Return the tokens without comments."""
    for match in _TOKEN.finditer(statement):
        if match["word"]:
            yield Token(match["word"].upper(), match["word"].lower())
        elif match["quoted"] is not None:
            yield Token('"', match["quoted"].replace('""', '"'))
        elif match["string"]:
            yield Token("'")
        elif match["mark"]:
            yield Token(match["mark"])


class Cursor:
    """A place in a statement; what is accepted is behind it."""

    def __init__(self, statement: str) -> None:
        self.rest = list(tokens(statement))
        self.at = 0

    @property
    def at_end(self) -> bool:
        """Return whether nothing is left."""
        return self.at >= len(self.rest)

    def peek(self) -> str:
        """Return the next word, "" at the end."""
        return "" if self.at_end else self.rest[self.at].word

    def word(self) -> str:
        """Return the next word and go past it."""
        found = self.peek()
        self.at += 1
        return found

    def accept(self, *words: str) -> bool:
        """Go past these words if they are the next ones."""
        if tuple(token.word for token in self.rest[self.at : self.at + len(words)]) != words:
            return False
        self.at += len(words)
        return True

    def has(self, word: str) -> bool:
        """Tell whether a word is yet to come."""
        return any(token.word == word for token in self.rest[self.at :])

    def name(self) -> str:
        """Return a name with its schema, folded as PostgreSQL folds it; "" where none is next."""
        parts = []
        while not self.at_end and self.rest[self.at].name:
            parts.append(self.rest[self.at].name)
            self.at += 1
            if not self.accept("."):
                break
        return table_name(parts[-1], ".".join(parts[:-1])) if parts else ""

    def names(self) -> list[str]:
        """Return the names of a DROP."""
        self.accept("IF", "EXISTS")
        found = [self.name()]
        while self.accept(","):
            found.append(self.name())
        return found

    def listed(self) -> tuple[str, ...]:
        """Return the plain names between the next parentheses; () where there is anything else."""
        while not self.at_end and self.peek() != "(":
            self.at += 1
        inside = self.rest[self.at + 1 :]
        found = []
        for name, mark in zip(inside[::2], inside[1::2], strict=False):
            if not name.name or mark.word not in {",", ")"}:
                return ()
            found.append(name.name)
            if mark.word == ")":
                return tuple(found)
        return ()

    def after(self, word: str) -> list[str]:
        """Return the names that stand behind each of these words, without moving."""
        here, found = self.at, []
        for position in range(self.at, len(self.rest)):
            if self.rest[position].word == word:
                self.at = position + 1
                found.append(self.name())
        self.at = here
        return found

    def parts(self) -> Iterator["Cursor"]:
        """Return what is left, cut at the commas that stand in no parentheses."""
        depth, start = 0, self.at
        for position in range(self.at, len(self.rest) + 1):
            word = self.rest[position].word if position < len(self.rest) else ","
            depth += {"(": 1, ")": -1}.get(word, 0)
            if word == "," and (not depth or position == len(self.rest)):
                part = Cursor("")
                part.rest = self.rest[start:position]
                start = position + 1
                yield part

    def until(self, *stops: str) -> str:
        """Return what is written up to one of these words outside of parentheses, and go there."""
        depth, said = 0, []
        while not self.at_end and (depth or self.peek() not in stops):
            token = self.rest[self.at]
            depth += {"(": 1, ")": -1}.get(token.word, 0)
            said.append(token.name or token.word)
            self.at += 1
        return " ".join(said)
