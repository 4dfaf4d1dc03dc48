"""Which revisions git says are published: those on the default branch, as this clone last saw it. Changes nothing."""

from collections.abc import Sequence
from typing import NamedTuple

from app.migrations import git_files, git_tree, history_settings
from app.migrations.errors import Refused
from app.migrations.git_history import DEFAULT, OTHERS, Places, merging
from app.migrations.headers import Revision, parse


class Published(NamedTuple):
    """The default branch and the revisions on it; `merging` are those of the commits that git is merging in."""

    branch: str
    ids: frozenset[str]
    merging: frozenset[str]


def read(root: str) -> Published:
    """Return what is published of the history in `root`; git is asked in the folder of this process.

    Not the merge base counts but all of the branch: in the midst of a merge, the other side has been published since.
    Raises Refused where there is no git or no default branch, ConfigurationError where git does not answer.
    """
    places = Places(history_settings.locate(root))
    branch = _default()
    if not branch:
        raise Refused(
            "git knows no default branch here (origin/HEAD, main or master), so that nobody can say which revisions are"
            " published; nothing was changed",
            "inv db.merge; or git fetch origin && git remote set-head origin --auto, and the same command again",
        )
    others = [_ids(places, commit) for commit in merging()]
    return Published(_short(branch), _ids(places, branch), frozenset().union(*others))


def pushed(paths: Sequence[str]) -> bool:
    """Tell whether a branch of a remote has any of these files: whoever has fetched it may have applied them."""
    return bool(paths) and bool(git_files.word("log", "-1", "--format=%h", "--remotes", "--", *paths))


def _default() -> str:
    """Return the default branch by its full name, looked for as for the checks of the history."""
    there = git_files.word("for-each-ref", "--format=%(refname)", DEFAULT, *OTHERS).split("\n")
    for wanted in (DEFAULT, *OTHERS):
        before, _, after = wanted.partition("*")
        for name in filter(None, there):
            if name == wanted or ("*" in wanted and name.startswith(before) and name.endswith(after)):
                return name
    return ""


def _short(branch: str) -> str:
    return git_files.word("rev-parse", "--abbrev-ref", branch) or branch


def _ids(places: Places, commit: str) -> frozenset[str]:
    """Return the revisions of a commit: one that lies in another file now is the same one."""
    entries = git_tree.commit(places.shown, places.words, commit).entries
    names = {entry.object: path for path, entry in entries.items()}
    found = [parse(names[name], content) for name, content in git_files.blobs(names)]
    return frozenset(each.id for each in found if isinstance(each, Revision))
