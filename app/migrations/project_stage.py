"""The process as a project's own code expects it: current folder, sys.path, sys.modules. Puts it back afterwards.

Two projects may have packages of the same name, and the one that is opened may have one called `app`, as ours is. So
each project has modules of its own, which are in sys.modules only while its code runs; ours are not there then. What
belongs to Python or to an installed package is shared.
"""
# ruff: noqa: PTH109 -- the current folder is process-wide state here, kept and put back as it was

import logging
import logging.config
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from io import StringIO
from operator import is_
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

HOME = Path(__file__).resolve().parents[2]
"""The repository that this toolkit is in."""

INSTALLED = tuple(
    {
        each + os.sep
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
        for each in (sysconfig.get_path(name), os.path.realpath(sysconfig.get_path(name)))  # .venv may be a link
    }
)
OURS = frozenset(path.stem for path in HOME.iterdir() if path.is_dir() or path.suffix == ".py")
"""The packages and modules that this repository has, and that another project may have too."""

CONFIGURING = ((logging.config, "fileConfig"), (logging.config, "dictConfig"), (logging, "basicConfig"))


class Stage:
    """Where the code of the project in `root` runs: from `enter` to `leave`, as often as wanted.

    A project in the toolkit's own repository shares its modules.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.own = root == HOME
        self.finders: list[MetaPathFinder] = [] if self.own else [_Shield()]
        self._modules: dict[str, ModuleType] = {}
        self._outside, self._inside = _There([], []), _There([], [])
        self._hidden: dict[str, ModuleType] = {}
        self._base = frozenset(sys.path)
        self._path = [str(root), *(each for each in sys.path if self.own or _is_elsewhere(each))]
        self._before: _Before | None = None

    def prepend(self, folders: Sequence[str]) -> None:
        """Put folders at the front of the project's sys.path; relative ones count from its root."""
        self._path[:0] = [os.path.normpath(self.root / folder) for folder in folders]

    def enter(self) -> None:
        """Have the project's code run next. What it prints is dropped, warnings are not shown."""
        self._before = before = _Before(
            os.getcwd(), sys.path[:], sys.meta_path[:], frozenset(sys.modules), self._ours(), _Logging(), ExitStack()
        )
        os.chdir(self.root)
        before.undo.enter_context(redirect_stdout(StringIO()))
        before.undo.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        before.undo.enter_context(_unconfigurable_logging())
        sys.path[:] = self._path
        sys.meta_path[:0] = self.finders
        for name in before.hidden:
            del sys.modules[name]
        sys.modules.update(self._modules)
        self._inside = _there()

    def close(self) -> None:
        """Forget what was found out of modules, so that none is kept."""
        _PLACES.clear()
        self._outside, self._inside, self._hidden = _There([], []), _There([], []), {}

    def leave(self) -> None:
        """Have our own code run next: the process is as it was before the project's code ran."""
        if (before := self._before) is None:
            return
        self._before, self._path = None, sys.path[:]
        sys.path[:], sys.meta_path[:] = before.path, before.finders
        if not self.own:
            self._take_modules(before)
        before.undo.close()
        before.logging.restore()
        os.chdir(before.folder)

    def _ours(self) -> dict[str, ModuleType]:
        """Return our modules; mostly no module has come since the last time, and they are known."""
        if not self.own and not (now := _there()).same_as(self._outside):
            self._outside, self._hidden = now, _our_modules()
        return self._hidden

    def _take_modules(self, before: "_Before") -> None:
        """Keep what the project's code loaded from its own folders; an extension module cannot be loaded twice."""
        if not _there().same_as(self._inside) or not self._modules.keys().isdisjoint(before.modules):
            self._modules = self._theirs(before)
        for name in self._modules:
            del sys.modules[name]
        sys.modules.update(before.hidden)

    def _theirs(self, before: "_Before") -> dict[str, ModuleType]:
        own = tuple(str(self.root / each) + os.sep for each in {str(self.root), *self._path} - self._base)
        return {
            name: module
            for name, module in sys.modules.items()
            if name in before.hidden or (name not in before.modules and _is_within(name, module, own))
        }


class _There(NamedTuple):
    """What is in sys.modules."""

    names: list[str]
    modules: list[ModuleType]

    def same_as(self, other: "_There") -> bool:
        """Tell whether both hold the same modules under the same names; not by ==, which a module may define."""
        return self.names == other.names and all(map(is_, self.modules, other.modules))


def _there() -> _There:
    return _There([*sys.modules], [*sys.modules.values()])


class _Before(NamedTuple):
    folder: str
    path: list[str]
    finders: list[Any]
    modules: frozenset[str]
    hidden: dict[str, ModuleType]
    logging: "_Logging"
    undo: ExitStack


class _Shield(MetaPathFinder):
    """Finds none of our own packages for a project: a package `app` that it lacks is missing, and not ours."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Look for a top-level name of ours on the project's path alone, not where an editable install leads."""
        if path is not None or fullname not in OURS:
            return None
        spec = PathFinder.find_spec(fullname, None, target)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return spec


def _is_elsewhere(folder: str) -> bool:
    return folder not in {"", "."} and Path(folder).resolve() != HOME


_PLACES: dict[str, tuple[ModuleType, str]] = {}
"""What was found out of a module by its name: all are asked for at every step of a run."""


def _place(name: str, module: ModuleType) -> str:
    """Return a path that a module is from, "" where it has none, as one that is built in."""
    known = _PLACES.get(name)
    if known is None or known[0] is not module:
        known = _PLACES[name] = module, _found(module)
    return known[1]


def _found(module: ModuleType) -> str:
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None) or getattr(module, "__file__", None)
    if isinstance(origin, str) and os.sep in origin:
        return origin
    with suppress(Exception):  # a module may answer anything
        return str(next(iter(module.__path__), ""))
    return ""


def _our_modules() -> dict[str, ModuleType]:
    named = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in OURS}
    places = ((name, module, _place(name, module)) for name, module in named.items())
    below = str(HOME) + os.sep
    return {
        name: module for name, module, place in places if place.startswith(below) and not place.startswith(INSTALLED)
    }


def _is_within(name: str, module: ModuleType, folders: tuple[str, ...]) -> bool:
    """Whether a module lies in one of these folders, and in none of installed packages; a stand-in has no place."""
    place = _place(name, module)
    return place.startswith(folders) and not place.startswith(INSTALLED) if place else hasattr(module, "__path__")


class _Logging:
    """How logging is set up: handlers, levels and switches of every logger."""

    def __init__(self) -> None:
        named = (each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger))
        self._disabled = logging.root.manager.disable
        self._loggers = [
            (one, one.level, one.handlers[:], one.propagate, one.disabled) for one in (logging.root, *named)
        ]

    def restore(self) -> None:
        """Set it up like this again; a level only where it differs, as setting it drops every logger's cache."""
        if logging.root.manager.disable != self._disabled:
            logging.disable(self._disabled)
        for logger, level, handlers, propagate, disabled in self._loggers:
            if logger.level != level:
                logger.setLevel(level)
            logger.handlers[:], logger.propagate, logger.disabled = handlers, propagate, disabled


@contextmanager
def _unconfigurable_logging() -> Iterator[None]:
    """Have fileConfig() and the like do nothing: env.py sets up the logging of a command line."""
    kept = [(module, name, getattr(module, name)) for module, name in CONFIGURING]
    for module, name, _ in kept:
        setattr(module, name, lambda *_, **__: None)
    try:
        yield
    finally:
        for module, name, function in kept:
            setattr(module, name, function)
