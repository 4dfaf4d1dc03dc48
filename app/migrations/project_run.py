"""One run of env.py: hands Alembic the steps one by one, and looks whether each was kept. Starts nothing."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any, TypeVar, cast

from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import Connection, select, text

from app.migrations.errors import MigrationFailed, Refused
from app.migrations.project_barrier import WAY_OUT, Barrier
from app.migrations.project_stage import Stage

Steps = Callable[[tuple[str, ...], MigrationContext], Iterable[MigrationStep]]
T = TypeVar("T")
SAME = text("SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()")
"""Two connections that answer this alike lead to the same database of the same server."""


class Acting:
    """The block is a project's code: on its stage, behind the barrier. Within it, `paused` calls our own code."""

    def __init__(self, stage: Stage, barrier: Barrier) -> None:
        self._stage, self._barrier = stage, barrier
        self._nested = False

    def __enter__(self) -> "Acting":
        self._nested = self._barrier.up
        if not self._nested:
            self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._nested:
            self._end()

    def paused(self, function: Callable[[], T]) -> T:
        """Call a function of ours."""
        self._end()
        try:
            return function()
        finally:
            self._begin()

    def _begin(self) -> None:
        self._stage.enter()
        self._barrier.raise_()

    def _end(self) -> None:
        self._barrier.lower()
        self._stage.leave()


class Run:
    """What Alembic asks for, and what it did; `contexts` are those that env.py ran migrations in."""

    def __init__(self, connection: Connection, steps: Steps, acting: Acting, ready: Callable[[MigrationContext], None]):
        self.contexts: list[MigrationContext] = []
        self._connection, self._ours, self.acting, self._ready = connection, steps, acting, ready
        self._heads: set[str] | None = None
        self._open: Iterator[MigrationStep] = iter(())

    def proving(self, configure: Callable[..., None]) -> Callable[..., None]:
        """Return `context.configure`, which first looks where a connection leads.

        Later is too late: Alembic makes the version table before it asks for a step.
        """

        def proved(connection: Connection | None = None, *arguments: Any, **keywords: Any) -> None:
            if connection is not None:
                self._prove(connection)
            configure(connection, *arguments, **keywords)

        return proved

    def steps(self, heads: tuple[str, ...], context: MigrationContext) -> Iterator[MigrationStep]:
        """Return the steps, each after the one before was committed."""
        self._accept(context)
        self._ready(context)
        self._open = iter(self.acting.paused(lambda: self._ours(heads, context)))
        while (step := self.acting.paused(lambda: next(self._open, None))) is not None:
            self._heads = None
            yield step
            self._settle(context, step)

    def close(self) -> None:
        """End a generator of steps that was not finished."""
        end = getattr(self._open, "close", None)
        if end:
            end()

    def _accept(self, context: MigrationContext) -> None:
        """Take a context of env.py's making for the run: one, on the scratch database, and committing step by step."""
        if self.contexts or context.opts.get("upgrade_token") not in {None, "upgrades"}:
            raise Refused(
                "env.py runs the migrations of several databases or schemas in one run", f"name one: {WAY_OUT}"
            )
        self.contexts.append(context)
        if context.connection is None:
            raise Refused("env.py gives Alembic no connection", WAY_OUT)
        self._prove(context.connection)
        _commit(context)
        context._transaction_per_migration = True
        context._in_external_transaction = False
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, self._note)

    def _prove(self, connection: Connection) -> None:
        own = connection is not self._connection
        if own and _asked(connection) != _asked(self._connection):
            raise Refused("env.py is connected to a database that is not the scratch database", WAY_OUT)

    def _note(self, heads: Any, **_: Any) -> None:
        self._heads = set(heads)

    def _settle(self, context: MigrationContext, step: MigrationStep) -> None:
        """Commit what a revision left open by a commit of its own, and look whether its version row is there.

        Its op.get_bind().commit() ends the transaction that Alembic would have committed; the row is then written in
        one that nobody would. Where nothing was left open the row came with Alembic's own commit.
        """
        if not _commit(context):
            return
        connection = cast("Connection", context.connection)
        with connection.begin():
            rows = set(connection.scalars(select(context._version.c.version_num)))
        if self._heads is not None and rows != self._heads:
            raise MigrationFailed(
                f"{step.short_log} ran, and the version table says {', '.join(sorted(rows)) or 'base'} afterwards,"
                f" not {', '.join(sorted(self._heads)) or 'base'}: the step is not done",
                "have the revision leave its version row and its connection's transaction to Alembic",
            )


def _commit(context: MigrationContext) -> bool:
    """Commit what is begun on the connection, and tell whether there was something.

    A `with engine.begin()` around it has SQLAlchemy refuse everything after a commit, unless it forgets about it.
    """
    connection = cast("Connection", context.connection)
    begun = connection.in_transaction()
    if begun:
        connection.commit()
    cast("Any", connection)._trans_context_manager = None
    context._transaction = None
    return begun


def _asked(connection: Connection) -> tuple[object, ...]:
    with nullcontext() if connection.in_transaction() else connection.begin():
        return tuple(connection.execute(SAME).one())
