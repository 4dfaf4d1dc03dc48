"""What one environment's values mean together, and who may set which. Never reads a file or a variable.

The process environment is handed in. It may name the database and the details of this machine; whether an
environment is protected, and what backup a change needs, is decided in files that others see.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import NamedTuple, TypeVar

from app.migrations import urls
from app.migrations.durations import ACCEPTED, parse_duration
from app.migrations.environment_file import KEYS, Entry
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.url_syntax import EXAMPLE

EMBEDDED = "embedded"
MISSING = f"export DATABASE_URL={EXAMPLE}"
FROM_THE_PROCESS = frozenset(KEYS) - {"DATABASE_URL", "PROTECTED", "BACKUP", "BACKUP_KEEP"}
TRUE, FALSE = ("true", "yes", "on", "y", "t", "1"), ("false", "no", "off", "n", "f", "0")

T = TypeVar("T")


class Backup(Enum):
    """What must exist before a change: nothing, a backup, or a backup that was restored and compared."""

    NEVER = "never"
    ALWAYS = "always"
    PROVEN = "proven"


@dataclass(frozen=True)
class Environment:
    """What one environment says, checked and typed.

    `name` is "" for a database that was named by a URL alone; `database_url` is normalised, and "" where
    nothing names the target and none was asked for; `backup_jobs` 0 means one for each core; `scratch_url` is
    "embedded", a normalised URL, or None where no scratch database may be made; `statement_timeout` 0 means none;
    `pg_bin` lists folders, separated as in PATH.
    """

    name: str
    database_url: str
    protected: bool = False
    backup: Backup = Backup.NEVER
    backup_dir: str = "backups"
    backup_keep: int = 10
    backup_jobs: int = 0
    scratch_url: str | None = EMBEDDED
    lock_timeout: timedelta = timedelta(milliseconds=250)
    lock_retry_for: timedelta = timedelta(minutes=10)
    upgrade_wait: timedelta = timedelta(minutes=10)
    statement_timeout: timedelta = timedelta(0)
    pg_bin: str = ""


def build(
    name: str,
    shared: Mapping[str, Entry],
    local: Mapping[str, Entry] | None,
    process: Mapping[str, str],
    need_url: bool = True,
) -> Environment:
    """The environment that its tracked file, the local file over it and the process environment make together.

    A local file may arm (PROTECTED=true, a stronger BACKUP), never disarm; an exported PROTECTED or BACKUP that
    differs is refused. Raises ConfigurationError and Refused; without `need_url` an unnamed database is "".
    """
    if name and "DATABASE_URL" not in shared:
        raise ConfigurationError(
            f"envs/{name}.env has no DATABASE_URL; accepted: {EXAMPLE}, embedded:///NAME, or nothing after the =",
            f"echo 'DATABASE_URL=' >> envs/{name}.env",
        )
    files = {**shared, **{key: entry for key, entry in (local or {}).items() if entry.value}}
    exported = {key: Entry(process[key], 0, "") for key in KEYS if process.get(key)}
    read = _Reader({**files, **{k: e for k, e in exported.items() if k in FROM_THE_PROCESS}})
    sources = _Sources(shared, local or {}, exported)
    protected = _guarded("PROTECTED", _flag, False, sources)
    return Environment(
        name=name,
        database_url=_database_url(name, files, exported.get("DATABASE_URL"), need_url),
        protected=protected,
        backup=_guarded("BACKUP", _backup, Backup.NEVER, sources),
        backup_dir=read("BACKUP_DIR", str, "backups"),
        backup_keep=read("BACKUP_KEEP", lambda text: _number(text, 1), 10),
        backup_jobs=read("BACKUP_JOBS", lambda text: _number(text, 0), 0),
        scratch_url=read.scratch_url(None if protected else EMBEDDED),
        lock_timeout=read("LOCK_TIMEOUT", _time_above_zero, timedelta(milliseconds=250)),
        lock_retry_for=read("LOCK_RETRY_FOR", parse_duration, timedelta(minutes=10)),
        upgrade_wait=read("UPGRADE_WAIT", parse_duration, timedelta(minutes=10)),
        statement_timeout=read("STATEMENT_TIMEOUT", parse_duration, timedelta(0)),
        pg_bin=read("PG_BIN", str, ""),
    )


class _Reader:
    """The values that have a default, each read with the words that its error needs."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries = entries

    def __call__(self, key: str, convert: Callable[[str], T], default: T) -> T:
        entry = self.entries.get(key)
        return _converted(key, entry, convert) if entry and entry.value else default

    def scratch_url(self, default: str | None) -> str | None:
        entry = self.entries.get("SCRATCH_URL")
        if entry is None or not entry.value:
            return default
        if entry.value in (EMBEDDED, "none"):
            return entry.value if entry.value == EMBEDDED else None
        url = urls.normalise(entry.value, entry.subject("SCRATCH_URL"), entry.cure("SCRATCH_URL"))
        if url.startswith(urls.EMBEDDED):
            raise ConfigurationError(
                f"{entry.subject('SCRATCH_URL')} names a database; accepted: {EMBEDDED}, none, {EXAMPLE}",
                entry.cure("SCRATCH_URL"),
            )
        return url


