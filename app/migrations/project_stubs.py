"""Empty modules in place of those that a project's code imports and that are not there, or that fail themselves.

Only for what a revision or env.py does not survive without: an import that the code catches itself is left alone.
"""

import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType
from typing import Any

MOST = 200
"""Modules that may be replaced for one file, before it is given up."""


class StandIn(type):
    """A class that answers everything: it is called, subscripted, iterated, decorated and inherited from."""

    def __new__(
        cls, name: str, bases: tuple[type, ...] = (), body: dict[str, Any] | None = None, **_: Any
    ) -> "StandIn":
        """Make a class of any bases; keywords of the class statement are dropped."""
        return super().__new__(cls, name, bases, body or {})

    def __init__(cls, name: str, bases: tuple[type, ...] = (), body: dict[str, Any] | None = None, **_: Any) -> None:
        """Drop what a metaclass of its own would have taken."""
        super().__init__(name, bases, body or {})

    def __getattr__(cls, name: str) -> Any:
        """Return a stand-in for any attribute; Python's own protocols are not pretended."""
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return _named(f"{cls.__name__}.{name}")

    def __call__(cls, *arguments: Any, **_: Any) -> Any:
        """Return what is decorated as it is, else a stand-in."""
        decorated = len(arguments) == 1 and not _ and isinstance(arguments[0], type | FunctionType)
        return arguments[0] if decorated and not isinstance(arguments[0], StandIn) else cls

    def __iter__(cls) -> Iterator[Any]:
        """Return nothing, once."""
        return iter(())

    def __getitem__(cls, _: Any) -> "StandIn":
        """Return itself for any subscript."""
        return cls

    def __or__(cls, _: Any) -> Any:
        """Return itself: `X | None` in an annotation."""
        return cls

    def __ror__(cls, _: Any) -> Any:
        """Return itself: `None | X` in an annotation."""
        return cls

    def __len__(cls) -> int:
        """Return 0."""
        return 0

    def __bool__(cls) -> bool:
        """Return True, as for any class."""
        return True

    def __contains__(cls, _: object) -> bool:
        """Return False."""
        return False

    def __enter__(cls) -> "StandIn":
        """Return itself."""
        return cls

    def __exit__(cls, *_: object) -> None:
        """Do nothing."""

    def __fspath__(cls) -> str:
        """Return the name."""
        return cls.__name__


def _named(name: str) -> StandIn:
    return StandIn(name)


class _Stub(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        found = _named(name)
        setattr(self, name, found)
        return found


def stands_in(value: object) -> bool:
    """Tell whether a value came out of a module that was replaced."""
    return isinstance(value, StandIn | _Stub)


class Stubs(MetaPathFinder, Loader):
    """Finds the modules of `names`, and all below them, as empty ones; before any other finder."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._given: list[tuple[ModuleType, str]] = []

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Return the specification of an empty package for what is to be replaced."""
        if any(fullname == name or fullname.startswith(f"{name}.") for name in self.names):
            return ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a module that has every attribute."""
        return _Stub(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: there is nothing in it."""

    def load(self, function: Callable[[], Any]) -> Any:
        """Call what imports, again for each module that had to be replaced; raises where that does not help."""
        for _ in range(MOST):
            try:
                return function()
            except (Exception, SystemExit) as error:
                if not self.replace(error):
                    raise
        return function()

    def replace(self, error: BaseException) -> bool:
        """Put an empty module in place of the one that an import failed for; False where there is none, or it is."""
        if isinstance(error, ImportError) and not isinstance(error, ModuleNotFoundError) and self._give(error):
            return True
        culprit = error.name if isinstance(error, ModuleNotFoundError) else _failing_module(error)
        if not culprit or culprit in self.names:
            return False
        self.names.append(culprit)
        for loaded in [each for each in sys.modules if each == culprit or each.startswith(f"{culprit}.")]:
            del sys.modules[loaded]
        return True

    def _give(self, error: ImportError) -> bool:
        """Add the name that a module does not have: `from module import name`."""
        name, module = _wanted(error), error.name or ""
        found = sys.modules.get(module)
        if found is None or not name or hasattr(found, name):
            return False
        setattr(found, name, _named(name))
        self._given.append((found, name))
        self.names.append(f"{module}.{name}")
        return True

    def close(self) -> None:
        """Take back the names that were added to modules."""
        for module, name in self._given:
            if isinstance(vars(module).get(name), StandIn):
                delattr(module, name)


def _wanted(error: ImportError) -> str:
    """Return the name in "cannot import name 'X' from 'module'"; ImportError.name_from is not in Python 3.11."""
    words = str(error).split("'")
    return words[1] if words[0] == "cannot import name " else ""


def _failing_module(error: BaseException) -> str | None:
    """Return the innermost module whose own code was running, where it was imported by its name."""
    found = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "<module>":
            spec = frame.f_globals.get("__spec__")
            found = None if spec is None or _is_a_file_of_alembic(spec) else str(spec.name)
    return found


def _is_a_file_of_alembic(spec: ModuleSpec) -> bool:
    """Whether a module is env.py or a revision: Alembic names it after its whole file."""
    return spec.name == re.sub(r"\W", "_", (spec.origin or "").replace("\\", "/").rpartition("/")[2])
