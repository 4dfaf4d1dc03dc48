"""Keeps a project's own code from every database but the scratch one. Connects only where that code asked for it.

While it is up, every engine of SQLAlchemy's connects to the scratch database, whatever its URL, and a pooled
connection to another one is not handed out; psycopg2 is rerouted as well, other drivers connect through SQLAlchemy
alone, and the variables of the process name the scratch database too. It is process-wide, as SQLAlchemy's class-level
events and `os.environ` are: one project runs at a time.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast
from weakref import WeakSet

import psycopg2
from psycopg2.extensions import connection as PsycopgConnection  # noqa: N812 -- the class has a lower-case name
from psycopg2.extensions import make_dsn, parse_dsn
from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.engine import create as engine_factory
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError
from sqlalchemy.pool import Pool

from app.migrations import project_drivers
from app.migrations.errors import Refused
from app.migrations.project_variables import NOWHERE, pointing
from app.migrations.project_variables import keywords as libpq_keywords

KEPT = frozenset(
    {
        "options", "application_name", "fallback_application_name", "connect_timeout", "client_encoding",
        "connection_factory", "cursor_factory", "keepalives", "keepalives_idle", "keepalives_interval",
        "keepalives_count", "server_settings", "timeout", "command_timeout", "statement_cache_size",
        "prepare_threshold", "prepared_statement_name_func", "prepared_statement_cache_size", "autocommit",
    }
)  # fmt: skip
"""What a project may say about its connections. Where they lead, as whom and with which TLS is not its to say."""

Variables = dict[bytes, bytes]
"""The variables of a process, encoded."""
WAY_OUT = "run the revisions without env.py: the same command with --plain-env"


class Barrier:
    """Put in place by `install`, up from `raise_` to `lower`; everything leads to `towards`, and nowhere outside it."""

    def __init__(self) -> None:
        self.up = False
        self._url: URL | None = None
        self._turn = object()
        self._through = False
        self._made: WeakSet[PsycopgConnection] = WeakSet()
        self._before: list[tuple[Any, str, Any]] = []
        self._ours: Variables = {}
        self._theirs: Variables | None = None
        self._pointed: tuple[object, Variables] = None, {}

    def install(self) -> None:
        """Put the rerouting in place; it does nothing until the barrier is up."""
        for target, name, function in self._listeners:
            event.listen(target, name, function)
        self._replace(psycopg2, "_connect", self._rerouted(cast("Any", psycopg2)._connect))
        urls = cast("Any", engine_factory)._url
        self._replace(engine_factory, "_url", _Urls(urls, self._aimed))
        for way in project_drivers.ways():
            self._replace(way.owner, way.name, project_drivers.closed(way, self._allowed))

    def remove(self) -> None:
        """Take the rerouting away again."""
        self.lower()
        for target, name, function in self._listeners:
            event.remove(target, name, function)
        while self._before:
            owner, name, value = self._before.pop()
            setattr(owner, name, value)

    def raise_(self) -> None:
        """Have what follows be the project's; the variables that its code set before are there again."""
        if not self.up:
            self._ours = _variables()
            _set_variables(self._pointing(self._ours if self._theirs is None else self._theirs))
            self.up = True

    def lower(self) -> None:
        """Have what follows be ours, with the variables that were there before."""
        if self.up:
            self.up = False
            self._theirs = _variables()
            _set_variables(self._ours)

    def _pointing(self, variables: Variables) -> Variables:
        """Return these variables as they lead to the scratch database; mostly they are those of the last time."""
        if self._pointed[0] != (variables, self._url):
            named = {os.fsdecode(name): os.fsdecode(value) for name, value in variables.items()}
            found = pointing(named, self._url).items()
            encoded = {os.fsencode(name): os.fsencode(value) for name, value in found}
            self._pointed = (variables, self._url), encoded
        return self._pointed[1]

    @contextmanager
    def towards(self, url: URL) -> Iterator[None]:
        """Have everything lead to the database at `url`; what the project leaves connected to it is closed."""
        self._url, self._turn = url, object()
        try:
            yield
        finally:
            self._url, self._turn = None, object()
            for made in [*self._made]:
                with suppress(Exception):
                    made.close()

    def _replace(self, owner: Any, name: str, value: Any) -> None:
        self._before.append((owner, name, vars(owner)[name]))
        setattr(owner, name, value)

    @property
    def _listeners(self) -> tuple[tuple[Any, str, Callable[..., Any]], ...]:
        return (
            (Engine, "do_connect", self._reroute),
            (Pool, "connect", self._inspect),
            (Pool, "checkout", self._check),
        )

    def _aimed(self, given: str | URL) -> URL:
        """Return the URL that an engine is made for: ours, with the asked driver where it is installed."""
        if not self.up:
            return make_url(given)
        ours = (self._url or NOWHERE).set(drivername="postgresql+psycopg2")
        try:
            asked = make_url(given)
            dialect = asked.get_dialect()
        except (ArgumentError, NoSuchModuleError):
            return ours
        if dialect.name != "postgresql":
            return ours
        try:
            dialect.import_dbapi()
        except ImportError as error:
            if dialect.is_async:
                raise Refused(
                    f"the project connects through {asked.drivername}, and its driver {error.name} is not installed;"
                    " no revision was run",
                    f"install {error.name}, or {WAY_OUT}",
                ) from error
            return ours
        options = {key: value for key, value in asked.query.items() if key in KEPT}
        return ours.set(drivername=asked.drivername).update_query_dict(options)

    def _reroute(self, dialect: Any, record: Any, _: object, keywords: dict[str, Any]) -> Any:
        if not self.up:
            return None
        if dialect.name != "postgresql":
            raise Refused(
                f"the project connects to a {dialect.name} database; a scratch database is PostgreSQL", WAY_OUT
            )
        ours = self._destination().set(drivername=f"postgresql+{dialect.driver}")
        positional, named = dialect.create_connect_args(ours)
        record.info[self] = self._turn
        self._through = True
        try:
            return dialect.connect(*positional, **{key: keywords[key] for key in keywords if key in KEPT} | named)
        finally:
            self._through = False

    def _rerouted(self, connect: Callable[..., Any]) -> Callable[..., Any]:
        def rerouted(dsn: str, *arguments: Any, **keywords: Any) -> Any:
            if not self.up:
                return connect(dsn, *arguments, **keywords)
            options = {key: value for key, value in parse_dsn(dsn).items() if key in KEPT}
            made = connect(make_dsn(**{**options, **libpq_keywords(self._destination())}), *arguments, **keywords)
            self._made.add(made)
            return made

        return rerouted

    def _allowed(self, driver: str) -> None:
        if self.up and not self._through:
            raise Refused(f"the project connects through {driver} by itself, which cannot be led elsewhere", WAY_OUT)

    def _destination(self) -> URL:
        if self._url is None:
            raise Refused(
                "the project connects to a database while it is imported; it was kept from that",
                "have it connect in a function, which neither env.py nor a revision calls as it is imported",
            )
        return self._url

    def _inspect(self, made: Any, record: Any) -> None:
        """Refuse a connection that an engine's own `creator` made by another way than psycopg2."""
        if self.up and record.info.get(self) is not self._turn:
            if not isinstance(made, PsycopgConnection) or made not in self._made:
                made.close()
                raise Refused("the project has an engine that connects by a function of its own (creator=)", WAY_OUT)
            record.info[self] = self._turn

    def _check(self, _made: Any, record: Any, _fairy: Any) -> None:
        if self.up and record.info.get(self) is not self._turn:
            raise DisconnectionError("this connection leads to another database")


class _Urls:
    """Stands where SQLAlchemy's create_engine() finds make_url(), however create_engine() itself was imported."""

    def __init__(self, module: Any, aimed: Callable[[str | URL], URL]) -> None:
        self._module = module
        self.make_url = aimed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _variables() -> Variables:
    """Return a copy of the process's variables as they are kept: os.environ would decode each of them."""
    return dict(cast("Any", os.environb)._data)


def _set_variables(wanted: Variables) -> None:
    """Make the process's variables these, touching only what differs: each change is a call of putenv."""
    there = _variables()
    for name in there.keys() - wanted.keys():
        del os.environb[name]
    for name, value in wanted.items():
        if there.get(name) != value:
            os.environb[name] = value
