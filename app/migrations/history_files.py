"""The files of a history and their contents: which ones Alembic would load, in one pass. Never imports a migration."""
# ruff: noqa: PTH110, PTH112, PTH118, PTH119, PTH208 -- pathlib is slower to load than to do without

from __future__ import annotations

import os

from app.migrations.headers import Fault, Revision, is_revision_file, parse
from app.migrations.history import History
from app.migrations.history_settings import Locations, given, locate
from app.migrations.lean import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

COMPILED = (".pyc", ".pyo")
READ, PIECE = os.O_RDONLY | getattr(os, "O_BINARY", 0), 16_384


class Reading(NamedTuple):
    """A history, and the files that it lacks because they cannot be read: without faults it is whole."""

    history: History
    faults: tuple[Fault, ...]


def read(
    root: str = ".", config: Sequence[str] = (), section: str = "alembic", versions: Sequence[str] = ()
) -> Reading:
    """Read the history of the project in `root`, each file once.

    `config` names an ini file, a pyproject.toml or both (by default those in `root`), `section` the ini file's;
    `versions` are folders to read instead of what the settings say. Raises ConfigurationError for settings that
    Alembic would not work with, and for a folder of `versions` that is not there.
    """
    locations = given(root, versions) if versions else locate(root, config, section)
    return assemble(sources(locations))


def assemble(files: Iterable[tuple[str, bytes | Fault]]) -> Reading:
    """Return the history that these files make: paths, which are kept as they are, with contents."""
    revisions, faults = list[Revision](), list[Fault]()
    for path, source in files:
        found = source if isinstance(source, Fault) else parse(path, source)
        if isinstance(found, Revision):
            revisions.append(found)
        elif found:
            faults.append(found)
    return Reading(History(revisions), tuple(faults))


def sources(locations: Locations) -> Iterator[tuple[str, bytes | Fault]]:
    """Read the files that Alembic would load, in its order; one that cannot be read comes as a Fault."""
    for path in paths(locations):
        yield (path.path, path) if isinstance(path, Fault) else _content(path, locations.shown(path))


def paths(locations: Locations) -> Iterator[str | Fault]:
    """Return the real paths of the files that Alembic would load, in its order, each once however many ways lead to it.

    A folder that cannot be read comes as a Fault. One that is not there is passed over: Alembic makes it with the
    first revision.
    """
    seen = set[str]()
    for folder in locations.folders:
        for path in _listed(os.path.realpath(folder), locations) if os.path.exists(folder) else ():
            if isinstance(path, Fault) or path not in seen:
                yield path
            if isinstance(path, str):
                seen.add(path)


def _content(path: str, shown: str) -> tuple[str, bytes | Fault]:
    if path.endswith(COMPILED):
        return shown, Fault(
            shown, 1, "compiled-only", "this file is compiled and has no source: its header cannot be read",
            "put its source beside it, or delete it",
        )  # fmt: skip
    try:
        return shown, read_file(path)
    except OSError as error:
        return shown, _unreadable(shown, error)


def read_file(path: str) -> bytes:
    """Return what is in a file: in half the time of open(), which for a large history is most of it."""
    descriptor = os.open(path, READ)
    try:
        pieces = [os.read(descriptor, PIECE)]
        while pieces[-1]:
            pieces.append(os.read(descriptor, PIECE))
    finally:
        os.close(descriptor)
    return pieces[0] if len(pieces) == 2 else b"".join(pieces)


def _unreadable(shown: str, error: OSError) -> Fault:
    what = f"cannot be read: {error.strerror or error}"
    return Fault(shown, 1, "unreadable-file", what, "make it readable, or take it out of the history")


def _listed(top: str, locations: Locations) -> Iterator[str | Fault]:
    """Return the real paths of what Alembic would load out of a folder: sorted by name, subfolders after files."""
    pending = [top]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            shown = locations.shown(folder)
            yield _unreadable(shown, error)
            continue
        folders = [entry for entry in found if entry.is_dir()]
        files = [entry for entry in found if not entry.is_dir()]
        if locations.recursive or folder.endswith("__pycache__"):
            pending += [entry.path for entry in reversed(folders) if not entry.is_symlink()]
        if folder.endswith("__pycache__"):
            continue
        yield from (path for path in map(_real, files) if _is_loaded(path, locations.sourceless))
        if locations.sourceless:
            yield from _cached(folder, {entry.name.split(".")[0] for entry in files})


def _real(entry: os.DirEntry[str]) -> str:
    return os.path.realpath(entry.path) if entry.is_symlink() else entry.path


def _is_loaded(path: str, sourceless: bool) -> bool:
    """Tell whether Alembic loads a file, by the name of what it really is; compiled ones only without their source."""
    name = os.path.basename(path)
    if sourceless and name.endswith(COMPILED):
        return is_revision_file(name[:-1]) and not os.path.exists(path[:-1])
    return is_revision_file(name)


def _cached(folder: str, named: set[str]) -> Iterator[str]:
    """Return the compiled files of a folder's __pycache__ that have no source beside it."""
    cache = os.path.join(folder, "__pycache__")
    for name in sorted(os.listdir(cache)) if os.path.isdir(cache) else ():
        if name.split(".")[0] not in named and name.endswith(COMPILED) and is_revision_file(name[:-1]):
            yield os.path.join(cache, name)
