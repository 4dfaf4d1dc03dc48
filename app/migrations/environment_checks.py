"""What can be wrong with an environment: decides on texts and facts that are handed in. Reads and asks nothing."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from app.migrations import environments, urls
from app.migrations.environment_file import KEYS, Entry
from app.migrations.environments import Environment
from app.migrations.errors import ConfigurationError, MigrationError
from app.migrations.findings import Finding, Severity
from app.migrations.redaction import redact

OLDEST_SUPPORTED = 14
URL_KEYS = ("DATABASE_URL", "SCRATCH_URL")

_PLACE = re.compile(r"(?P<path>[^\s:]+\.env):(?P<line>\d+): ")
_PLACEHOLDER = re.compile(r":(?:PASSWORD|\*+|\.\.\.|<[^<>@\s]*>|\$\{\w+\})?@")


class File(NamedTuple):
    """An environment file as it is; `tracked` means that git hands it to everybody."""

    path: str
    text: str
    tracked: bool


class Rights(NamedTuple):
    """What the server says about itself and about what the user of the URL may do.

    `version` is server_version_num; `schema` that of the version table, None where search_path names none;
    `foreign` are tables whose owner the user is not, each with that owner.
    """

    version: int
    user: str
    database: str
    schema: str | None
    may_use: bool
    may_create: bool
    foreign: tuple[tuple[str, str], ...]


def blocking(path: str, line: int, rule: str, message: str, instead: str) -> Finding:
    """Return a finding that blocks; what is found about a database is told of the file that names it."""
    return Finding(rule, Severity.ERROR, path, line, message, instead)


def check_file(file: File) -> list[Finding]:
    """Check one file by itself: its lines; and, of envs/NAME.env, the keys, their order and their comments."""
    faults = list(_syntax(file))
    if faults or _is_local(file.path):
        return faults
    entries = environments.parse(file.text, file.path)
    return [*_keys(file, entries), *_comments(file, entries)]


def check_secrets(file: File) -> list[Finding]:
    """Find what everybody with the repository can read and should not; nothing in a file that git does not track."""
    if not file.tracked:
        return []
    faults = [
        blocking(
            file.path,
            number,
            "secret-in-tracked-file",
            "this line holds a password and git tracks the file: everybody with the repository can read it",
            f"move it to {_local_of(file.path)}, which git ignores, and change the password",
        )
        for number, line in enumerate(file.text.splitlines(), 1)
        if holds_secret(line)
    ]
    if _is_local(file.path):
        message = "git tracks this file, which is for one machine's own values and secrets"
        faults.append(blocking(file.path, 0, "tracked-local-file", message, f"git rm --cached {file.path}"))
    return faults


def check_values(
    name: str, texts: Mapping[str, str], process: Mapping[str, str]
) -> tuple[Environment | None, list[Finding]]:
    """Build the environment `name` from its files (path to text) and `process`, and collect every value that is wrong.

    Returns None for the environment where there is any. Lines that are no KEY=VALUE are left to `check_file`.
    """
    shared, local = (_parsed(path, texts.get(path)) for path in (shared_path(name), environments.local_path(name)))
    faults: list[Finding] = []
    while True:
        try:
            built = environments.build(name, shared or {}, local, process, need_url=False)
            return (None if faults else built), faults
        except MigrationError as error:
            if "has no DATABASE_URL;" in error.message:
                return None, faults  # a missing key: `check_file` says so
            fault = finding_of(error, name)
            faults.append(fault)
            if not (_forget(shared, fault) or _forget(local, fault)):
                return None, faults


def check_rights(name: str, rights: Rights) -> list[Finding]:
    """Say which of the rights that migrations need are missing, and whether the server is too old."""
    return [blocking(shared_path(name), 0, *words) for words in _missing(name, rights)]


def finding_of(error: MigrationError, name: str) -> Finding:
    """Turn the error of a value into a finding, at the line that its message begins with, if it does."""
    rule = "value" if isinstance(error, ConfigurationError) else "conflict"
    found = _PLACE.match(error.message)
    if found is None:
        return blocking(shared_path(name), 0, rule, error.message, error.hint)
    return blocking(found["path"], int(found["line"]), rule, error.message[found.end() :], error.hint)


def shared_path(name: str) -> str:
    """Return the file of an environment that git tracks."""
    return f"envs/{name}.env"


def holds_secret(line: str) -> bool:
    """Tell whether a line of an environment file holds a password, in a value or in a comment."""
    key, _, value = line.strip().partition("=")
    if key in URL_KEYS:
        try:
            if value and value not in ("embedded", "none") and urls.embedded_name(value) is None:
                parts = urls.parse(value)
                hidden = any(name in urls.HIDDEN_PARAMETERS for name, _ in parts.parameters)
                return bool(parts.password) or hidden
        except ConfigurationError:
            pass
    shown = _PLACEHOLDER.sub("@", line)
    return redact(shown) != shown


def _syntax(file: File) -> Iterator[Finding]:
    """Read the file again and again, each time without the line at fault: all faults, not the first alone."""
    lines = file.text.replace("\r\n", "\n").split("\n")
    for _ in range(len(lines) + 1):
        try:
            environments.parse("\n".join(lines), file.path)
        except ConfigurationError as error:
            found = _PLACE.match(error.message)
            if found is None:
                return
            number = int(found["line"])
            yield blocking(file.path, number, "syntax", error.message[found.end() :], error.hint)
            lines[number - 1] = ""
        else:
            return


def _keys(file: File, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    missing = [key for key in KEYS if key not in entries]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        message = f"{', '.join(missing)} {verb} missing: the files of the environments cannot be compared line by line"
        cure = f"add {missing[0]}= below {_before(missing[0], entries)}, as in the other files"
        yield blocking(file.path, 0, "missing-key", message, cure)
    expected = [key for key in KEYS if key in entries]
    for key, right in zip(entries, expected, strict=True):
        if key != right:
            message = f"{key} stands where {right} stands in the other files"
            yield blocking(file.path, entries[key].line, "key-order", message, f"the order is: {', '.join(KEYS)}")
            return


def _before(key: str, entries: Mapping[str, Entry]) -> str:
    there = [other for other in KEYS[: KEYS.index(key)] if other in entries]
    return there[-1] if there else "the first comment"


def _comments(file: File, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    lines = file.text.split("\n")
    for key, entry in entries.items():
        if entry.line < 2 or not re.match(r"\s*#\s*\S", lines[entry.line - 2]):
            message = f"there is no comment above {key}: who edits this file is not told what it takes"
            cure = "copy the comment of another envs/*.env"
            yield Finding("no-comment", Severity.WARNING, file.path, entry.line, message, cure)


def _missing(name: str, rights: Rights) -> Iterator[tuple[str, str, str]]:
    who = f'"{rights.user}"'
    if rights.version < OLDEST_SUPPORTED * 10000:
        version = f"{rights.version // 10000}.{rights.version % 10000}"
        message = f"the server is PostgreSQL {version}; supported: {OLDEST_SUPPORTED} and newer"
        yield "old-server", message, f"upgrade the server of {name}"
    if rights.schema is None:
        message = f"search_path of {who} names no schema that exists, so no table can be created"
        yield "no-schema", message, f"CREATE SCHEMA, or ALTER ROLE {who} SET search_path = ..."
        return
    missing = [right for right, has in (("USAGE", rights.may_use), ("CREATE", rights.may_create)) if not has]
    if missing:
        wanted = ", ".join(missing)
        message = f"{who} lacks {wanted} on schema {rights.schema}: no migration can create a table there"
        yield "missing-right", message, f"GRANT {wanted} ON SCHEMA {rights.schema} TO {who}"
    for owner in dict.fromkeys(owner for _, owner in rights.foreign):
        tables = [table for table, its_owner in rights.foreign if its_owner == owner]
        shown = ", ".join(tables[:3]) + (f" and {len(tables) - 3} more" if len(tables) > 3 else "")
        message = f'{shown}: owned by "{owner}", whose rights {who} does not have: no migration can alter them'
        yield "not-the-owner", message, f'GRANT "{owner}" TO {who}, or let {name} connect as "{owner}"'


def _parsed(path: str, text: str | None) -> dict[str, Entry] | None:
    """Parse what can be parsed: a line at fault counts as not there."""
    if text is None:
        return None
    lines = text.replace("\r\n", "\n").split("\n")
    for fault in _syntax(File(path, text, tracked=False)):
        lines[fault.line - 1] = ""
    return environments.parse("\n".join(lines), path)


def _forget(entries: dict[str, Entry] | None, fault: Finding) -> bool:
    """Take away the value that a finding is about, so that the next one shows."""
    for key, entry in list((entries or {}).items()):
        if entries and (entry.path, entry.line) == (fault.path, fault.line):
            if key != "DATABASE_URL":
                del entries[key]
                return True
            entries[key] = entry._replace(value="")
            return bool(entry.value)
    return False


def _is_local(path: str) -> bool:
    return path == ".env" or path.endswith(".local.env")


def _local_of(path: str) -> str:
    name = path.removeprefix("envs/").removesuffix(".env").removesuffix(".local")
    return path if _is_local(path) else environments.local_path(name)
