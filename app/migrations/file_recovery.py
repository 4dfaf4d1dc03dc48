"""Writes the files of revisions back as they were applied, out of a target's journal. Never changes a database."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from app.migrations import headers, history_settings, journal, journal_traces
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.headers import Revision
from app.migrations.symptoms import Code

LONGEST_SLUG = 40
"""Alembic's truncate_slug_length."""
KEPT = ".orig"
"""What follows the name of a file that git does not have; Alembic does not load such names."""


def recover(root: Path, connection: Connection, code: Code, id_: str) -> list[str]:
    """Write the source of `id_` and of the parents that neither the code has; return paths from `root`, then copies.

    A file that is there and that git could not give back is kept beside it. Raises Refused where the journal has no
    source of `id_`, or only a damaged one, with nothing written.
    """
    schema = journal.home(connection)
    wanted, found = [id_], dict[str, tuple[str, Revision]]()
    while wanted:
        name = wanted.pop()
        source = journal_traces.source(connection, schema, name)
        if source is None and name != id_:
            continue  # a parent that the next look of the doctor will name
        revision = _checked(name, source)
        found[name] = source or "", revision
        wanted += [each for each in revision.parents if each not in code.history and each not in found]
    return [path for source, revision in found.values() for path in _written(root, code, source, revision)]


def _checked(id_: str, source: str | None) -> Revision:
    if source is None:
        raise Refused(
            f"the journal holds no source of revision {id_}; nothing was written",
            "git fetch --all, then inv db.doctor: it says where the file is",
        )
    revision = headers.parse(f"{id_}.py", source.encode())
    if not isinstance(revision, Revision) or revision.id != id_:
        raise Refused(
            f"what the journal holds as the source of {id_} is not that revision; nothing was written",
            "inv db.journal --json names the commit that it was applied from",
        )
    return revision


def _written(root: Path, code: Code, source: str, revision: Revision) -> Iterator[str]:
    if revision.id in code.history:
        path = root / code.history[revision.id].path
    else:
        path = Path(_folder(root)) / f"{revision.id}_{_slug(revision.message)}.py"
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") != source and not _in_git(root, path):
        kept = path.with_name(path.name + KEPT)
        kept.write_bytes(path.read_bytes())
        yield _shown(root, kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8", newline="")
    yield _shown(root, path)


def _folder(root: Path) -> str:
    folders = history_settings.locate(str(root)).folders
    if not folders:
        raise ConfigurationError("the settings name no folder of revisions", "correct alembic.ini")
    return folders[0]


def _slug(message: str) -> str:
    return "_".join(re.findall(r"\w+", message)).lower()[:LONGEST_SLUG].strip("_") or "restored"


def _in_git(root: Path, path: Path) -> bool:
    """Return whether the file is committed as it is."""
    asked = ["git", "status", "--porcelain", "--ignored", "--", str(path)]
    try:
        done = subprocess.run(asked, cwd=root, capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return not done.stdout.strip()


def _shown(root: Path, path: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return str(path)
