"""An upgrade of a database that is there, every statement of which is looked at. Makes no database, decides nothing."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from traceback import walk_tb
from typing import Any, cast

import psycopg2
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.util import CommandError
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.pool import NullPool

from app.migrations import candidates, raw
from app.migrations.errors import ConfigurationError, Unreachable
from app.migrations.project import Project, Skipped
from app.migrations.quoting import quoted
from app.migrations.revision import digest
from app.migrations.trace_drafts import RunDraft, StepDraft
from app.migrations.trace_listening import Session
from app.migrations.trace_session import heard, is_heard
from app.migrations.trace_values import Step, Trace

NO_UPGRADE = "{path} has no function upgrade(); it was not run"
WRITE_IT = "write it, and the same command again"
NOT_HEARD = (
    "env.py connects by itself, and not with psycopg2: its statements cannot be seen; have it use the connection in"
    ' context.config.attributes["connection"] where there is one'
)


class Observer:
    """Goes along with a run; what it does to the database between two transactions is not traced."""

    def before(self, revision: str, title: str) -> bool:  # noqa: ARG002
        """Hear that a revision is next; return whether the tables hold rows now."""
        return False

    def after(self, revision: str, ms: float) -> None:
        """Hear that a revision has been committed, and how long it took."""


def run(project: Project, url: str, to: str = "head", observer: Observer | None = None) -> Trace:
    """Upgrade the database at `url` to `to`, for real and for good, and return what each revision did.

    Without lock, journal and identity. Every statement is sent once and as it is, each revision in the transactions
    that it has anyway. One that fails is rolled back, as without the trace, and told in its step; those after it are
    not run, and say so. Raises ConfigurationError where env.py cannot be used or `to` is no revision, and Unreachable.
    """
    return _Tracing(project, url, to, observer or Observer()).run()


def steps_to(project: Project, to: str, heads: Sequence[str], _: MigrationContext) -> list[RevisionStep]:
    """Return the steps of an upgrade; those that cannot be imported raise ConfigurationError when they are run."""
    for id_, revision in project.history.revisions.items():
        module: Any = cast("Any", project.script.get_revision(id_)).module
        if not hasattr(module, "upgrade"):
            module.upgrade = _refusing(
                project.skipped.get(id_) or Skipped(NO_UPGRADE.format(path=revision.path), WRITE_IT)
            )
    try:
        return project.script._upgrade_revs(to, cast("str", tuple(heads)))
    except CommandError as error:
        raise candidates.explain(error, project.script, to) from error


def _refusing(why: Skipped) -> Callable[..., None]:
    def refuse(**_: Any) -> None:
        raise ConfigurationError(why.message, why.hint)

    return refuse


class _Tracing:
    """One run."""

    def __init__(self, project: Project, url: str, to: str, observer: Observer) -> None:
        self.project, self.url, self.to, self.observer = project, url, to, observer
        self.draft = RunDraft()
        self.start: tuple[str, ...] = ()
        self.steps: list[StepDraft] = []

    def run(self) -> Trace:
        """Run it, and return what was found out."""
        look = _connect(self.url)
        try:
            with heard(lambda raw: Session(self.draft, lambda: look, raw)):
                self._upgrade()
            now = self.draft.clock.now()
            steps = tuple(step.finished(now) for step in self.steps)
            return Trace(self.start, self._standing(look), look.server_version, steps)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:  # the second from a lost connection
            raise _unreachable(error) from error
        finally:
            look.close()

    def _upgrade(self) -> None:
        with create_engine(self.url, poolclass=NullPool).connect() as connection:
            try:
                self.project.run(connection, self._watched_steps)
            except (Exception, SystemExit) as error:
                at_work = next((step for step in self.steps if step.began is not None and step.ended is None), None)
                if at_work is None:
                    raise
                self._blame(at_work, error)

    def _watched_steps(self, heads: tuple[str, ...], context: MigrationContext) -> Iterator[MigrationStep]:
        self.start = tuple(heads)
        steps = steps_to(self.project, self.to, heads, context)
        self.steps = [self._step(step) for step in steps]
        if not is_heard(cast("Connection", context.connection).connection.dbapi_connection):
            for draft in self.steps:
                draft.step = draft.step._replace(error=NOT_HEARD)
            return
        for step, draft in zip(steps, self.steps, strict=True):
            rows = self.observer.before(draft.step.revision, draft.step.title)
            draft.step = draft.step._replace(rows=rows)
            step.migration_fn = self._watched(step.migration_fn, draft)
            yield step
            draft.ended = self.draft.clock.now()
            self.observer.after(draft.step.revision, draft.ms(draft.ended))

    def _step(self, step: RevisionStep) -> StepDraft:
        script = step.revision
        path = self.project.history[script.revision].path
        source = (self.project.root / path).read_bytes()
        return StepDraft(Step(script.revision, path, script.doc, digest(source)), script.path)

    def _watched(self, function: Callable[..., Any], draft: StepDraft) -> Callable[..., Any]:
        @wraps(function)
        def watched(**words: Any) -> None:
            draft.began, self.draft.step = self.draft.clock.now(), draft
            try:
                function(**words)
            finally:
                self.draft.step = None

        return watched

    def _blame(self, at_work: StepDraft, error: BaseException) -> None:
        """Write the error into the step at work, and into those after it that they were not run."""
        at_work.ended = self.draft.clock.now()
        line = _line(error, at_work.file)
        said, _ = self.project.explain(error)
        said = said.partition(f":{line}: ")[2] or said
        at_work.step = at_work.step._replace(error=said, error_line=line)
        for draft in self.steps[self.steps.index(at_work) + 1 :]:
            draft.step = draft.step._replace(error=f"it was not run: {at_work.step.revision} before it fails")

    def _standing(self, look: RawConnection) -> tuple[str, ...]:
        """Read the rows of the version table; none where there is none."""
        name = ".".join(quoted(part) for part in self.project.version_table if part)
        if raw.value(look, "SELECT to_regclass(%s)", name) is None:
            return ()
        return tuple(str(row[0]) for row in raw.rows(look, f"SELECT version_num FROM {name} ORDER BY 1"))  # noqa: S608


def _line(error: BaseException, file: str) -> int:
    """Return the innermost line of a file that the error, or what it came of, came through; 0 where none did."""
    seen: BaseException | None = error
    while seen is not None:
        lines = [line for frame, line in walk_tb(seen.__traceback__) if frame.f_code.co_filename == file]
        if lines:
            return lines[-1]
        seen = seen.__cause__ or seen.__context__
    return 0


def _connect(url: str) -> RawConnection:
    parsed = make_url(url)
    positional, keywords = parsed.get_dialect()().create_connect_args(parsed)
    try:
        connection: RawConnection = psycopg2.connect(*positional, **keywords)
    except psycopg2.OperationalError as error:
        raise _unreachable(error) from error
    connection.autocommit = True
    return connection


def _unreachable(error: psycopg2.Error) -> Unreachable:
    said = (str(error).strip() or repr(error)).splitlines()[0]
    return Unreachable(
        f"the scratch database cannot be reached: {said}", "look at its server, and the same command again"
    )
