"""What one try of a migration has run, and what of it is committed. Runs no statement itself.

The revision at work is known by the code that runs: a module that has a `revision` and a `down_revision`.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from app.migrations.statements import shortened

VERSION_TABLE = "alembic_version"
"""The transaction that writes to it ends a revision."""
_WRITES = re.compile(r"INSERT |UPDATE |DELETE ")
"""How a statement of Alembic's that writes to it begins."""


class Spot(NamedTuple):
    """A place in a revision: its id, the last three parts of its path, and the line."""

    revision: str
    path: str
    line: int


@dataclass
class Course:
    """The course of one try, for the revision at work; a new revision begins with nothing pending or committed.

    `committed` are the statements that stay whatever happens now; `uncertain` is one outside a transaction that is
    running, or has failed, and may have left something (an index that is invalid, rows of a procedure). `last` is the
    transaction that writes the version, `ending` its commit; after it no revision is at work. `begun` tells whether any
    revision was; `version` is the statement that wrote the version last, `unanswered` the same where the connection
    was lost during its commit. `by_alembic` tells that no revision's code has issued the statement at hand.
    """

    spot: Spot | None = None
    statement: str = ""
    pending: list[str] = field(default_factory=list)
    in_doubt: list[str] = field(default_factory=list)
    committed: list[str] = field(default_factory=list)
    uncertain: str = ""
    last: bool = False
    ending: bool = False
    begun: bool = False
    version: str = ""
    unanswered: str = ""
    by_alembic: bool = False

    def begin(self, statement: str, new_transaction: bool) -> bool:
        """Note the statement that is about to run; return whether another revision than before is at work."""
        if new_transaction:
            self.committing()
        self._settle()
        spot = _spot()
        self.by_alembic = spot is None
        if spot is None:
            return False
        other = self.spot is None or self.spot.revision != spot.revision
        if other:
            self.pending, self.committed, self.uncertain = [], [], ""
        self.spot, self.statement, self.begun = spot, shortened(statement), True
        return other

    def done(self, statement: str, alone: bool) -> None:
        """Note that it succeeded; `alone` means that it was a transaction of its own."""
        self.uncertain = ""
        if not self.by_alembic:
            (self.committed if alone else self.pending).append(shortened(statement))
        elif VERSION_TABLE in statement and _WRITES.match(statement):
            self.last, self.begun, self.version = True, True, statement

    def committing(self, _: object = None) -> None:
        """A commit begins: what was pending is committed if nothing else is heard."""
        self.in_doubt, self.pending = self.in_doubt + self.pending, []
        self.ending, self.last = self.ending or self.last, False

    def rolled_back(self, _: object = None) -> None:
        """A transaction was rolled back."""
        self.pending, self.last = [], False

    def ended(self, error: BaseException, lost: bool = False) -> None:
        """The try ended with `error`: decide about a commit that was under way, which nobody knows if it was `lost`."""
        if lost:
            self.unanswered = self.version if self.ending else ""
            self.uncertain = self.uncertain or ("" if self.ending else "; ".join(self.in_doubt))
            self.in_doubt, self.ending = [], False
        elif isinstance(error, DBAPIError) and error.statement is None:
            self.in_doubt, self.ending = [], False
        self._settle()
        self.pending = []

    @property
    def atomic(self) -> bool:
        """Whether nothing of the revision at work is left once its transaction is rolled back."""
        return not self.committed and not self.uncertain

    def _settle(self) -> None:
        self.committed, self.in_doubt = self.committed + self.in_doubt, []
        if self.ending:
            self.spot, self.statement, self.committed, self.uncertain, self.ending = None, "", [], "", False


def remains(course: Course, standing: Sequence[str] | None, invalid: Sequence[str] = ()) -> str:
    """The state of the database after a try, in one sentence without its full stop.

    `standing` are the rows of the version table, or None where they could not be read.
    """
    revision = course.spot.revision if course.spot else "the revision"
    at = "its revision could not be read"
    if standing is not None:
        at = f"the database is at {', '.join(standing) or 'base'}"
    if course.unanswered and standing is None:
        return f"the answer to the COMMIT of {revision} was lost, and whether it was kept could not be read"
    if course.unanswered and standing is not None and _shows(course.unanswered, standing):
        return f"the answer to the COMMIT of {revision} was lost, but the step was kept; {at}"
    if course.atomic:
        what = f"nothing of {revision} was kept"
    else:
        parts = [f"committed: {statement}" for statement in course.committed]
        parts += [f"may have left something: {course.uncertain}"] if course.uncertain else []
        what = f"{revision} is half applied ({'; '.join(parts)})"
    if invalid:
        what += f"; invalid indexes: {', '.join(invalid)}"
    return f"{what}; {at}"


def _shows(statement: str, standing: Sequence[str]) -> bool:
    """Tell whether the version table is as this statement of Alembic's leaves it."""
    written = re.search(r"(?:VALUES \(|SET version_num\s*=\s*)'([^']*)'", statement)
    if written:
        return written[1] in standing
    deleted = re.search(r"version_num\s*=\s*'([^']*)'", statement)
    return deleted is not None and deleted[1] not in standing


def _spot() -> Spot | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if "down_revision" in frame.f_globals and "revision" in frame.f_globals:
            path = frame.f_code.co_filename.replace("\\", "/")
            return Spot(str(frame.f_globals["revision"]), "/".join(path.split("/")[-3:]), frame.f_lineno)
        frame = frame.f_back
    return None
