"""Whether a database is exactly where the code needs it: one query a look, and a look can be cut short.

Never loads Alembic, changes nothing, and says of an address no more than what is wrong with it.
"""

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from app.migrations import driver, failures, history_files, standing
from app.migrations.advisory import HELD
from app.migrations.errors import ConfigurationError
from app.migrations.failures import Place
from app.migrations.history import History
from app.migrations.standing import Standing, State

CONNECT_TIMEOUT = 2
"""Seconds that one address has to answer; libpq counts no fewer before version 17."""
STATEMENT_TIMEOUT = 1500
"""Milliseconds that the query has, counted by the server: a lock on the version table must not pile up sessions."""
CANCELLED = "57014"
GONE = frozenset({"42P01", "42501"})
TRIES = 4
"""Queries of one look at most; in all but the first look, and where tables come or go, it is one."""
NO_ANSWER = "no answer"
NO_RIGHT = "no right to read alembic_version"


class Readiness(NamedTuple):
    """What one look has found. Without a `standing`, `problem` says in a few words why, and `detail` in a sentence."""

    standing: Standing | None
    running: bool
    next: str | None
    problem: str = ""
    detail: str = ""

    @property
    def ready(self) -> bool:
        """Tell whether the database is exactly at the head of the code."""
        return self.standing is not None and self.standing.state is State.AT_HEAD

    @property
    def words(self) -> str:
        """Return what `inv db.status` says of it, without an address."""
        if self.standing is None:
            return f"unreachable: {self.problem}" if self.problem != NO_RIGHT else NO_RIGHT
        return standing.words(self.standing, self.running)


class _Shape(NamedTuple):
    """Which of our tables can be read: naming one that is not there fails a whole query."""

    version: bool = False
    journal: bool = False

    @property
    def query(self) -> str:
        """One message to the server, and one answer. SET LOCAL ends with it, so that a pooler's others never see it.

        https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
        """
        rows = "ARRAY(SELECT version_num::text FROM alembic_version)" if self.version else "'{}'::text[]"
        begun = "'{}'::text[]"
        if self.journal:
            begun = "ARRAY(SELECT revision FROM alembic_journal WHERE action = 'begun' GROUP BY 1 ORDER BY min(id))"
        return (
            f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT}; SELECT {rows}, {begun},"  # noqa: S608 -- no value
            f" EXISTS (SELECT FROM pg_locks WHERE {HELD}), to_regclass('alembic_version') IS NOT NULL,"
            " coalesce(has_table_privilege(to_regclass('alembic_version')::oid, 'SELECT'), false),"
            " coalesce(has_table_privilege(to_regclass('alembic_journal')::oid, 'SELECT'), false)"
        )


class Looker:
    """Looks at one database, one look after the other; `cut` may be called from another thread at any time.

    The engine's pool keeps the connection. It is tried as it is: where the server was restarted in between, the same
    look goes on over a new one.
    """

    def __init__(self, engine: Engine, history: History, place: Place) -> None:
        self.engine, self.history, self.place = engine, history, place
        self.shape = _Shape()
        self.guard = threading.Lock()
        self.over = False
        self.handle: socket.socket | None = None
        event.listen(engine, "connect", self._connected, insert=True)  # before anything is asked

    def look(self) -> Readiness:
        """Ask the database, over at most two connections; never raises because of what the database does."""
        self.over = False
        try:
            return self._found()
        except DBAPIError as error:
            return self._unread(error)
        except _CutShort:
            return silent(self.place)
        except _NoRight:
            detail = f"{self.place.described}: this role may not read alembic_version"
            return Readiness(
                None, False, "GRANT SELECT ON alembic_version TO this user, by its owner", NO_RIGHT, detail
            )
        finally:
            self._let_go()

    def cut(self) -> None:
        """End the look that is under way, if there is one: its connection is shut, whatever it waits for."""
        with self.guard:
            self.over = True
            if self.handle is not None:
                with suppress(OSError):
                    self.handle.shutdown(socket.SHUT_RDWR)

    def _found(self) -> Readiness:
        try:
            rows, begun, running = self._asked()
        except DBAPIError as error:
            if not error.connection_invalidated or self.over:
                raise
            rows, begun, running = self._asked()  # the connection was an old one
        found = standing.compare(rows, self.history, begun)
        ready = found.state is State.AT_HEAD
        return Readiness(found, running, None if ready else standing.cure(self.place.environment, found, running))

    def _asked(self) -> tuple[list[str], list[str], bool]:
        with self.engine.connect() as connection:
            self._hold(connection.connection.dbapi_connection)
            for _ in range(TRIES):
                shape = self.shape
                rows, begun, running, exists, *readable = self._row(connection)
                self.shape = _Shape(*readable)
                if exists and not self.shape.version:
                    raise _NoRight
                if self.shape == shape:
                    return rows, begun, running
        raise _CutShort

    def _row(self, connection: Connection) -> tuple[Any, ...]:
        try:
            return driver.run(connection, self.shape.query)[0]
        except DBAPIError as error:
            if not any(self.shape) or getattr(error.orig, "pgcode", None) not in GONE:
                raise
            self.shape = _Shape()  # a table has gone since the last look, or the right to read it
            return driver.run(connection, self.shape.query)[0]

    def _connected(self, raw: Any, _: object) -> None:
        self._hold(raw)
        raw.autocommit = True  # for good: to switch costs a message each time, and leaves a setting in the session

    def _hold(self, raw: Any) -> None:
        """Keep a handle of our own on the socket: the number of the driver's may soon be another's."""
        with self.guard:
            if self.over:
                raw.close()
                raise _CutShort
            if self.handle is not None:
                self.handle.close()
            self.handle = socket.socket(fileno=os.dup(raw.fileno()))

    def _let_go(self) -> None:
        with self.guard:
            if self.handle is not None:
                self.handle.close()
                self.handle = None

    def _unread(self, error: DBAPIError) -> Readiness:
        code = getattr(error.orig, "pgcode", None)
        if self.over or code == CANCELLED:
            return silent(self.place)
        said = failures.unreachable(error, self.place)
        known = failures.cause(said.message)
        other = "the connection was lost" if error.connection_invalidated else f"error {code or 'of the driver'}"
        return Readiness(None, False, said.hint, known.words if known else other, said.message)


def silent(place: Place) -> Readiness:
    """Return what is known of a database that has not answered in time."""
    detail = f"{place.described} cannot be reached: it accepts connections and does not answer in time"
    return Readiness(None, False, f"`{place.status}` shows whether it answers now", NO_ANSWER, detail)


def whole_history(root: Path) -> History:
    """Read the history of the repository at `root`. Raises ConfigurationError where Alembic could not run it."""
    reading = history_files.read(str(root))
    history = reading.history
    if reading.faults:
        fault = reading.faults[0]
        raise ConfigurationError(f"{fault.path}:{fault.line}: {fault.message}; nothing is served", fault.instead)
    if history.missing:
        revision, name = history.missing[0]
        what = f"{revision.path}:{revision.line}: revision {revision.id} names {name}, which is not there"
    elif history.cycles:
        what = f"the revisions {', '.join(history.cycles[0])} are each other's parents"
    else:
        return history
    raise ConfigurationError(
        f"{what}; nothing is served",
        "get the missing file back (`git log --all -- alembic/versions`) or correct down_revision",
    )


class _CutShort(Exception):
    """The look was ended from outside."""


class _NoRight(Exception):
    """The version table is there, and this role may not read it."""
