"""Which files git holds, in the index or in a commit, and their texts. Never writes, never judges.

The index is what the next commit holds; where git says that a file is the same on the disk it is read there, which is
faster than reading objects. Paths on git's command line are taken as they are, not as patterns.
"""
# ruff: noqa: PTH109, PTH119, PTH123 -- pathlib is slower to load than to do without

from __future__ import annotations

import os

from app.migrations import git_files
from app.migrations.git_files import Running
from app.migrations.lean import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Shown = Callable[[bytes], str | None]
    """Returns how a path of git, from the folder of this process, is shown; None for one that is not looked at."""

LISTING = ("ls-files", "-z", "-t", "--stage", "--cached", "--modified", "--others")
REGULAR, LINK = ("100644", "100755"), "120000"
EMPTY = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
"""An empty file, in either of git's hashes: `git add --intent-to-add` leaves it in the index."""


class Entry(NamedTuple):
    """A file that git holds: its name from the folder of this process, its mode and object.

    `same` says that the disk has it too, byte for byte (or but for the line ends that git changes).
    """

    name: str
    mode: str
    object: str
    same: bool


NOTHING: Mapping[str, bytes] = {}


class Held(NamedTuple):
    """The files that git holds, by path as it is shown; those in a conflict are in `unmerged` alone.

    `not_added` names the files that are there and that git does not hold.
    """

    entries: Mapping[str, Entry]
    not_added: Mapping[str, str] = {}
    unmerged: Sequence[str] = ()


def index(shown: Shown, places: Sequence[str], running: Running | None = None) -> Held:
    """Return what the next commit will hold below `places`. Raises ConfigurationError where git does not say.

    One process, `running` where `start_index` has begun it. `git commit FILE` has an index for that commit alone: what
    the usual one has besides is not missing.
    """
    answer = running.answer() if running else None
    held = of_index(shown, _answer(*LISTING, "--", *places) if answer is None else answer)
    if held.not_added and os.path.basename(os.environ.get("GIT_INDEX_FILE", "index")) != "index":
        other = git_files.ask(*LISTING, "--", *places, without="GIT_INDEX_FILE") or b""
        usual = of_index(shown, other).entries
        held = held._replace(not_added={path: name for path, name in held.not_added.items() if path not in usual})
    return held


def start_index(places: Sequence[str]) -> Running | None:
    """Begin to ask what the next commit will hold, so that files can be read meanwhile."""
    return git_files.start(*LISTING, "--", *places)


def index_if_any(shown: Shown, running: Running | None) -> Held | None:
    """Return what was asked for; None where there is no git, or no repository."""
    answer = running.answer() if running else None
    return None if answer is None else of_index(shown, answer)


def of_index(shown: Shown, answer: bytes) -> Held:
    """Return what an answer to LISTING says. It has a changed file twice: as it is in the index, then as changed."""
    entries, not_added, unmerged = dict[str, Entry](), dict[str, str](), dict[str, None]()
    for record in git_files.records(answer):
        head, _, name = (b"?", b"", record[2:]) if record[:1] == b"?" else record.partition(b"\t")
        path = shown(name)
        if path is None:
            continue
        tag, *rest = head.decode().split(" ")
        if tag == "?":
            not_added[path] = os.fsdecode(name)
        elif rest[2] != "0":
            unmerged[path] = None
        elif tag in "CR":
            entries[path] = entries[path]._replace(same=False)
        else:
            entries[path] = Entry(os.fsdecode(name), rest[0], rest[1], tag == "H")
    for path in [path for path, entry in entries.items() if entry.object in EMPTY and not entry.same]:
        not_added[path] = entries.pop(path).name
    return Held(entries, not_added, tuple(unmerged))


def commit(shown: Shown, places: Sequence[str], revision: str) -> Held:
    """Return what a commit holds below `places`. Raises ConfigurationError where git does not say. One process."""
    found = dict[str, Entry]()
    for record in git_files.records(_answer("ls-tree", "-r", "-z", f"{revision}^{{commit}}", "--", *places)):
        head, _, name = record.partition(b"\t")
        path = shown(name)
        if path is not None:
            mode, _, object_ = head.decode().split(" ")
            found[path] = Entry(os.fsdecode(name), mode, object_, same=False)
    return Held(found)


def texts(held: Held, read: Mapping[str, bytes] = NOTHING) -> Iterator[tuple[str, bytes]]:
    """Read the files that git holds, in its order: from the disk where that has the same, else from the objects.

    `read` are files of the disk, by path as it is shown, that need not be read again. One process, where there is
    anything to read from the objects.
    """
    found = {}
    for path, entry in held.entries.items():
        text = read.get(path) if entry.same and entry.mode in REGULAR else None
        text = _on_disk(entry) if text is None else text
        if text is not None:
            found[path] = text
    missing = {path: entry.object for path, entry in held.entries.items() if path not in found}
    objects = dict(git_files.blobs(missing.values()))
    for path in held.entries:
        if path in found:
            yield path, found[path]
        elif missing[path] in objects:
            yield path, objects[missing[path]]


def _on_disk(entry: Entry) -> bytes | None:
    """Return the text of a file that is the same on the disk; links are followed there, as Alembic does."""
    if entry.same if entry.mode in REGULAR else entry.mode == LINK:
        try:
            with open(entry.name, "rb", buffering=0) as file:
                return file.read()
        except OSError:
            pass
    return None


def outside(held: Held) -> dict[str, bytes]:
    """Read the files that git does not hold; one that cannot be read counts as empty."""
    entries = {path: Entry(name, REGULAR[0], "", same=True) for path, name in held.not_added.items()}
    return {path: _on_disk(entry) or b"" for path, entry in entries.items()}


def _answer(*words: str) -> bytes:
    answer = git_files.ask(*words)
    if answer is not None:
        return answer
    from app.migrations.errors import ConfigurationError  # noqa: PLC0415 -- its patterns are not free, and rarely used

    said = git_files.complaint(*words)
    hint = "leave out --staged to check the files in the folder"
    if "dubious ownership" in said:
        hint = f"git config --global --add safe.directory {os.getcwd()}"
    raise ConfigurationError(f"what git holds cannot be read: {said}; nothing was checked", hint)
