"""What the doctor has read of the code and of the database, as values. Never reads anything itself.

None, or an empty value, stands for what could not be read or was not asked, because something before it is wrong.
"""

import shlex
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from app.migrations.errors import MigrationError
from app.migrations.headers import Fault
from app.migrations.history import History
from app.migrations.identity import Verdict


class Reach(NamedTuple):
    """How the environment's database is named in commands. `conninfo` holds no secret."""

    environment: str
    conninfo: str = ""
    psql: str = "psql"

    def inv(self, task: str, *words: str) -> str:
        """Return a command of this repository."""
        return shlex.join(["inv", task, *words, *([f"--env={self.environment}"] if self.environment else [])])

    def sql(self, *statements: str, user: str = "") -> str:
        """Return a command that runs statements one by one in one session, as another `user` where one is named."""
        escaped = user.replace("\\", "\\\\").replace("'", "\\'")
        conninfo = f"{self.conninfo} user='{escaped}'" if user else self.conninfo
        return shlex.join([self.psql, "-X", conninfo, *(word for one in statements for word in ("-c", one))])


class GitFile(NamedTuple):
    """A revision's file in some commit; `path` is from the root of the repository."""

    commit: str
    path: str


class Code(NamedTuple):
    """The history in the code. `twins` are ids whose files say the same, `in_git` what git knows of lost ones."""

    history: History
    faults: tuple[Fault, ...] = ()
    broken: MigrationError | None = None
    twins: frozenset[str] = frozenset()
    in_git: Mapping[str, GitFile] = MappingProxyType({})

    @property
    def is_whole(self) -> bool:
        """Return whether Alembic can load it."""
        history = self.history
        faulty = self.faults or history.missing or history.duplicates or history.cycles or history.clashes
        return self.broken is None and not faulty


class Server(NamedTuple):
    """What the server says. `version` is server_version_num; `read_only` where default_transaction_read_only is set.

    `home` is the schema of the version table, or where it would be made; `creates_in` the schema of new tables;
    `path_set_by` the source of search_path in the words of pg_settings.
    """

    version: int
    user: str
    database: str
    standby: bool
    read_only: str
    search_path: str
    path_set_by: str
    creates_in: str | None
    home: str | None


class VersionTable(NamedTuple):
    """One alembic_version. `rows` is None where this role may not read it; `used` that the commands find it.

    `company` is how many other relations stand in its schema, ours aside.
    """

    schema: str
    rows: tuple[str, ...] | None
    used: bool
    on_path: bool
    company: int


class Lack(NamedTuple):
    """A right that this role does not have, what fails without it, and the statement by which role grants it."""

    words: str
    statement: str
    by: str


class Trace(NamedTuple):
    """What the journal says about a revision: `at` in UTC, `left` what a failure said that it left behind."""

    revision: str
    action: str
    at: str
    who: str
    commit: str | None
    changed: bool
    has_source: bool
    left: str = ""


class Blocking(NamedTuple):
    """A session or a prepared transaction in the way, in words, and the SQL that ends it."""

    described: str
    ending: str


class Migration(NamedTuple):
    """A migration at work: who holds its lock, what its statement waits for, and whose transactions are in the way.

    Where it is between two tries, and nothing can be seen to wait, `suspects` are the oldest open transactions.
    """

    holder: Blocking
    waits_for: str = ""
    blockers: tuple[Blocking, ...] = ()
    suspects: tuple[Blocking, ...] = ()


class InvalidIndex(NamedTuple):
    """An index that is not valid and that nobody is building now; `bound` to a constraint or to an index above it.

    `name` and `table` have their schema; `key` is how a catalog names the index.
    """

    oid: int
    name: str
    table: str
    key: str
    definition: str
    bound: bool


class Edited(NamedTuple):
    """A revision whose file is not what was applied."""

    revision: str
    path: str
    applied_at: str


class Drift(NamedTuple):
    """How the schema differs from that of its revision, in words; `validate` are the statements that validate.

    `why_not` is why it was not looked at.
    """

    differences: tuple[str, ...] = ()
    validate: tuple[tuple[str, str], ...] = ()
    why_not: str = ""


class Database(NamedTuple):
    """All that was read from the target."""

    server: Server
    verdict: Verdict | None = None
    identity_unreadable: bool = False
    lacks: tuple[Lack, ...] = ()
    tables: tuple[VersionTable, ...] = ()
    locked_by: tuple[Blocking, ...] = ()
    filled: tuple[str, ...] = ()
    migration: Migration | None = None
    orphans: tuple[Blocking, ...] = ()
    prepared: tuple[Blocking, ...] = ()
    traces: Mapping[str, Trace] = MappingProxyType({})
    begun: tuple[Trace, ...] = ()
    invalid: tuple[InvalidIndex, ...] = ()
    edited: tuple[Edited, ...] = ()
    drift: Drift = Drift()
    leftovers: tuple[str, ...] = ()

    @property
    def version(self) -> VersionTable | None:
        """Return the version table that the commands use."""
        return next((table for table in self.tables if table.used), None)

    @property
    def rows(self) -> tuple[str, ...]:
        """Return what it holds, as far as it can be read."""
        return (self.version.rows or ()) if self.version else ()

    @property
    def in_doubt(self) -> bool:
        """Return whether it is being changed, or cannot be read: what is in it may be different in a moment."""
        return self.migration is not None or bool(self.orphans or self.locked_by)


class Symptoms(NamedTuple):
    """Everything. `unusable` is why the environment's files cannot be used, `silent` why its database was not read.

    `pooled` is the refusal of a pooler that shares sessions: behind it nothing that is read can be relied on.
    """

    reach: Reach
    code: Code
    unusable: MigrationError | None = None
    silent: MigrationError | None = None
    pooled: MigrationError | None = None
    database: Database | None = None
