"""The body of check-migrations: reads revision files from the folder or from git, and reports what is wrong in them."""
# ruff: noqa: PTH109, PTH113, PTH118, PTH119, PTH120, PTH123 -- pathlib is slower to load than to do without

from __future__ import annotations

import os

from app.migrations.checks import settings
from app.migrations.headers import is_revision_file
from app.migrations.lean import TYPE_CHECKING
from scripts.hooks import ends, options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.migrations.findings import Finding

TOGETHER = 8
"""How many files git is asked for at once."""

HELP = """Checks revision files: downgrades that are missing, locks that block, data that is lost.

  check_migrations.py FILE ... [--config alembic.ini] [--format=text|json|github|sarif] [--staged]

--config    alembic.ini of the project; its folder is where pyproject.toml and the code lie (default: found from here)
--staged    the files as git will hold them: what is in the index or, where PRE_COMMIT_TO_REF is set, in that commit

A file that is no revision is passed over. Ends with 1 when something blocks, 2 when it cannot be checked, 3 for a bug
of this program. What blocks is set in [tool.massacorp.checks] of pyproject.toml.
"""


def main(arguments: Sequence[str]) -> int:
    """Check, report, and return the exit code."""
    asked = options.parse(arguments, ("config", "format", "staged"), files=True)
    if asked.help:
        print(HELP, end="")
        return 0
    if not asked.files:
        raise _wrong("no file is named", "check_migrations.py alembic/versions/*.py")
    names = dict.fromkeys(name for name in asked.files if is_revision_file(os.path.basename(name)))
    sources = _staged(names, os.environ) if asked.staged else {name: _read(name) for name in names}
    root = os.path.dirname(asked.config[0]) or "." if asked.config else ""
    return ends.reported(check(sources, root), asked.format)


def check(sources: Mapping[str, bytes], root: str = "") -> list[Finding]:
    """Return what is wrong in these files, by their names; the settings are those of `root`, by default found."""
    suspects = {name: source for name, source in sources.items() if b"revision" in source}
    if not suspects:
        return []
    from app.migrations.checks import rules, surroundings  # noqa: PLC0415 -- ast is slow to load, and may not be needed
    from app.migrations.findings import in_order  # noqa: PLC0415 -- the same

    root = root or _root()
    wanted = settings.load(root)
    known = surroundings.gather(root, wanted)
    return in_order(
        finding
        for name, source in suspects.items()
        for finding in rules.check_file(_shown(name), source, wanted, known)
    )


def _root() -> str:
    """Return the nearest folder, from here upwards, with an alembic.ini; else this one."""
    here = folder = os.getcwd()
    while not os.path.isfile(os.path.join(folder, "alembic.ini")):
        above = os.path.dirname(folder)
        if above == folder:
            return here
        folder = above
    return folder


def _shown(name: str) -> str:
    return os.path.normpath(name).replace(os.sep, "/")


def _read(name: str) -> bytes:
    try:
        with open(name, "rb", buffering=0) as file:
            return file.read()
    except OSError as error:
        raise _wrong(f"{name} cannot be read: {error.strerror}", "name files that are there") from error


def _staged(names: Mapping[str, None], process: Mapping[str, str]) -> dict[str, bytes]:
    """Return the files as git will hold them; one that it will not hold is left out."""
    from app.migrations import git_files  # noqa: PLC0415 -- by hand the files are read from the folder

    commit = process.get("PRE_COMMIT_TO_REF") or process.get("PRE_COMMIT_LOCAL_BRANCH") or ""
    found = dict[str, bytes]()
    waiting = list(names)
    while waiting:
        some, waiting = waiting[:TOGETHER], waiting[TOGETHER:]
        words = [("cat-file", "blob", f"{commit}:./{_shown(os.path.relpath(name))}") for name in some]
        asked = [git_files.start(*each) for each in words]
        from app.migrations.checks import rules  # noqa: F401, PLC0415 -- slow to load: git works meanwhile

        texts = [running.answer() if running else None for running in asked]
        found |= {name: text for name, text in zip(some, texts, strict=True) if text is not None}
    if names and not found and git_files.ask("rev-parse", "--git-dir") is None:
        raise _wrong("what git holds cannot be read", "leave out --staged to check the files in the folder")
    return found


def _wrong(message: str, hint: str) -> Exception:
    from app.migrations.errors import ConfigurationError  # noqa: PLC0415 -- its patterns are not free, and rarely used

    return ConfigurationError(f"{message}; nothing was checked", hint)
