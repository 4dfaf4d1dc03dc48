"""What git knows of a history: which files are its own, what of it is published, who wrote it. Changes nothing.

Published is what stands in the commit where this branch left the default branch.
"""
# ruff: noqa: PTH109, PTH118 -- pathlib is slower to load than to do without

from __future__ import annotations

import os

from app.migrations import git_files
from app.migrations.git_files import Running
from app.migrations.headers import is_revision_file
from app.migrations.history_settings import Locations
from app.migrations.lean import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT = "refs/remotes/origin/HEAD"
OTHERS = (
    "refs/remotes/origin/main", "refs/remotes/origin/master", "refs/remotes/*/HEAD", "refs/remotes/*/main",
    "refs/remotes/*/master", "refs/heads/main", "refs/heads/master",
)  # fmt: skip
"""Where the default branch is looked for, in this order, when no clone has said which one it is."""
DIFFERENCE = (
    "diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-color", "--no-ext-diff", "--no-relative",
    "--ignore-submodules", "--diff-filter=MDT",
)  # fmt: skip
INDEX, FOLDER = "--cached", ""
"""What is compared with what is published: the next commit, or what is in the folder."""
NOBODY = "somebody who has not committed it yet"


class Base(NamedTuple):
    """Where this branch left the default branch, and the files of that commit that are not the same now."""

    branch: str
    commit: str
    changed: Mapping[str, bytes]


class Places:
    """Which of git's paths belong to a history, and how they are shown; folders are looked at once each.

    `locations` are the history's with links followed, `words` their folders for git's command line.
    """

    def __init__(self, locations: Locations) -> None:
        folders = tuple(dict.fromkeys(os.path.realpath(folder) for folder in locations.folders))
        self.words = folders
        self.locations = locations._replace(folders=folders)
        self._here = os.getcwd()
        self._known: dict[bytes, str | None] = {}

    def shown(self, name: bytes) -> str | None:
        """Return how a path of git, from the folder of this process, is shown; None where Alembic does not load it."""
        folder, _, last = name.rpartition(b"/")
        if folder not in self._known:
            self._known[folder] = self._prefix(os.fsdecode(folder))
        prefix, file = self._known[folder], os.fsdecode(last)
        return prefix + file if prefix is not None and is_revision_file(file) else None

    def _prefix(self, folder: str) -> str | None:
        full = os.path.normpath(os.path.join(self._here, folder))
        held = self.locations.hold(os.path.join(full, "x.py"))
        return self.locations.shown(os.path.join(full, "")) if held else None


def start_base(places: Places, state: str = INDEX) -> Running | None:
    """Begin to ask what is not as it was where `state` left the default branch, so that files can be read meanwhile.

    `state` is INDEX, FOLDER or a commit. A git before 2.30 does not understand, and is asked step by step later.
    """
    return git_files.start(*DIFFERENCE, "--merge-base", DEFAULT, *([state] if state else []), "--", *places.words)


def base(places: Places, running: Running | None, state: str = INDEX) -> Base | None:
    """Return what is published below `state`; None where no default branch is known, or nothing is shared with it.

    `running` is what `start_base` has begun for the same `state`: all there is to ask, as long as nothing published was
    touched. What git takes for changed may be the same all the same.
    """
    answer = running.answer() if running else None
    if answer is not None and not answer:
        return Base(DEFAULT, "", {})
    of_commit = state not in {INDEX, FOLDER}
    found = _left(state) if of_commit else _left("HEAD", *merging()) or _left("HEAD")
    if found is None:
        return None
    changed = _changed(places, state, found[1])
    if changed is None:
        return None
    contents = dict(git_files.blobs(changed.values()))
    return Base(
        git_files.word("rev-parse", "--abbrev-ref", found[0]) if changed else found[0],
        found[1][:12],
        {path: contents[object_] for path, object_ in changed.items() if object_ in contents},
    )


def authors(paths: Mapping[str, str], tip: str = "HEAD") -> dict[str, str]:
    """Return who added each of these files (by path, with its name for git); one process for each, or two."""
    tips = [tip, *(merging() if tip == "HEAD" else [])]
    return {path: _author(name, tips) or NOBODY for path, name in paths.items()}


def _author(name: str, tips: Sequence[str]) -> str:
    """Return who added a file: in a commit of his own, or else in a merge, which git does not look into by itself."""
    words = ("--format=%an", "--diff-filter=A", *tips, "--", name)
    return git_files.word("log", "-1", *words) or git_files.word("log", "-1", "-m", *words).partition("\n")[0]


def merging() -> list[str]:
    """Return the commits that are being merged: before its hook runs, git names them by variables alone."""
    named = [name.removeprefix("GITHEAD_") for name in os.environ if name.startswith("GITHEAD_")]
    return named or [found for found in [git_files.word("rev-parse", "--quiet", "--verify", "MERGE_HEAD")] if found]


def _left(*tips: str) -> tuple[str, str] | None:
    """Return the default branch, and the best commit that it has in common with the merge of `tips`."""
    if common := git_files.word("merge-base", DEFAULT, *tips):
        return DEFAULT, common
    there = git_files.word("for-each-ref", "--format=%(refname)", DEFAULT, *OTHERS).split("\n")
    for wanted in (DEFAULT, *OTHERS):
        before, _, after = wanted.partition("*")
        for name in there:
            if name and name.startswith(before) and name.endswith(after):
                common = git_files.word("merge-base", name, *tips)
                return (name, common) if common else None
    return None


def _changed(places: Places, state: str, revision: str) -> dict[str, str] | None:
    """Return the objects of those files of a commit that are gone, or are not the same in `state`.

    None where git does not say, as of a folder outside of its repository.
    """
    answer = git_files.ask(*DIFFERENCE, revision, *([state] if state else []), "--", *places.words)
    if answer is None:
        return None
    fields = git_files.records(answer)
    top = os.fsencode(git_files.word("rev-parse", "--show-cdup")) if fields else b""
    changed = {}
    for head, name in zip(fields[::2], fields[1::2], strict=True):
        path = places.shown(top + name)
        if path is not None:
            changed[path] = head.split(b" ")[2].decode()
    return changed
