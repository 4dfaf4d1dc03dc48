"""Writes every step of a run into the journal, in the transaction that changes the version.

Before a step's first commit of its own (an autocommit block, or a migration that commits the bind) a row `begun` is
committed on another connection, so that a half-applied revision is known even after kill -9.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, cast

from alembic.runtime.migration import MigrationContext, MigrationInfo, RevisionStep
from alembic.script import Script
from sqlalchemy import Connection, event

from app.migrations import journal
from app.migrations.code_reader import CodeReader
from app.migrations.journal import Actor, Code, Row
from app.migrations.redaction import redact

VERBS = {"upgrade": "applied", "downgrade": "undone", "stamp": "stamped"}


class Done(NamedTuple):
    """A step whose statements have run; `verb` is applied, undone or stamped, `seconds` is its own time."""

    revision: str
    title: str
    verb: str
    seconds: float


class Desk(NamedTuple):
    """Where the rows of a run go, and in whose name; `first` runs in the first step's last transaction.

    `half_applied` are the revisions with open rows of earlier runs; `detail` is said by every row.
    """

    schema: str
    actor: Actor
    first: Callable[[Connection], None]
    half_applied: Collection[str] = ()
    detail: Mapping[str, object] = MappingProxyType({})


class Recorder:
    """The journal of one run, over all its tries.

    `side` is a connection in autocommit that is not the migration's. `open_desk` is called once, before the first step:
    it may refuse the run, or return None where no journal can be kept. `kept` is called with the heads that a step has
    written, after its commit, and raises when they are not there; only then is the step reported to `progress`.
    `allow` is shown all steps of a try before the first, and raises where they must not be taken.
    """

    def __init__(
        self,
        side: Connection,
        open_desk: Callable[[MigrationInfo], Desk | None],
        kept: Callable[[Collection[str]], None],
        progress: Callable[[Done], None] | None = None,
        allow: Callable[[Sequence[MigrationInfo]], None] = lambda _: None,
    ) -> None:
        self.side = side
        self.open_desk = open_desk
        self.opened = False
        self.kept = kept
        self.progress = progress
        self.allow = allow
        self.desk: Desk | None = None
        self.is_first = False
        self.info: MigrationInfo | None = None
        self.row: int | None = None
        self.began = 0.0
        self.finished: tuple[Done, Collection[str]] | None = None
        self.codes = CodeReader()

    def close(self) -> None:
        """End what goes on beside the run."""
        self.codes.close()

    def attach(self, context: MigrationContext) -> None:
        """Hear of every step that `context` is about to run in this try.

        `_migrations_fn` is Alembic's own list of steps; there is no public hook before a step.
        """
        planned, connection = context._migrations_fn, context.connection
        if planned is None or connection is None:
            return
        context._migrations_fn = lambda *arguments: self._watched(planned(*arguments))
        event.listen(connection, "commit", self._committing)

    def applied(
        self,
        ctx: MigrationContext,
        step: MigrationInfo,
        heads: Collection[str],
        run_args: object,  # noqa: ARG002
    ) -> None:
        """Write the row of a step that has run; Alembic calls this in the step's last transaction."""
        seconds, self.info = time.monotonic() - self.began, None
        self.finished = Done(name(step), title(step), VERBS[action_of(step)], seconds), heads
        if self.desk is not None and ctx.connection is not None:
            self._write(ctx.connection, self.desk, step, seconds)

    def failed(self, error: BaseException) -> None:
        """Write down, after the rollback, that the step at work failed; an open `begun` row stays open."""
        if self.info is None or self.desk is None:
            return
        said = {"direction": action_of(self.info), "error": redact(str(error) or type(error).__name__)}
        detail = {**self.desk.detail, **said}
        row = Row(name(self.info), "failed", time.monotonic() - self.began, self._code(self.info), detail)
        journal.add(self.side, self.desk.schema, self.desk.actor, row)

    def _watched(self, steps: Iterable[RevisionStep]) -> Iterator[RevisionStep]:
        due = [(step, step.info) for step in steps]  # Alembic works the second out anew each time
        self.allow([info for _, info in due])
        self.codes.start([script.path for _, info in due if (script := _script(info))])
        for number, (step, info) in enumerate(due):
            self.is_first = number == 0
            if not self.opened:
                self.desk, self.opened = self.open_desk(info), True
            self.info, self.row, self.began, self.finished = info, None, time.monotonic(), None
            yield step
            self._conclude()

    def _conclude(self) -> None:
        """After the commit of a step: only what another connection can read has happened."""
        if self.finished is not None:
            done, heads = self.finished
            self.kept(heads)
            if self.progress is not None:
                self.progress(done)

    def _write(self, connection: Connection, desk: Desk, step: MigrationInfo, seconds: float) -> None:
        schema = desk.schema
        if self.is_first:
            desk.first(connection)
        if self.row is not None:
            journal.finish(connection, schema, self.row, action_of(step), seconds)
            journal.abandon(connection, schema, name(step))
        else:
            row = Row(name(step), action_of(step), seconds, self._code(step), desk.detail)
            journal.add(connection, schema, desk.actor, row, closes=name(step) in desk.half_applied)

    def _code(self, step: MigrationInfo) -> Code | None:
        """Return digest and source of the step's revision; None where there is no single one."""
        script = _script(step)
        return self.codes[script.path] if script else None

    def _committing(self, _: Connection) -> None:
        if self.info is None or self.row is not None or self.desk is None:
            return
        detail = {**self.desk.detail, "direction": action_of(self.info)}
        row = Row(name(self.info), journal.BEGUN, None, self._code(self.info), detail)
        self.row = journal.open_row(self.side, self.desk.schema, self.desk.actor, row)


def action_of(step: MigrationInfo) -> str:
    """Return the journal's word for a step."""
    return "stamp" if step.is_stamp else "upgrade" if step.is_upgrade else "downgrade"


def name(step: MigrationInfo) -> str:
    """Return the revision that a step is about; a stamp is about where it ends."""
    revisions = step.destination_revision_ids if step.is_stamp else (step.up_revision_id,)
    return ", ".join(filter(None, revisions)) or "base"


def title(step: MigrationInfo) -> str:
    """Return the first line of the revision's docstring, or nothing for a stamp."""
    script = _script(step)
    return script.doc if script else ""


def _script(step: MigrationInfo) -> Script | None:
    return None if step.is_stamp else cast("Script | None", step.up_revision)
