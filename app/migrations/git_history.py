"""What git knows of a history: which files are its own, what of it is published, who wrote it. Changes nothing.

Published is what stands in the commit where this branch left the default branch.
"""
# ruff: noqa: PTH109, PTH118 -- pathlib is slower to load than to do without

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.migrations import git_files, git_tree
from app.migrations.git_files import Running
from app.migrations.headers import is_revision_file
from app.migrations.history_settings import Locations

DEFAULT = "refs/remotes/origin/HEAD"
OTHERS = (
    "refs/remotes/origin/main", "refs/remotes/origin/master", "refs/remotes/*/HEAD", "refs/remotes/*/main",
    "refs/remotes/*/master", "refs/heads/main", "refs/heads/master",
)  # fmt: skip
"""Where the default branch is looked for, in this order, when no clone has said which one it is."""
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


def start_base(tip: str = "HEAD") -> Running | None:
    """Begin to ask where `tip` left the default branch, so that files can be read meanwhile."""
    return git_files.start("merge-base", DEFAULT, tip)


def base(places: Places, objects: Mapping[str, str], running: Running | None, tip: str = "HEAD") -> Base | None:
    """Return what is published below `tip`; None where no default branch is known, or nothing is shared with it.

    `objects` are those of the files that are there now: what has the same object is not looked at; `running` is what
    `start_base` has begun for the same `tip`. Two processes with that, as long as nothing published was touched.
    """
    common = (running.answer() or b"").decode().strip() if running else ""
    found = (DEFAULT, common) if common else _left(tip)
    changed = _changed(places, objects, found[1]) if found else {}
    others = merging() if changed and tip == "HEAD" else []
    if others:
        found = _left(tip, *others) or found
        changed = _changed(places, objects, found[1]) if found else {}
    if found is None:
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


def _changed(places: Places, objects: Mapping[str, str], revision: str) -> dict[str, str]:
    """Return the objects of those files of a commit that are gone, or are not the same now."""
    before = git_tree.commit(places.shown, places.words, revision).objects()
    return {path: object_ for path, object_ in before.items() if objects.get(path) != object_}
