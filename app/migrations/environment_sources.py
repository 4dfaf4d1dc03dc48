"""Where each value of an environment comes from. Reads nothing: files and variables are handed in."""

from collections.abc import Mapping
from typing import NamedTuple

from app.migrations import environments
from app.migrations.environment_file import Entry
from app.migrations.environment_rules import FROM_THE_PROCESS, Environment
from app.migrations.redaction import redact

PROCESS, DEFAULT, NOWHERE = "the process environment", "default", "nowhere"


class Value(NamedTuple):
    """A key, its value without secrets, and where that is written: "envs/prod.env:12", or one of the words above."""

    key: str
    text: str
    source: str


def sources(
    environment: Environment,
    shared: Mapping[str, Entry],
    local: Mapping[str, Entry] | None,
    process: Mapping[str, str],
) -> list[Value]:
    """Return the values of an environment that `build` made of the same files and variables, in the order of KEYS."""
    return [
        Value(key, redact(text), source(key, shared, local or {}, process))
        for key, text in environments.redacted(environment).items()
    ]


def source(key: str, shared: Mapping[str, Entry], local: Mapping[str, Entry], process: Mapping[str, str]) -> str:
    """Return where the value of `key` is written, by the precedence of `environment_rules.build`."""
    if process.get(key) and key in {*FROM_THE_PROCESS, "DATABASE_URL"}:
        return PROCESS
    for entries in (local, shared):
        if key in entries and entries[key].value:
            return f"{entries[key].path}:{entries[key].line}"
    return NOWHERE if key == "DATABASE_URL" else DEFAULT
