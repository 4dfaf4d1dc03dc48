"""Reads the text of one environment file strictly, and never otherwise than python-decouple would.

What decouple takes without a word for something else than its author meant is an error here: each names the
file, the line, the key and what is accepted. Values are never shown: one of them may be a password.
"""

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import NamedTuple, NoReturn

from app.migrations.errors import ConfigurationError

KEYS = (
    "DATABASE_URL",
    "PROTECTED",
    "BACKUP",
    "BACKUP_DIR",
    "BACKUP_KEEP",
    "BACKUP_JOBS",
    "SCRATCH_URL",
    "LOCK_TIMEOUT",
    "LOCK_RETRY_FOR",
    "UPGRADE_WAIT",
    "STATEMENT_TIMEOUT",
    "PG_BIN",
)

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Entry(NamedTuple):
    """A value and where it is written; `line` 0 means a variable of the process environment."""

    value: str
    line: int
    path: str

    def subject(self, key: str) -> str:
        """How a message about this value begins."""
        return f"{self.path}:{self.line}: {key}" if self.line else f"the exported {key}"

    def cure(self, key: str) -> str:
        """How a person gets to the value."""
        return f"edit {self.path} line {self.line}" if self.line else f"unset {key}"


def parse(text: str, path: str, also: Collection[str] = ()) -> dict[str, Entry]:
    """The keys of one file in their order. Raises ConfigurationError.

    Accepted: comments that fill a line, and KEY=VALUE with a known key (or one of `also`), the value as it is
    or inside one pair of quotes. Where this accepts, decouple's RepositoryEnv reads the same.
    """
    entries: dict[str, Entry] = {}
    for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        line = _Line(path, number)
        line.check_characters(raw)
        if not raw.strip() or raw.lstrip().startswith("#"):
            continue
        key, value = line.split(raw.rstrip())
        line.check_key(key, (*KEYS, *also))
        if key in entries:
            line.fault(f"{key} was already set in line {entries[key].line}", "one line for each key")
        entries[key] = Entry(line.unquote(key, value), number, path)
    return entries


class _Line(NamedTuple):
    path: str
    number: int

    def fault(self, what: str, accepted: str) -> NoReturn:
        raise ConfigurationError(
            f"{self.path}:{self.number}: {what}; accepted: {accepted}", f"edit {self.path} line {self.number}"
        )

    def check_characters(self, raw: str) -> None:
        if raw.startswith("\ufeff"):
            self.fault("the file begins with a byte order mark", "UTF-8 without one")
        for character in raw:
            if not character.isprintable():
                self.fault(f"holds the character U+{ord(character):04X}", "printable characters and spaces")

    def split(self, raw: str) -> tuple[str, str]:
        key, equals, value = raw.partition("=")
        if not equals:
            self.fault("there is no = in this line", "KEY=VALUE on one line, or a comment that begins with #")
        if re.match(r"\s*export\s", raw):
            self.fault("begins with export", "KEY=VALUE alone")
        if key != key.strip() or value != value.strip():
            known = key.strip() if _KEY.fullmatch(key.strip()) else "the key"
            self.fault(f"there is a space before or after {known} or the =", "KEY=VALUE without spaces around")
        return key, value

    def check_key(self, key: str, known: Collection[str]) -> None:
        if key in known:
            return
        if not _KEY.fullmatch(key):
            self.fault("what stands before the = is not a key", f"one of {', '.join(known)}")
        close = get_close_matches(key.upper(), known, n=1)
        self.fault(f"{key} is not a key" + (f", perhaps {close[0]}" if close else ""), f"one of {', '.join(known)}")

    def unquote(self, key: str, value: str) -> str:
        first, last = value[:1], value[-1:]
        quoted = len(value) >= 2 and first == last and first in "'\""
        inner = value[1:-1] if quoted else value
        if quoted and (first in inner or (first == '"' and "\\" in inner)):
            self.fault(f"{key} holds a quote or a backslash inside its quotes", "one pair of quotes, no escapes")
        if not quoted and (re.search(r"(^|\s)#", value)):
            self.fault(f"{key} has a comment after its value", "comments on a line of their own")
        if not quoted and {first, last} & {"'", '"'}:
            self.fault(f"{key} has a quote that is not closed", "a value on one line, in one pair of quotes or none")
        if value.endswith("\\"):
            self.fault(f"{key} goes on in the next line", "a value on one line")
        if not (quoted and first == "'") and re.search(r"\$[{(]", inner):
            self.fault(f"{key} holds ${{...}} or $(...), which is not replaced", "the value itself")
        return inner
