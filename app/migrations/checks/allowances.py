"""The comments that silence a rule on a line: `# allow: RULE -- reason`. Says nothing about whether they are right."""

import re

from app.migrations.lean import NamedTuple
from app.migrations.sources.migration import Migration

_COMMENT = re.compile(r"#\s*allow:\s*(?P<rule>[\w-]*)(?:\s+--\s*(?P<reason>.*))?")


class Allowance(NamedTuple):
    """One comment; `target` is the line that it is about: its own, or the next one of code when it stands alone."""

    line: int
    target: int
    rule: str
    reason: str

    def covers(self, line: int, first: int, last: int) -> bool:
        """Tell whether a finding at `line`, in a statement from `first` to `last`, is meant."""
        return self.target == line or first <= self.target <= last


def read(migration: Migration) -> list[Allowance]:
    """Return the comments of a file; a text in quotes that looks like one is none."""
    if "allow:" not in migration.source:
        return []
    found = []
    for line, column, comment in _comments(migration):
        match = _COMMENT.match(comment)
        if match:
            alone = not migration.lines[line - 1][:column].strip()
            target = _next(migration, line) if alone else line
            found.append(Allowance(line, target, match["rule"], (match["reason"] or "").strip()))
    return found


def _comments(migration: Migration) -> list[tuple[int, int, str]]:
    """Return line, column and text of every comment; tokenize costs 5 ms to load, and few files have such a one."""
    import tokenize  # noqa: PLC0415 -- see above

    lines = iter([f"{line}\n" for line in migration.lines])
    try:
        tokens = list(tokenize.generate_tokens(lambda: next(lines, "")))
    except (tokenize.TokenError, SyntaxError):
        return []
    return [(*token.start, token.string) for token in tokens if token.type == tokenize.COMMENT]


def _next(migration: Migration, line: int) -> int:
    """Return the first line of code below a comment that stands alone."""
    for number in range(line + 1, len(migration.lines) + 1):
        text = migration.lines[number - 1].strip()
        if text and not text.startswith("#"):
            return number
    return line