def _database_url(name: str, files: Mapping[str, Entry], exported: Entry | None, need_url: bool) -> str:
    key, own = "DATABASE_URL", files.get("DATABASE_URL")
    theirs = urls.normalise(exported.value, exported.subject(key), MISSING) if exported else ""
    if not own or not own.value:
        if need_url and not theirs:
            raise ConfigurationError(
                f"nothing names the database of {name}: DATABASE_URL is empty in its files and not exported",
                MISSING,
            )
        return theirs
    ours = urls.normalise(own.value, own.subject(key), own.cure(key))
    if theirs and not urls.same(ours, theirs):
        raise Refused(
            f"{name} is {urls.described(ours)} ({own.path}:{own.line}), but the exported DATABASE_URL is "
            f"{urls.described(theirs)}; nothing was changed",
            f"`unset DATABASE_URL` to work on {name}, or choose with --env the environment that is meant",
        )
    return theirs or ours


class _Sources(NamedTuple):
    """Who may speak about PROTECTED and BACKUP."""

    shared: Mapping[str, Entry]
    local: Mapping[str, Entry]
    exported: Mapping[str, Entry]


def _guarded(key: str, convert: Callable[[str], T], default: T, sources: _Sources) -> T:
    """A value that may be made stricter by the local file, and must not be contradicted by an export."""
    shared, local, exported = sources
    decided = _converted(key, shared[key], convert) if key in shared else default
    if key in local and local[key].value:
        wanted = _converted(key, local[key], convert)
        if _strictness(wanted) < _strictness(decided):
            raise Refused(
                f"{local[key].subject(key)} is {local[key].value}, but the shared file says {_said(decided)}; "
                "a local file may only be stricter",
                local[key].cure(key),
            )
        decided = wanted
    if key in exported and not _agrees(exported[key].value, convert, decided):
        raise Refused(
            f"{key} is exported as {exported[key].value}, but the files say {_said(decided)}; only they decide it",
            f"unset {key}",
        )
    return decided


def _agrees(text: str, convert: Callable[[str], T], decided: T) -> bool:
    try:
        return convert(text) == decided
    except ValueError:
        return False


def _strictness(value: object) -> int:
    return list(Backup).index(value) if isinstance(value, Backup) else int(value is True)


def _said(value: object) -> str:
    return value.value if isinstance(value, Backup) else str(value).lower()


def _converted(key: str, entry: Entry, convert: Callable[[str], T]) -> T:
    try:
        return convert(entry.value)
    except ValueError as fault:
        raise ConfigurationError(f"{entry.subject(key)} {fault}", entry.cure(key)) from None


def _flag(text: str) -> bool:
    if text.lower() not in (*TRUE, *FALSE):
        raise ValueError(f'is "{text}"; accepted: true, false')
    return text.lower() in TRUE


def _backup(text: str) -> Backup:
    try:
        return Backup(text)
    except ValueError:
        raise ValueError(f'is "{text}"; accepted: {", ".join(value.value for value in Backup)}') from None


def _number(text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) >= least):
        raise ValueError(f'is "{text}"; accepted: a whole number from {least} to 999999')
    return int(text)


def _time_above_zero(text: str) -> timedelta:
    """LOCK_TIMEOUT: 0 would queue for a lock without end, and everybody else behind it."""
    if not (duration := parse_duration(text)):
        raise ValueError(f'is "{text}", which waits without end; accepted: {ACCEPTED.removeprefix("0, or ")}')
    return duration
