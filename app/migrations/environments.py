"""Environments: finds their files and chooses among them. Never reads the process's variables itself."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from app.migrations.durations import render_duration
from app.migrations.environment_file import KEYS, Entry, parse
from app.migrations.environment_rules import Backup, Environment, build
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.redaction import redact

__all__ = [
    "DEFAULT_NAME",
    "KEYS",
    "Backup",
    "Choice",
    "Entry",
    "Environment",
    "build",
    "choose",
    "decoded",
    "detached",
    "entries",
    "for_alembic",
    "for_tasks",
    "load",
    "local_path",
    "names",
    "parse",
    "read_file",
    "redacted",
]

DEFAULT_NAME = "dev"
USUAL_ORDER = ("dev", "test", "docker", "staging", "prod")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Choice(NamedTuple):
    """An environment's name, or the URL of a database that stands for itself: one of them is None."""

    name: str | None
    url: str | None


def choose(given: str | None, app_env: str | None, database_url: str | None) -> Choice:
    """What is meant by `-x env=` (or `--env=`), APP_ENV and an exported DATABASE_URL; "" counts as not set.

    `inv` hands in no `database_url`: its tasks work on an environment always, so that a forgotten export is
    refused by `build` and never followed. Raises Refused where the first two name different environments.
    """
    if given and app_env and given != app_env:
        raise Refused(
            f"two environments are named: {given} on the command line, {app_env} in APP_ENV; nothing was changed",
            "unset APP_ENV",
        )
    if name := given or app_env:
        return Choice(name, None)
    return Choice(None, database_url) if database_url else Choice(DEFAULT_NAME, None)


def load(
    root: Path, name: str, process: Mapping[str, str], need_url: bool = True, also: Collection[str] = ()
) -> Environment:
    """The environment `name` of the repository at `root`: its two files and what `process` may override.

    A relative BACKUP_DIR is taken from `root`. `also` names keys of other programs that may stand in the files.
    Raises ConfigurationError and Refused.
    """
    shared, local = entries(root, name, also)
    environment = build(name, shared, local, process, need_url)
    return replace(environment, backup_dir=str(root / Path(environment.backup_dir).expanduser()))


def entries(root: Path, name: str, also: Collection[str] = ()) -> tuple[dict[str, Entry], dict[str, Entry] | None]:
    """What the two files of `name` say; None for a local file that is not there. Raises ConfigurationError."""
    if name not in names(root):
        raise _unknown(name, names(root))
    shared_path, local_path_ = f"envs/{name}.env", local_path(name)
    shared = parse(read_file(root, shared_path) or "", shared_path, also)
    local = read_file(root, local_path_)
    return shared, None if local is None else parse(local, local_path_, also)


def for_tasks(root: Path, env: str | None, process: Mapping[str, str], need_url: bool = True) -> Environment:
    """The environment of an `inv` task: `--env`, else APP_ENV, else dev. A forgotten export is never followed."""
    choice = choose(env, process.get("APP_ENV"), None)
    return load(root, choice.name or DEFAULT_NAME, process, need_url)


def for_alembic(root: Path, x_env: str | None, process: Mapping[str, str]) -> Environment:
    """The environment of a plain `alembic` command: `-x env=`, APP_ENV, an exported DATABASE_URL, or dev."""
    choice = choose(x_env, process.get("APP_ENV"), process.get("DATABASE_URL"))
    if choice.url is not None:
        environment = detached(choice.url, process)
        return replace(environment, backup_dir=str(root / Path(environment.backup_dir).expanduser()))
    return load(root, choice.name or DEFAULT_NAME, process)


def names(root: Path) -> list[str]:
    """The environments that have a file in `root`/envs, the usual five first."""
    found = [path.name.removesuffix(".env") for path in (root / "envs").glob("*.env")]
    known = [name for name in found if _NAME.fullmatch(name)]
    return sorted(known, key=lambda name: (USUAL_ORDER.index(name) if name in USUAL_ORDER else 99, name))


def local_path(name: str) -> str:
    """The file that git ignores and that is read over the shared one, relative to the repository."""
    return ".env" if name == DEFAULT_NAME else f"envs/{name}.local.env"


def detached(url: str, process: Mapping[str, str]) -> Environment:
    """The environment of a database that was named by its URL alone: unprotected, no backups, the defaults."""
    return build("", {}, None, {**process, "DATABASE_URL": url})


def redacted(environment: Environment) -> dict[str, str]:
    """The environment as its file would say it, in the order of KEYS, without secrets."""
    times = ("lock_timeout", "lock_retry_for", "upgrade_wait", "statement_timeout")
    shown = {
        "DATABASE_URL": redact(environment.database_url),
        "PROTECTED": "true" if environment.protected else "false",
        "BACKUP": environment.backup.value,
        "BACKUP_DIR": environment.backup_dir,
        "BACKUP_KEEP": str(environment.backup_keep),
        "BACKUP_JOBS": str(environment.backup_jobs),
        "SCRATCH_URL": redact(environment.scratch_url or "none"),
        **{key.upper(): render_duration(getattr(environment, key)) for key in times},
        "PG_BIN": environment.pg_bin,
    }
    return {key: shown[key] for key in KEYS}


def _unknown(name: str, known: list[str]) -> ConfigurationError:
    close = get_close_matches(name, known, n=1)
    accepted = f"accepted: {', '.join(known)}" if known else "the folder envs holds no NAME.env"
    return ConfigurationError(
        f'there is no environment "{repr(name)[1:-1]}"' + (f", perhaps {close[0]}" if close else "") + f"; {accepted}",
        f"the same command with --env={close[0]}" if close else "inv env.list",
    )


def read_file(root: Path, shown: str) -> str | None:
    """The text of the file `shown`, relative to `root`; None where there is none. Raises ConfigurationError."""
    try:
        data = (root / shown).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise ConfigurationError(f"{shown} cannot be read: {fault.strerror}", f"ls -l {shown}") from None
    return decoded(data, shown)


def decoded(data: bytes, shown: str) -> str:
    """The text that the bytes of a file are. Raises ConfigurationError where they are no UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise ConfigurationError(
            f"{shown}:{line}: byte 0x{data[fault.start]:02x} is not UTF-8; accepted: UTF-8",
            f"iconv -f latin1 -t utf-8 {shown}",
        ) from None
