"""The scratch database that a roundtrip is at, and the clean copy out of which it can be had again. Decides nothing.

The copy holds what the revisions built and no rows of ours. It is made when it is needed and goes on from the one
before, so that all repairs together run each revision once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from types import TracebackType
from typing import NamedTuple, TypeVar

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.pool import NullPool

from app.migrations import prepared, raw, roundtrip_roles, scratch, urls
from app.migrations.catalog_names import Key, Properties, plain
from app.migrations.project import Project
from app.migrations.roundtrip_reading import Reader
from app.migrations.roundtrip_snapshot import Snapshot
from app.migrations.roundtrip_steps import Failed, Step, Walk, drive
from app.migrations.roundtrip_touch import Touched

T = TypeVar("T")
PATIENCE = "SET lock_timeout = '60s'; SET statement_timeout = 0; SET client_min_messages = error"
"""A session of a migration that a failed step left open must not hold us up for ever."""


class BrokenError(Exception):
    """A revision that went up before does not on a database without our rows."""

    def __init__(self, revision: str, error: BaseException) -> None:
        super().__init__(revision)
        self.revision, self.error = revision, error


class Copy(NamedTuple):
    """A database with these revisions, in this order, and the roles of the cluster as they were then."""

    database: str | None
    revisions: tuple[str, ...]
    roles: dict[Key, Properties]


class Site:
    """One scratch database at a time; a context manager, at whose end all of them and the roles made are gone."""

    def __init__(self, project: Project, admin_url: str, shortcuts: bool = True) -> None:
        self.project, self.admin_url, self.shortcuts = project, admin_url, shortcuts
        self.url = ""
        self.roles_left: list[str] = []
        self.made: set[Key] = set()
        self._work, self._kept = ExitStack(), ExitStack()
        self._session: Connection | None = None
        self._watcher: RawConnection | None = None
        self._reader: Reader | None = None
        self._copy = Copy(None, (), {})
        self._ground: Mapping[Key, Properties] = {}
        self._signature = roundtrip_roles.Signature(lambda: scratch.connect(admin_url))

    def __enter__(self) -> "Site":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with closing(self._signature):
            with self._kept:
                self._work.close()
            self._drop_roles(self.made)

    @property
    def session(self) -> Connection:
        """Return a session of ours in the database for rows, without a transaction."""
        return _there(self._session)

    @property
    def watcher(self) -> RawConnection:
        """Return a session of ours in the database, in autocommit."""
        return _there(self._watcher)

    @property
    def reader(self) -> Reader:
        """Return what reads the catalog."""
        return _there(self._reader)

    def place(self) -> tuple[str, RawConnection]:
        """Tell where the next steps are to run."""
        return self.url, self.watcher

    def start(self, template: str | None, revisions: Sequence[str]) -> None:
        """Begin with an empty database, or a copy of a template that holds `revisions`."""
        self._open(template)
        with closing(scratch.connect(self.admin_url)) as connection:
            if roundtrip_roles.sweep(connection):  # after the databases that used them, which were swept just now
                self._reader = Reader(self.watcher, self.shortcuts)
        self._ground = self.reader.roles
        self._copy = Copy(template, tuple(revisions), roundtrip_roles.read(self.watcher))

    def rebuild(self, revisions: Sequence[str]) -> None:
        """Go to a database of these revisions without rows of ours; they begin with those of the last rebuild.

        No session of a migration may be open. Raises BrokenError for one that does not go up there.
        """
        self._work.close()
        self._drop_roles(self.made - self._copy.roles.keys())
        missing = revisions[len(self._copy.revisions) :]
        if missing:
            with ExitStack() as stack:
                url = stack.enter_context(scratch.database(self.admin_url, self._copy.database))
                with closing(_connect(url)) as watcher:
                    with self._roles_of(watcher, missing):
                        steps = straight(missing, done=lambda revision: self.sign_roles(watcher, revision))
                        drive(self.project, steps, lambda: (url, watcher))
                    now = roundtrip_roles.read(watcher)
                name = str(make_url(url).database)
                self._end_sessions(name)
                self._kept.close()
                self._kept = stack.pop_all()
            self._copy = Copy(name, tuple(revisions), now)
        self._open(self._copy.database)
        self.disregard_others(self.reader, revisions)

    def disregard_others(self, reader: Reader, revisions: Iterable[str]) -> None:
        """Make a new reader go on from the roles of the start and of these revisions: others come and go meanwhile."""
        source = "".join(self.source(revision) for revision in revisions)
        reader.roles = roundtrip_roles.likely(self._ground, reader.roles, source)

    @contextmanager
    def another(self, template: str | None, revisions: Sequence[str]) -> Iterator[tuple[str, RawConnection]]:
        """Yield a further database, in which these revisions are to run, and our session in it."""
        with (
            scratch.database(self.admin_url, template) as url,
            closing(_connect(url)) as watcher,
            self._roles_of(watcher, revisions),
        ):
            yield url, watcher

    def leave(self) -> None:
        """Drop the database; the roles that its revisions made go too."""
        self._work.close()
        self._drop_roles(self.made)

    def _open(self, template: str | None) -> None:
        self._work.close()
        self.url = self._work.enter_context(scratch.database(self.admin_url, template))
        self._watcher = self._work.enter_context(closing(_connect(self.url)))
        self._session = self._work.enter_context(create_engine(self.url, poolclass=NullPool).connect())
        self._session.exec_driver_sql(prepared.PLANNED_ONCE)
        self._session.commit()
        self._reader = Reader(self.watcher, self.shortcuts)

    def look(self, touched: Touched, source: str) -> Snapshot:
        """Read what a step has changed, and remember the roles that it made."""
        before = self.reader.roles
        found = self.reader.read(touched, source)
        fresh = found.roles.keys() - before.keys()
        self._signature.put(fresh)
        self.made |= fresh
        return found

    def sign_roles(self, watcher: RawConnection, revision: str) -> None:
        """Sign the roles that a revision has just made where nobody looks: there is a list of them at the end alone."""
        source = self.source(revision)
        if roundtrip_roles.MAKES_A_ROLE.search(source):
            found = roundtrip_roles.read(watcher).keys() - self._ground.keys()
            self._signature.put([key for key in found if plain(key.name) in source])

    @contextmanager
    def _roles_of(self, watcher: RawConnection, revisions: Sequence[str]) -> Iterator[None]:
        """Remember the roles that appear meanwhile and that one of these revisions names."""
        before = roundtrip_roles.read(watcher)
        try:
            yield
        finally:
            fresh = roundtrip_roles.read(watcher).keys() - before.keys()
            text = "".join(self.source(revision) for revision in revisions) if fresh else ""
            self.made |= {key for key in fresh if plain(key.name) in text}

    def source(self, revision: str) -> str:
        """Return the source of a revision."""
        path = self.project.root / self.project.history[revision].path
        return path.read_text(encoding="utf-8", errors="replace")

    def _drop_roles(self, names: set[Key]) -> None:
        if names:
            with closing(scratch.connect(self.admin_url)) as connection:
                self.roles_left = roundtrip_roles.drop(connection, sorted(names))
            self.made -= names

    def _end_sessions(self, name: str) -> None:
        """A pool of env.py may hold sessions, and a database with sessions cannot be copied."""
        with closing(scratch.connect(self.admin_url)) as connection:
            raw.execute(connection, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", name)


def _there(value: T | None) -> T:
    if value is None:
        raise RuntimeError("Site.start() comes first")
    return value


def straight(revisions: Sequence[str], done: Callable[[str], None] | None = None) -> Walk:
    """Walk up through revisions without looking; `done` hears of each. Raises BrokenError."""
    for revision in revisions:
        result = yield Step(revision, True)
        if isinstance(result, Failed):
            raise BrokenError(revision, result.error)
        if done:
            done(revision)


def build(project: Project, revisions: Sequence[str]) -> Callable[[str], None]:
    """Return what brings the empty database at a URL to these revisions. It raises BrokenError."""

    def run(url: str) -> None:
        with closing(_connect(url)) as watcher:
            drive(project, straight(revisions), lambda: (url, watcher))

    return run


def _connect(url: str) -> RawConnection:
    target = urls.to_libpq(url)
    password = target.environment.get("PGPASSWORD")
    connection: RawConnection = psycopg2.connect(target.conninfo, password=password, connect_timeout=10)
    connection.autocommit = True
    raw.execute(connection, PATIENCE)
    return connection
