"""The pending revisions on the last backup: up for real with the trace on, down, up again. Never touches the target.

The scratch server waits for its disk as the target does, and works with the target's settings where these can be read.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, cast

from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from app.migrations import catalog, forecast, inspection, lost, proof, trace, weights
from app.migrations.archives import Archive
from app.migrations.catalog import Difference
from app.migrations.dump_progress import Advance
from app.migrations.environments import Environment
from app.migrations.errors import Refused
from app.migrations.forecast import Forecast, Journey
from app.migrations.lost import Lost
from app.migrations.project import Project
from app.migrations.proof import Bench
from app.migrations.quoting import literal, quoted
from app.migrations.restoring import NotRestored
from app.migrations.trace import Trace

SETTINGS = (
    "maintenance_work_mem", "work_mem", "max_parallel_maintenance_workers", "max_parallel_workers",
    "max_parallel_workers_per_gather", "effective_io_concurrency", "maintenance_io_concurrency", "random_page_cost",
    "synchronous_commit", "jit", "default_statistics_target",
)  # fmt: skip
"""What decides how long a change of the schema takes, and can be set for one database.

https://www.postgresql.org/docs/current/runtime-config-resource.html
"""
READ = text("SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY (:names) ORDER BY name")
SEVERAL = "the backup stands at several revisions, and Alembic goes down to one"


class Size(NamedTuple):
    """Bytes of one table with its indexes, before and after the revisions; None where it was not there."""

    table: str
    before: int | None
    after: int | None


class Way(NamedTuple):
    """One revision going down, or up again, and how many seconds that took."""

    revision: str
    seconds: float


class Back(NamedTuple):
    """The way back: down from the new revisions and up again, as far as it went.

    `stopped` says why it ended early, and is empty where it did not; `differences` are those of the schema against what
    it was before the revisions, `again` against what it was after them.
    """

    down: tuple[Way, ...] = ()
    up: tuple[Way, ...] = ()
    differences: tuple[Difference, ...] = ()
    again: tuple[Difference, ...] = ()
    lost: tuple[Lost, ...] = ()
    stopped: str = ""

    @property
    def clean(self) -> bool:
        """Return whether the way was gone to its end, and came back to the same schema both times."""
        return not (self.stopped or self.differences or self.again)


class Rehearsal(NamedTuple):
    """What was found out. `forecast` holds the trace, with the figures of the restored tables.

    `settings` are those of the target that the server worked with; None where the target was not reached.
    `restored_seconds` is what the restore took, `database` the bytes of the database before and after.
    """

    archive: Archive
    server: str
    settings: Mapping[str, str] | None
    restored_seconds: float
    forecast: Forecast
    database: tuple[int, int]
    sizes: tuple[Size, ...]
    back: Back | None


Said = Callable[[str], None]
"""Hears, in a sentence, of what begins."""


def settings_of(target: Engine) -> dict[str, str]:
    """Read the settings of a target that decide how long a change takes. Raises SQLAlchemyError."""
    with target.connect() as connection:
        return {str(name): str(value) for name, value in connection.execute(READ, {"names": list(SETTINGS)})}


def rehearse(  # noqa: PLR0913, PLR0917
    project: Project,
    archive: Archive,
    environment: Environment,
    to: str,
    settings: Mapping[str, str] | None,
    said: Said,
    advance: Advance | None = None,
) -> Rehearsal:
    """Restore `archive`, run what is pending there, and go back and up again; the scratch database is dropped.

    Raises Refused for a backup that is damaged or cannot be restored, ConfigurationError, Unreachable.
    """
    bench = proof.prepare(project.root, archive, environment, durable=True)
    began = time.monotonic()
    with _restored(archive, environment, bench, advance) as url:
        restored_seconds = time.monotonic() - began
        said(f"restored {archive.name} on {bench.described} in {restored_seconds:.1f} s")
        engine = create_engine(url, poolclass=NullPool)
        _prepare(engine, settings or {})
        stage = _Stage(project, url, engine)
        before = stage.look()
        said("running the pending revisions, each statement watched")
        traced = trace.run(project, url, to)
        after = stage.look()
        tables = sorted(forecast.touched(traced))
        found = forecast.weigh(project, traced, Journey(traced.start, to), before.figures)
        back = stage.back(before, after, traced, said) if traced.complete and traced.steps else None
    sizes = tuple(
        Size(name, _bytes(before, name), _bytes(after, name))
        for name in sorted({*tables, *(set(after.figures) - set(before.figures))})
    )
    total = (before.total, after.total)
    return Rehearsal(archive, bench.described, settings, restored_seconds, found, total, sizes, back)


class _Look(NamedTuple):
    """The database at one moment."""

    schema: catalog.Catalog
    figures: dict[str, weights.Figures]
    total: int


def _bytes(look: _Look, table: str) -> int | None:
    return look.figures[table].bytes if table in look.figures else None


@contextmanager
def _restored(archive: Archive, environment: Environment, bench: Bench, advance: Advance | None) -> Iterator[str]:
    try:
        with proof.restored(archive, environment, bench, advance) as url:
            yield url
    except NotRestored as error:
        raise Refused(
            f"the backup {archive.name} could not be restored, so that nothing was rehearsed: {error}",
            f"inv db.prove --env={environment.name} --backup={archive.name}",
        ) from error


def _prepare(engine: Engine, settings: Mapping[str, str]) -> None:
    """Set what the target has set, and gather statistics, which a dump does not have."""
    name = quoted(str(make_url(engine.url).database))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for key, value in settings.items():
            try:
                connection.exec_driver_sql(f"ALTER DATABASE {name} SET {key} = {literal(value)}".replace("%", "%%"))
            except SQLAlchemyError:  # a setting that this server does not have, or does not let this role set
                continue
        connection.exec_driver_sql("ANALYZE")
        connection.exec_driver_sql("CHECKPOINT")


class _Stage:
    """The restored database, looked at and walked over."""

    def __init__(self, project: Project, url: str, engine: Engine) -> None:
        self.project, self.url, self.engine = project, url, engine

    def look(self) -> _Look:
        with self.engine.connect() as connection:
            return _Look(inspection.read(connection), weights.read(connection), _size(connection))

    def back(self, before: _Look, after: _Look, traced: Trace, said: Said) -> Back:
        """Go down to where the backup was, and up again; what is lost by it is measured."""
        if len(traced.start) > 1:
            return Back(stopped=SEVERAL)
        said("going down again, and up")
        held = self._hold()
        down, stopped = self._walk("downgrade", traced.start, len(traced.steps))
        if stopped:
            return Back(down, stopped=stopped)
        differences = tuple(catalog.difference(before.schema, self.look().schema))
        up, stopped = self._walk("upgrade", traced.end, len(traced.steps))
        again = () if stopped else tuple(catalog.difference(after.schema, self.look().schema))
        gone = () if stopped else lost.compare(held, self._hold())
        return Back(down, up, differences, again, gone, stopped)

    def _hold(self) -> lost.Holdings:
        with self.engine.connect() as connection:
            return lost.read(connection)

    def _walk(self, action: str, ends: Sequence[str], count: int) -> tuple[tuple[Way, ...], str]:
        ways: list[Way] = []

        def steps(heads: tuple[str, ...], _: MigrationContext) -> Iterator[MigrationStep]:
            for step in self._steps(action, heads, ends)[:count]:
                began = time.monotonic()
                yield step
                ways.append(Way(step.revision.revision, time.monotonic() - began))

        try:
            with self.engine.connect() as connection:
                self.project.run(connection, steps)
        except Exception as error:  # noqa: BLE001 -- whatever a revision raises is the answer
            return tuple(ways), self.project.explain(error)[0]
        return tuple(ways), ""

    def _steps(self, action: str, heads: Sequence[str], ends: Sequence[str]) -> list[RevisionStep]:
        script, at = self.project.script, cast("str", tuple(heads))
        if action == "upgrade":
            return script._upgrade_revs(cast("str", tuple(ends)), at)
        return script._downgrade_revs(ends[0] if ends else "base", at)


def _size(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
