"""Runs the steps that a walk asks for, many in one run of env.py, and tells it how each ended. Decides nothing."""

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import wraps
from io import TextIOBase
from typing import Any, NamedTuple, NoReturn, cast

import psycopg2
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import raw, roundtrip_touch
from app.migrations.project import Project
from app.migrations.roundtrip_touch import UNKNOWN, Touched


class Step(NamedTuple):
    """A revision to apply, or to undo."""

    revision: str
    up: bool


class Done(NamedTuple):
    """The step is committed, and another session saw its version row; `leaves` are settings of the session."""

    touched: Touched
    leaves: tuple[str, ...] = ()


class Failed(NamedTuple):
    """The step ended with this error; with `clean` all of it was undone, else it may have committed something."""

    error: BaseException
    clean: bool = False


Walk = Generator[Step | None, Done | Failed | None, None]
"""Asks for a step, or with None for the end of this run: then it is resumed while no session of a migration is open."""
Place = Callable[[], tuple[str, RawConnection]]
"""Tells where the next run goes: the URL of a database, and a session of ours in it, in autocommit."""


class LeftError(Exception):
    """A revision did not end as a function does: it ended the process, waited for an answer, lost its version row."""


class _Asked(BaseException):
    """A revision waits for an answer, and nobody is there; its own `except Exception` must not take this for one."""


def drive(project: Project, walk: Walk, place: Place, looking: bool = False) -> None:
    """Run a walk to its end, in as many runs of env.py as it has failing steps and pauses, and one more.

    What a step touched is asked of the server with `looking` alone: it costs two statements.
    Raises what the walk raises, and what `Project.run` does where that is about no step.
    """
    try:
        request = next(walk)
    except StopIteration:
        return
    while True:
        run = _Run(project, walk, request, *place(), looking)
        run.begin()
        if run.ended:
            return
        request = run.request


class _Run:
    """One run of env.py: it goes on for as long as the steps do not fail and the walk does not pause."""

    def __init__(  # noqa: PLR0913, PLR0917
        self, project: Project, walk: Walk, request: Step | None, url: str, watcher: RawConnection, looking: bool
    ) -> None:
        self.project, self.walk, self.request, self.url, self.watcher = project, walk, request, url, watcher
        self.looking = looking
        self.ended = False
        self._at_work: Step | None = None
        self._pid: int | None = None
        self._marked = 0
        self._touched = UNKNOWN
        self._failure: BaseException | None = None

    def begin(self) -> None:
        """Run, and resume the walk at the end, whatever that is."""
        if self.request is not None:
            try:
                with create_engine(self.url, poolclass=NullPool).connect() as connection:
                    self.project.run(connection, self._steps)
            except (Exception, SystemExit) as error:
                if self._at_work is None:
                    raise
                self._failure = self._failure or error
        if self._at_work is not None:
            self._at_work = None
            failure = self._failure or LeftError("env.py ended before the step did")
            self._resume(Failed(failure, self._touched != UNKNOWN))
        elif self.request is None and not self.ended:
            self._resume(None)

    def _resume(self, result: Done | Failed | None) -> None:
        try:
            self.request = self.walk.send(result)
        except StopIteration:
            self.request, self.ended = None, True

    def _steps(self, _: tuple[str, ...], context: MigrationContext) -> Iterator[MigrationStep]:
        """Yield the steps to Alembic: each is committed when the next one is asked for."""
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, self._applied)
        settings = roundtrip_touch.clean(context)
        table, self._marked = roundtrip_touch.locate(self.watcher, context)
        while self.request is not None:
            step = self._step(self.request, context)
            if step is None:
                continue
            self._at_work, self._touched = self.request, UNKNOWN
            context.impl.memo.clear()  # else the second upgrade takes the enums of the first for made
            yield step
            result = self._result(self._at_work, context, table, settings)
            self._at_work = None
            self._resume(result)
            if isinstance(result, Failed) or result.leaves:
                return

    def _step(self, request: Step, context: MigrationContext) -> MigrationStep | None:
        """Return the step as Alembic has it; where the revision has no such function, tell the walk."""
        script = self.project.script.get_revision(request.revision)
        make = MigrationStep.upgrade_from_script if request.up else MigrationStep.downgrade_from_script
        try:
            step: RevisionStep = make(self.project.script.revision_map, cast("Any", script))
        except AttributeError as error:
            self._resume(Failed(error))
            return None
        step.migration_fn = self._guarded(step.migration_fn, context)
        return step

    def _guarded(self, function: Callable[..., None], context: MigrationContext) -> Callable[..., None]:
        @wraps(function)
        def run(**words: Any) -> None:
            self._pid = roundtrip_touch.mark(context) if self.looking else None
            try:
                with _alone():
                    function(**words)
            except (Exception, SystemExit, _Asked) as error:
                self._applied()
                self._failure = error if isinstance(error, Exception) else _left(error)
                if self._failure is error:
                    raise
                raise self._failure from error

        return run

    def _applied(self, **_: Any) -> None:
        """Look, at the end of the step's transaction, what it holds."""
        if self._pid is not None:
            self._touched = roundtrip_touch.touched(self.watcher, self._pid, self._marked)

    def _result(self, step: Step, context: MigrationContext, table: str, settings: tuple[str, ...]) -> Done | Failed:
        rows = {row[0] for row in raw.rows(self.watcher, f"SELECT version_num FROM {table}")}  # noqa: S608 -- quoted
        if (step.revision in rows) is not step.up:
            was = "is not" if step.up else "is still"
            return Failed(
                LeftError(f"it ended without an error, and {step.revision} {was} in {table}: nothing was kept")
            )
        try:
            left = roundtrip_touch.changed(settings, roundtrip_touch.clean(context))
        except psycopg2.Error:  # the session is lost or cannot go on; the step itself is kept
            left = ["session"]
        return Done(self._touched, tuple(left))


def _left(error: BaseException) -> LeftError:
    if isinstance(error, _Asked):
        return LeftError("it waits for an answer on the terminal: a migration has nobody to ask").with_traceback(
            error.__traceback__
        )
    return LeftError(f"it ends the process, with {type(error).__name__}({error})").with_traceback(error.__traceback__)


class _Nobody(TextIOBase):
    """The standard input of a revision."""

    def readline(self, *_: object) -> NoReturn:
        raise _Asked

    def read(self, *_: object) -> NoReturn:
        raise _Asked


def _refuse_to_exit(code: int) -> NoReturn:
    raise SystemExit(code)


@contextmanager
def _alone() -> Iterator[None]:
    """Let a revision neither wait for an answer nor end the process past every handler."""
    stdin, leave = sys.stdin, os._exit
    sys.stdin = cast("Any", _Nobody())
    cast("Any", os)._exit = _refuse_to_exit
    try:
        yield
    finally:
        sys.stdin = stdin
        cast("Any", os)._exit = leave
