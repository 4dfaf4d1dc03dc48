"""Any Alembic project: opened from its settings, its history run on a connection that is given. Holds no policy.

Its code runs as it would under the command line of Alembic, with three differences. It reaches no other database than
that of the connection (project_barrier.py). Its modules are its own (project_stage.py). And each revision has a
transaction of its own, whatever env.py says: what a revision did has to be there before anyone can look at it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import Connection

from app.migrations import history_files, model_check, programs, project_failures, version_rows
from app.migrations.errors import ConfigurationError, MigrationError, MigrationFailed
from app.migrations.history import History
from app.migrations.project_barrier import WAY_OUT, Barrier
from app.migrations.project_revisions import Revisions, Skipped
from app.migrations.project_run import Acting, Run, Steps
from app.migrations.project_settings import folder_of, prepended, script_directory, settings
from app.migrations.project_stage import Stage
from app.migrations.project_stubs import Stubs

__all__ = ["Project", "Skipped", "open_project"]


def open_project(
    root: Path,
    *,
    config: Path | None = None,
    section: str = "alembic",
    plain_env: bool = False,
    stub_imports: bool = False,
) -> "Project":
    """Read the settings and the history of the project in `root`, and import its revisions; connects to nothing.

    `config` is an alembic.ini or a pyproject.toml elsewhere, `section` that of the ini file. Until it is closed, what
    the project's code does to sys.path and sys.modules is kept apart. Raises ConfigurationError for settings or a
    graph that Alembic could not use; a revision whose own import fails is in `skipped` instead.
    """
    return Project(root, config, section, plain_env, stub_imports)


class Project:
    """One open project; a context manager. One at a time runs in a process: Alembic's `context` and `op` are global."""

    def __init__(self, root: Path, config: Path | None, section: str, plain_env: bool, stub_imports: bool) -> None:
        self.section, self.plain_env = section, plain_env
        self.root, files = folder_of(root, config, section)
        reading = history_files.read(str(self.root), files, section)
        if reading.faults:
            fault = reading.faults[0]
            raise ConfigurationError(
                f"{fault.path}:{fault.line}: {fault.message}; the history cannot be read", fault.instead
            )
        self.history: History = reading.history
        self.version_table: tuple[str | None, str] = (None, "alembic_version")
        self._stubs = Stubs() if stub_imports else None
        self._barrier = Barrier()
        self._stage = Stage(self.root)
        if self._stubs:
            self._stage.finders.insert(0, self._stubs)
        self._settings = settings(self.root, files, section)
        self.script = script_directory(self.root, files, section)
        self._stage.prepend(prepended(self._settings))
        self._barrier.install()
        try:
            with self._acting():
                self._revisions = Revisions(self.root, self.history, self.script)
                if plain_env:  # no env.py comes that could make more importable
                    self._load_the_rest()
        except BaseException:
            self._barrier.remove()
            raise

    def __enter__(self) -> "Project":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Undo what opening it changed in this process."""
        if self._stubs:
            self._stubs.close()
        self._barrier.remove()
        self._stage.close()

    @property
    def skipped(self) -> Mapping[str, Skipped]:
        """The revisions whose own import fails. Final once `steps` is called: env.py may have changed sys.path."""
        return self._revisions.skipped

    @property
    def stubbed(self) -> tuple[str, ...]:
        """The modules in whose place empty ones were put."""
        return tuple(self._stubs.names) if self._stubs else ()

    def run(self, connection: Connection, steps: Steps) -> None:
        """Run env.py once, with `steps` as what Alembic is to do; it may be a generator.

        It is asked for the next step after the one before has been committed with its row of the version table, and
        the connection in its context has no transaction then. A step that fails is rolled back and ends the run with
        its own error. Raises Refused or ConfigurationError where env.py cannot be used, MigrationFailed for a
        revision that left no version row, ValueError for a connection that is in a transaction: Alembic would commit
        nothing.
        """
        if connection.in_transaction():
            raise ValueError("the connection is in a transaction: Alembic would leave it to us, and commit nothing")
        run = Run(connection, steps, self._acting(), self._ready)
        with self._barrier.towards(connection.engine.url):
            try:
                with run.acting:
                    self._execute(connection, run)
            finally:
                run.close()
                if not connection.closed and connection.in_transaction():
                    connection.rollback()
        if not run.contexts:
            raise ConfigurationError(
                f"{self._env_py} ran, and did not call context.run_migrations(); no revision was run",
                f"correct it, or {WAY_OUT}",
            )

    def models(self, connection: Connection) -> tuple[str, ...] | None:
        """Return how the models differ from this database, as `alembic check` finds it; () where they do not.

        None with `plain_env`, with several heads, which Alembic does not compare, and where env.py names no models.
        """
        if self.plain_env:
            return None
        found: list[tuple[str, ...] | None] = []

        def compare(heads: tuple[str, ...], context: MigrationContext) -> Iterable[MigrationStep]:
            with self._acting():
                found.append(model_check.differences(self._settings, self.script, heads, context))
            return ()

        self.run(connection, compare)
        return found[-1] if found else None

    def explain(self, error: BaseException) -> tuple[str, str]:
        """Return what happened in a step that failed, and what to do: also for what the server lacks."""
        return project_failures.explain(error, programs.installed())

    @property
    def _env_py(self) -> str:
        path = Path(self.script.env_py_location)
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def _acting(self) -> Acting:
        return Acting(self._stage, self._barrier)

    def _ready(self, context: MigrationContext) -> None:
        self.version_table = context.version_table_schema, context.version_table
        self._load_the_rest()

    def _load_the_rest(self) -> None:
        """Load what failed when the project was opened, as far as possible: now with stand-ins, where asked for."""
        self._revisions.retry()
        if self._stubs:
            self._revisions.retry(self._stubs.load)

    def _execute(self, connection: Connection, run: Run) -> None:
        self._settings.lead_to(connection.engine.url)
        self._settings.attributes["connection"] = connection
        context = EnvironmentContext(self._settings, self.script, fn=run.steps, destination_rev="heads")
        with version_rows.written_directly(), context as environment:
            if self.plain_env:
                environment.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
                environment.run_migrations()
            else:
                vars(environment)["configure"] = run.proving(environment.configure)
                self._run_env(connection, run)

    def _run_env(self, connection: Connection, run: Run) -> None:
        """Execute env.py; again with stand-ins, or with an engine where it wants to connect by itself."""
        while True:
            try:
                return self.script.run_env()
            except (Exception, SystemExit) as error:
                if run.contexts and isinstance(error, SystemExit):
                    raise MigrationFailed(*self.explain(error)) from error
                if run.contexts or isinstance(error, MigrationError):
                    raise
                if isinstance(error, AttributeError) and error.obj is connection and error.name == "connect":
                    self._settings.attributes["connection"] = connection.engine
                elif not (self._stubs and self._stubs.replace(error)):
                    raise self._unusable(error) from error

    def _unusable(self, error: BaseException) -> ConfigurationError:
        if isinstance(error, ModuleNotFoundError) and error.name:
            return ConfigurationError(
                f"{self._env_py} imports the module {error.name}, which is not there; no revision was run",
                f"install it, or put an empty one in its place: the same command with --stub-imports; or {WAY_OUT}",
            )
        said = " ".join(str(error).split())
        return ConfigurationError(
            f"{self._env_py} fails: {type(error).__name__}: {said}; no revision was run", f"correct it, or {WAY_OUT}"
        )
