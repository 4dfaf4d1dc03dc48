"""What a backup says about itself, as a value and as the bytes of manifest.json. Never touches a file or a database.

The bytes are canonical and hold a checksum of themselves: there is one text for one manifest, and any other text
- a flipped bit, a cut, a space too many, a key written twice - is refused. No secret is ever in them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from types import UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from app.migrations.errors import ConfigurationError
from app.migrations.redaction import HIDDEN, redact

NAME = "manifest.json"
FORMAT = 1
CHECKSUM = "checksum"
ANOTHER = "inv db.backups --check"

_SECRET = re.compile(r"passw|passphrase|pwd|secret|token|credential|jwt|apikey|(?<![a-z])keys?(?![a-z])", re.I)


class File(NamedTuple):
    """One file of a backup: `name` relative to its folder, with `/`; `size` in bytes; `sha256` in hexadecimal."""

    name: str
    size: int
    sha256: str


class SequencePosition(NamedTuple):
    """Where a sequence stood; with `is_called` false, `last_value` is the next one that it gives."""

    last_value: int
    is_called: bool


class Setting(NamedTuple):
    """One `ALTER DATABASE ... SET`, or `ALTER ROLE role IN DATABASE ... SET`; `value` as pg_db_role_setting has it.

    https://www.postgresql.org/docs/current/catalog-pg-db-role-setting.html
    """

    role: str | None
    name: str
    value: str

    @property
    def hidden(self) -> bool:
        """Return whether the value was a secret and was left out: only the living database knows it."""
        return self.value == HIDDEN


class SecurityLabel(NamedTuple):
    """One `SECURITY LABEL FOR provider ON DATABASE`."""

    provider: str
    label: str


class DatabaseSettings(NamedTuple):
    """What belongs to a database and not to its dump. `locale` is that of ICU and of the builtin provider.

    `acl` holds the aclitem texts of pg_database.datacl, and is None where nothing was ever granted or revoked.
    https://www.postgresql.org/docs/current/catalog-pg-database.html
    """

    owner: str
    acl: tuple[str, ...] | None
    comment: str | None
    connection_limit: int
    settings: tuple[Setting, ...]
    encoding: str
    locale_provider: str
    collate: str
    ctype: str
    locale: str | None
    tablespace: str
    security_labels: tuple[SecurityLabel, ...] = ()


class Proof(NamedTuple):
    """How a restore of the backup into a scratch database went; `proved_at` is ISO 8601 in UTC."""

    proved_at: str
    seconds: float
    server_version: str
    equal: bool
    differences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is inside a backup, as of the snapshot of its dump.

    `rows` counts by qualified and quoted name, of partitioned tables the leaves; `roles` are those that the dump
    names; `extensions` have their versions; `fingerprint` is that of the catalog; `started_at` is ISO 8601 in UTC,
    `seconds` the time that the backup took; `files` are all but this manifest; `proof` is None until there is one.
    """

    format: int = FORMAT
    environment: str
    database: str
    described: str
    settings: DatabaseSettings
    server_version: str
    server_version_num: int
    client_version: str
    revisions: tuple[str, ...]
    git_commit: str | None
    git_dirty: bool | None
    rows: Mapping[str, int]
    sequences: Mapping[str, SequencePosition]
    large_objects: int
    fingerprint: str
    roles: tuple[str, ...]
    extensions: Mapping[str, str]
    files: tuple[File, ...]
    started_at: str
    seconds: float
    proof: Proof | None = None

    @property
    def started(self) -> datetime:
        """Return when the backup was begun, with its offset."""
        return datetime.fromisoformat(self.started_at)

    @property
    def size(self) -> int:
        """Return the bytes of all files but the manifest."""
        return sum(file.size for file in self.files)

    @property
    def proven(self) -> bool:
        """Return whether the backup was restored once and found equal to what is said here."""
        return self.proof is not None and self.proof.equal


