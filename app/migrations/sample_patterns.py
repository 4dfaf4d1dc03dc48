"""Texts that a LIKE pattern or a simple regular expression accepts. Never runs one: the server judges what comes out.

https://www.postgresql.org/docs/current/functions-matching.html
"""

import re
from collections.abc import Iterator
from random import Random

CLASSES = {"d": "0123456789", "w": "abcXYZ019_", "s": " ", "D": "ab-", "W": "- ", "S": "aB1"}
NAMED = {
    "alpha": "abcXYZ", "digit": "0123456789", "alnum": "abXY01", "upper": "ABCXYZ", "lower": "abcxyz", "space": " ",
    "xdigit": "0123456789abcdef", "punct": ".,-!",
}  # fmt: skip
ANY = "abcxyz019"
CONSTRAINT = re.compile(r"\(\?(?:[:=!]|<[=!])?")
QUANTIFIER = re.compile(r"\*\??|\+\??|\?\??|\{(\d+)(?:(,)(\d*))?\}\??")
MORE = 6
"""How many more than it must a repetition without an upper limit has at most."""


def like(pattern: str, random: Random) -> str:
    """Return a text that fits a pattern of LIKE."""
    made = []
    characters = iter(pattern)
    for character in characters:
        if character == "%":
            made.append("".join(random.choices(ANY, k=random.randrange(5))))
        elif character == "_":
            made.append(random.choice(ANY))
        else:
            made.append(next(characters, "") if character == "\\" else character)
    return "".join(made)


def regular(pattern: str, random: Random) -> str:
    """Return a text that fits a regular expression, as far as it has no look-ahead, back-reference or negation."""
    return _Reader(pattern, random).alternatives()


class _Reader:
    """Walks over the expression once and chooses as it goes."""

    def __init__(self, pattern: str, random: Random) -> None:
        self.pattern, self.at, self.random = re.sub(r"^\(\?[a-z]+\)|^\*\*\*[:=]", "", pattern), 0, random

    def alternatives(self) -> str:
        found = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            found.append(self.sequence())
        return self.random.choice(found)

    def sequence(self) -> str:
        made = []
        while self.peek() not in {"", "|", ")"}:
            start = self.at
            piece = self.atom()
            end, (least, most) = self.at, self.quantity()
            after = self.at
            for number in range(self.random.randint(least, most)):
                if number:
                    self.at = start
                    piece = self.atom()
                    self.at = max(end, after)
                made.append(piece)
            self.at = after
        return "".join(made)

    def atom(self) -> str:
        character = self.take()
        if character == "(":
            opened = CONSTRAINT.match(self.pattern, self.at - 1)
            self.at = opened.end() if opened else self.at
            inner = self.alternatives()
            self.take()
            return inner
        if character == "[":
            return self.random.choice(self.bracket() or ANY)
        if character == "\\":
            return self.escaped()
        if character == ".":
            return self.random.choice(ANY)
        return "" if character in "^$" else character

    def escaped(self) -> str:
        character = self.take()
        if character in CLASSES:
            return self.random.choice(CLASSES[character])
        return {"n": "\n", "t": "\t", "m": "", "M": "", "y": "", "A": "", "Z": "", "b": ""}.get(character, character)

    def bracket(self) -> str:
        negated = self.peek() == "^"
        self.at += negated
        members = "".join(self.members())
        if not negated:
            return members
        return "".join(character for character in ANY + "ABZ _-.@" if character not in members)

    def members(self) -> Iterator[str]:
        first = True
        while self.peek() and (first or self.peek() != "]"):
            first = False
            if named := re.compile(r"\[:(\w+):\]").match(self.pattern, self.at):
                self.at = named.end()
                yield NAMED.get(named[1], ANY)
                continue
            character = self.take()
            if character == "\\":
                character = self.take()
                if character in CLASSES:
                    yield CLASSES[character]
                    continue
            if self.peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in {"", "]"}:
                self.at += 1
                last = self.take()
                yield "".join(map(chr, range(ord(character), min(ord(last), ord(character) + 200) + 1)))
            else:
                yield character
        self.take()

    def quantity(self) -> tuple[int, int]:
        found = QUANTIFIER.match(self.pattern, self.at)
        if found is None:
            return 1, 1
        self.at = found.end()
        if found[1] is None:
            return {"*": (0, 3), "+": (1, MORE), "?": (0, 1)}[found[0][0]]
        least = int(found[1])
        if found[2] is None:
            return least, least
        return least, max(least, min(int(found[3]), 1000)) if found[3] else least + MORE

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self) -> str:
        character = self.peek()
        self.at += 1
        return character
