"""Which files of the repository decide what its history builds, as one hash. Never imports or runs any of them."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from importlib.util import decode_source
from pathlib import Path

from app.migrations import history_files, history_settings
from app.migrations.errors import ConfigurationError
from app.migrations.headers import Fault
from app.migrations.history import History

TOOLKIT = "app.migrations"
"""What it builds with is numbered by `expected.FORMAT`, not hashed."""
IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t]+([\w.]+)", re.M)
NOT_SEARCHED = frozenset({"alembic", "tests", "tasks"})
SETTINGS = "alembic.ini"
WHOLE = ".*"
"""Marks, after a name, that a package of that name is meant as a whole: some walk through their modules."""


class Inputs:
    """The history of one repository with the contents of its files, read once.

    What counts beside the revisions themselves: env.py, the modules of the repository that it or a revision imports,
    and every other file that lies among the revisions, such as SQL that they read.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        locations = history_settings.locate(str(root))
        files = list(history_files.sources(locations))
        self.sources = {path: source for path, source in files if not isinstance(source, Fault)}
        reading = history_files.assemble(files)
        if reading.faults:
            fault = reading.faults[0]
            raise ConfigurationError(f"{fault.path}:{fault.line}: {fault.message}", fault.instead)
        self.history: History = reading.history
        self.folders = [Path(folder) for folder in locations.folders]

    def source(self, id_: str) -> bytes:
        """Return the file of a revision, as it is."""
        return self.sources[self.history[id_].path]

    def key(self, revisions: Iterable[str], *more: str) -> str:
        """Return a hash of all that decides what a database at these revisions looks like, and of `more`."""
        below = sorted(self.history.ancestors(revisions))
        parts = [*more, self._surroundings, self._imported_by(below)]
        parts += [f"{id_}\0{sha256(self.source(id_)).hexdigest()}" for id_ in below]
        return sha256("\n".join([*sorted(revisions), "", *parts]).encode()).hexdigest()

    @cached_property
    def _surroundings(self) -> str:
        """The settings, env.py with what it imports, and what lies among the revisions and is none."""
        known = {str(self._absolute(path)) for path in self.sources}
        homes = dict.fromkeys(folder.parent for folder in self.folders)
        env = [path for home in homes if (path := home / "env.py").is_file()]
        beside = [
            path
            for folder in self.folders
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts and str(path) not in known
        ]
        settings = self.root / SETTINGS
        return self._hash(
            [
                *([settings] if settings.is_file() else []),
                *env,
                *beside,
                *self._closure(path.read_bytes() for path in env),
            ]
        )

    def _imported_by(self, revisions: Sequence[str]) -> str:
        return self._hash(self._closure(self.source(id_) for id_ in revisions))

    def _hash(self, paths: Iterable[Path]) -> str:
        hashed = (f"{path}\0{sha256(path.read_bytes()).hexdigest()}" for path in dict.fromkeys(paths))
        return sha256("\n".join(hashed).replace(f"{self.root}/", "").encode()).hexdigest()

    def _absolute(self, path: str) -> Path:
        return (self.root / path).resolve()

    @cached_property
    def _packages(self) -> frozenset[bytes]:
        """What can be imported from the root of the repository."""
        found = {path.stem for path in self.root.glob("*.py")} | {path.parent.name for path in self.root.glob("*/*.py")}
        return frozenset(name.encode() for name in found - NOT_SEARCHED)

    def _closure(self, sources: Iterable[bytes]) -> list[Path]:
        """Return the files of the repository that these import, and those import, in the order of their names."""
        pending, found = list(sources), set[Path]()
        while pending:
            source = pending.pop()
            if not any(name.split(b".")[0] in self._packages for name in IMPORT.findall(source)):
                continue
            fresh = {path for name in imports(source) for path in self._files_of(name)} - found
            found |= fresh
            pending += [path.read_bytes() for path in fresh]
        return sorted(found)

    def _files_of(self, name: str) -> Iterator[Path]:
        plain = name.removesuffix(WHOLE)
        if f"{plain}.".startswith(f"{TOOLKIT}.") or plain.split(".")[0] in NOT_SEARCHED:
            return
        place = self.root.joinpath(*plain.split("."))
        if (module := place.parent / f"{place.name}.py").is_file():
            yield module
        elif plain != name and place.is_dir():
            yield from sorted(place.glob("*.py"))


def imports(source: bytes) -> list[str]:
    """Return the modules that a source may import: of `from a import b` the module `a` and all of `a.b`."""
    try:
        tree = ast.parse(decode_source(source))
    except (SyntaxError, ValueError):
        return []
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name + WHOLE for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [node.module, *(f"{node.module}.{alias.name}{WHOLE}" for alias in node.names)]
    return found