def render(manifest: Manifest) -> bytes:
    """Return the bytes of manifest.json, UTF-8 whatever the names hold; secrets of settings are left out.

    `parse` gives the same manifest back, less those secrets.
    """
    document = _encoded(manifest, Manifest)
    settings, proof = document["settings"]["settings"], document["proof"]
    for setting in settings:
        setting["value"] = _without_secret(setting["name"], setting["value"])
    if proof is not None:
        proof["differences"] = [redact(difference) for difference in proof["differences"]]
    return _dumped(document | {CHECKSUM: _checksum(document)})


def parse(data: bytes, where: str) -> Manifest:
    """Read what `render` wrote, and nothing else; `where` names the file in the errors. Raises ConfigurationError."""
    document = _intact(data)
    if document is None:
        raise ConfigurationError(
            f"{where} is damaged: its bytes are not those that were written, so its backup is not to be trusted",
            ANOTHER,
        )
    version = document.get("format")
    if type(version) is int and version > FORMAT:
        raise ConfigurationError(
            f"{where} is of format {version}, written by a newer version of these tools; this one reads {FORMAT}",
            "git pull",
        )
    try:
        read = _decoded({key: value for key, value in document.items() if key != CHECKSUM}, Manifest)
        if version != FORMAT or not isinstance(read, Manifest) or read.started.tzinfo is None or render(read) != data:
            raise ValueError(f"format {version}")
    except (ValueError, TypeError, KeyError) as fault:
        raise ConfigurationError(
            f"{where} is no manifest of format {FORMAT}: {fault}; these tools did not write it", ANOTHER
        ) from None
    return read


def _intact(data: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(data)
        body = {key: value for key, value in document.items() if key != CHECKSUM}
        return document if _dumped(document) == data and document.get(CHECKSUM) == _checksum(body) else None
    except (ValueError, AttributeError, RecursionError):
        return None


def _checksum(document: Mapping[str, Any]) -> str:
    return sha256(_dumped(document)).hexdigest()


def _dumped(document: Mapping[str, Any]) -> bytes:
    """Return JSON in which a lone surrogate - a byte that was not UTF-8 - is the escape that JSON has for it."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _without_secret(name: str, value: str) -> str:
    """Return the value, unless it looks secret: PostgreSQL's own settings are not, one like `app.jwt_secret` is."""
    return HIDDEN if ("." in name and _SECRET.search(name)) or redact(value) != value else value


def _encoded(value: Any, kind: Any) -> Any:
    """Return what json takes for a `value` of the annotated type `kind`; mappings are sorted. Raises TypeError."""
    kind = _chosen(kind, value)
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return {name: _encoded(getattr(value, name), inner) for name, inner in _members(kind).items()}
    if get_origin(kind) is tuple:
        return [_encoded(one, get_args(kind)[0]) for one in value]
    if get_origin(kind) is Mapping:
        return {str(name): _encoded(value[name], get_args(kind)[1]) for name in sorted(value)}
    if kind is float and type(value) is int:
        return float(value)
    return _checked(value, kind)


def _decoded(value: Any, kind: Any) -> Any:
    """Return a `kind` made of what json read. Raises TypeError or KeyError where it was none."""
    kind = _chosen(kind, value)
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return kind(**{name: _decoded(_checked(value, dict)[name], inner) for name, inner in _members(kind).items()})
    if get_origin(kind) is tuple:
        return tuple(_decoded(one, get_args(kind)[0]) for one in _checked(value, list))
    if get_origin(kind) is Mapping:
        return {name: _decoded(one, get_args(kind)[1]) for name, one in _checked(value, dict).items()}
    return _checked(value, kind)


@cache
def _members(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else kind._fields
    return {name: hints[name] for name in names}


def _chosen(kind: Any, value: Any) -> Any:
    """Of `X | None`, return the one that `value` is of."""
    if not isinstance(kind, UnionType):
        return kind
    return type(None) if value is None else next(one for one in get_args(kind) if one is not type(None))


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:  # bool is an int, and true is not 1
        raise TypeError(f"{value!r:.40} where {kind.__name__} belongs")
    return value
