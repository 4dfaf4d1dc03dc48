"""What a project wants of the checks: reads `[tool.massacorp.checks]` of pyproject.toml. Never looks at a revision."""
# ruff: noqa: PTH118, PTH123 -- pathlib is slower to load than to do without

from __future__ import annotations

import os

from app.migrations.lean import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.migrations.errors import ConfigurationError
    from app.migrations.findings import Severity

FILE, TABLE = "pyproject.toml", "tool.massacorp.checks"
OFF = "off"
KEYS = ("severity", "several_heads", "no_downgrades", "check_after")
FILE_RULES = (
    "missing-downgrade", "data-not-undone", "irreversible", "downgrade-mismatch", "concurrently-in-transaction",
    "index-not-concurrent", "autocommit-block-not-alone", "not-null-without-default", "drop-column", "drop-table",
    "rename", "type-change", "constraint-not-validated", "volatile-default", "data-and-schema-mixed", "model-import",
    "several-changes", "allow-without-reason", "stale-allow",
)  # fmt: skip
"""The rules of `checks/`, without loading them."""
GRAPH_RULES = (
    "several-heads", "missing-parent", "duplicate-id", "cycle", "no-base", "unreachable", "label-clash", "file-name",
    "published-edited", "published-deleted", "not-added", "unmerged", "syntax-error", "unreadable-header",
    "wrong-header", "not-a-revision", "compiled-only", "unreadable-file",
)  # fmt: skip
"""What `check-history` finds."""


class Settings(NamedTuple):
    """The project's wishes; `severities` holds None for a rule that is switched off.

    `several_heads` and `no_downgrades` say that the history has them on purpose. Revisions at and below `check_after`
    are not looked at.
    """

    severities: Mapping[str, Severity | None] = {}
    several_heads: bool = False
    no_downgrades: bool = False
    check_after: str | None = None

    def severity(self, rule: str, default: Severity) -> Severity | None:
        """Return how much a finding of this rule weighs; None where it is switched off."""
        return self.severities.get(rule, default)


def load(root: str) -> Settings:
    """Read the settings of the project in `root`; without a file, or without the table, the defaults hold.

    Raises ConfigurationError for a key or a value that is not known. tomllib costs 20 ms to load, and is loaded only
    for a file that may have the table.
    """
    try:
        with open(os.path.join(root, FILE), "rb", buffering=0) as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except OSError as error:
        raise _wrong(f"cannot be read: {error.strerror}") from error
    return parse(data) if b"massacorp" in data and b"checks" in data else Settings()


def parse(data: bytes) -> Settings:
    """Return the settings that the bytes of a pyproject.toml hold; raises as `load` does."""
    from tomllib import TOMLDecodeError, loads  # noqa: PLC0415 -- see `load`

    try:
        found: object = loads(data.decode())
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(f"cannot be read: {str(error).partition(chr(10))[0]}") from error
    for key in TABLE.split("."):
        found = found.get(key, {}) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise _wrong(f"{TABLE} is no table")
    for key in found:
        if key not in KEYS:
            raise _wrong(f"{TABLE} has the key {key!r}; accepted: {', '.join(KEYS)}")
    after = found.get("check_after")
    if after is not None and not (isinstance(after, str) and after):
        raise _wrong(f"check_after is {after!r}; accepted: the id of a revision, as a text")
    return Settings(
        _severities(found.get("severity", {})), _flag(found, "several_heads"), _flag(found, "no_downgrades"), after
    )


def _severities(found: object) -> dict[str, Severity | None]:
    if not isinstance(found, dict):
        raise _wrong(f'severity is {found!r}; accepted: a table such as {{ drop-column = "error" }}')
    from app.migrations.findings import Severity  # noqa: PLC0415 -- enum takes 4 ms to load

    known = (*FILE_RULES, *GRAPH_RULES)
    accepted = {OFF: None, **{severity.value: severity for severity in Severity}}
    for rule, value in found.items():
        if rule not in known:
            raise _wrong(f"severity has the rule {rule!r}; accepted: {', '.join(known)}")
        if not isinstance(value, str) or value not in accepted:
            raise _wrong(f"severity of {rule} is {value!r}; accepted: {', '.join(accepted)}")
    return {rule: accepted[value] for rule, value in found.items()}


def _flag(found: Mapping[str, object], key: str) -> bool:
    value = found.get(key, False)
    if not isinstance(value, bool):
        raise _wrong(f"{key} is {value!r}; accepted: true, false")
    return value


def _wrong(message: str) -> ConfigurationError:
    from app.migrations.errors import ConfigurationError  # noqa: PLC0415 -- its patterns are not free, and rarely used

    return ConfigurationError(f"{FILE}: {message}; nothing was checked", f"correct [{TABLE}] in {FILE}")
