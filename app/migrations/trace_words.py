"""The words of a SQL statement, read from the left. Knows no statement, and never runs one."""


class Words:
    """The tokens of a statement; `at` is the place of the next one."""

    def __init__(self, found: list[str]) -> None:
        self.found = found
        self.at = 0

    @property
    def upper(self) -> list[str]:
        """What is left, in capitals; quoted names as they are."""
        return [token if token.startswith('"') else token.upper() for token in self.found[self.at :]]

    def skip(self, *words: str) -> bool:
        """Pass over these words, if they are next."""
        is_next = self.upper[: len(words)] == [*words]
        self.at += len(words) if is_next else 0
        return is_next

    def seek(self, *words: str) -> bool:
        """Pass over everything up to and with the first place where these words stand; else over nothing."""
        upper = self.upper
        places = (at for at in range(len(upper)) if upper[at : at + len(words)] == [*words])
        at = next(places, -1)
        self.at += at + len(words) if at >= 0 else 0
        return at >= 0

    def options(self) -> list[str]:
        """Pass over options in parentheses, if they are next, and return their words."""
        if self.upper[:1] != ["("]:
            return []
        end = self.upper.index(")") if ")" in self.upper else len(self.upper)
        words = self.upper[1:end]
        self.at += end + 1
        return words

    def name(self) -> str:
        """Pass over a name, with its schema if it has one, and return it; "" at the end."""
        self.skip("IF", "EXISTS")
        self.skip("ONLY")
        parts = self.found[self.at : self.at + 1]
        self.at += 1
        while self.found[self.at : self.at + 1] == ["."]:
            parts += self.found[self.at + 1 : self.at + 2]
            self.at += 2
        return ".".join(parts)

    def names(self) -> list[str]:
        """Pass over a list of names, of columns in parentheses after them too."""
        found = [self.name()]
        self.options()
        while self.skip(","):
            found.append(self.name())
            self.options()
        return [name for name in found if name not in ("", ";")]
