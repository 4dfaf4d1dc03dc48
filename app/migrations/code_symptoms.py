"""Reads the history in the code for the doctor, and asks git for files that it lacks. Never executes a revision."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from app.migrations import headers, history_files, history_settings
from app.migrations.errors import ConfigurationError
from app.migrations.headers import Revision
from app.migrations.history import History
from app.migrations.revision import digest
from app.migrations.symptoms import Code, GitFile

PLAIN = re.compile(r"[\w.-]+")
"""Ids that mean nothing to git's patterns; others are not looked for."""


def read(root: Path) -> Code:
    """Read all files, whatever is wrong with them; never raises because of what they hold."""
    try:
        files = list(history_files.sources(history_settings.locate(str(root))))
    except ConfigurationError as error:
        return Code(History(()), broken=error)
    found = history_files.assemble(files)
    sources = {path: source for path, source in files if isinstance(source, bytes)}
    twins = frozenset(
        same[0].id for same in found.history.duplicates if len({digest(sources[each.path]) for each in same}) == 1
    )
    return Code(found.history, found.faults, twins=twins)


def with_lost_files(code: Code, root: Path, unknown: Iterable[str]) -> Code:
    """Ask git for the parents that are missing, and for the `unknown` revisions of a database."""
    lost = dict.fromkeys([*(name for _, name in code.history.missing), *unknown])
    found = {name: file for name in lost if (file := find_in_git(root, name))}
    return code._replace(in_git=found)


def find_in_git(root: Path, id_: str) -> GitFile | None:
    """Return the newest commit of any branch that wrote a file of revision `id_`; None without git or without one.

    The file's name has to hold the id, as ours do. Two runs of git for each such file.
    """
    if not PLAIN.fullmatch(id_):
        return None
    wanted = f":(glob)**/*{id_}*.py"
    lines = _git(root, "log", "--all", "--relative", "--diff-filter=AMR", "--format=%H", "--name-only", "--", wanted)
    commit = ""
    for line in filter(None, lines.split("\n")):
        if re.fullmatch(r"[0-9a-f]{40,64}", line):
            commit = line
        elif is_revision(root, GitFile(commit, line), id_):
            return GitFile(commit, line)
    return None


def is_revision(root: Path, file: GitFile, id_: str) -> bool:
    """Return whether a file of a commit is that revision."""
    source = _git(root, "show", f"{file.commit}:./{file.path}")
    found = headers.parse(file.path, source.encode())
    return isinstance(found, Revision) and found.id == id_


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, timeout=30, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")
