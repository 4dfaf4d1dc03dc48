"""The revisions of any project as Alembic's own objects, loaded one by one: one that fails does not stop the rest.

The graph comes from the source, so that a revision whose own import fails keeps its place in it.
"""

import os
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, cast

from alembic.script import Script, ScriptDirectory

from app.migrations import candidates
from app.migrations.headers import Revision
from app.migrations.history import History
from app.migrations.redaction import redact

STUB_THEM = "install what is missing, or have empty modules put in its place: the same command with --stub-imports"
Load = Callable[[Callable[[], Any]], Any]
"""Calls a function that imports a project's code, and helps it where it can."""


def _called(function: Callable[[], Any]) -> Any:
    return function()


class Skipped(NamedTuple):
    """Why a revision cannot be run, and what to do about it."""

    message: str
    hint: str


class Revisions:
    """What there is to run; `skipped` are those whose import fails. Made on the project's stage."""

    def __init__(self, root: Path, history: History, script: ScriptDirectory) -> None:
        self.root, self.script = root, script
        self.skipped: dict[str, Skipped] = {}
        self._files = {revision.path: revision for revision in history.files}
        self._made: dict[str, Script] = {}
        script.revision_map._generator = self._scripts
        try:
            with warnings.catch_warnings():  # of a parent that is missing, which is told as an error
                warnings.simplefilter("ignore", UserWarning)
                script.get_heads()
        except Exception as error:
            raise candidates.broken_history(error, ", ".join(script.version_locations)) from error

    def retry(self, load: Load = _called) -> None:
        """Load what could not be loaded before: env.py has run meanwhile, and may have changed sys.path."""
        for path, revision in self._files.items():
            if revision.id in self.skipped and self._made[path].revision in self.skipped:
                found = self._script(revision, load)
                if revision.id not in self.skipped:
                    self._made[path].module = found.module

    def _scripts(self) -> Iterator[Script]:
        for path, revision in self._files.items():
            self._made[path] = self._script(revision)
            yield self._made[path]

    def _script(self, revision: Revision, load: Load = _called) -> Script:
        path = self.root / revision.path
        self.skipped.pop(revision.id, None)
        try:
            made = load(lambda: Script._from_path(self.script, path))
            if made is None:
                raise ImportError(f"Alembic does not load {revision.path}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- it may raise anything
            self.skipped[revision.id] = why_not(error, revision)
            return Script(_in_place_of(revision), revision.id, str(path))
        return cast("Script", made)


def why_not(error: BaseException, revision: Revision) -> Skipped:
    """Say in a sentence why the import of a revision failed."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return Skipped(
            f"{revision.path}:{line_in(error, revision.path)}: revision {revision.id} imports the module {error.name},"
            " which is not there; it was not run",
            STUB_THEM,
        )
    text = redact(" ".join(str(error).split()))
    return Skipped(
        f"{revision.path}:{line_in(error, revision.path)}: the import of revision {revision.id} fails:"
        f" {type(error).__name__}: {text}; it was not run",
        f"correct it, or {STUB_THEM.partition('or ')[2]}",
    )


def line_in(error: BaseException, path: str) -> int:
    """Return the line of a file that an error came through last, 1 where it did not."""
    ending = os.sep + os.path.normpath(path).lstrip(os.sep)
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if _of(frame).endswith(ending)]
    return lines[-1] if lines else 1


def _of(frame: Any) -> str:
    return os.path.normpath(str(frame.f_code.co_filename))


def _in_place_of(revision: Revision) -> ModuleType:
    """Return a module that has the header of a revision, and nothing to run."""
    module = ModuleType(f"{revision.id}_skipped", revision.message)
    header: Mapping[str, object] = {
        "revision": revision.id,
        "down_revision": revision.parents or None,
        "branch_labels": revision.labels or None,
        "depends_on": revision.depends_on or None,
        "__file__": revision.path,
    }
    vars(module).update(header)
    return module
