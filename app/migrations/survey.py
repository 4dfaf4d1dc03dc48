"""Looks at environments side by side: files, and databases where these answer. Starts no server, changes nothing."""

import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeVar

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from app.migrations import (
    environments,
    failures,
    journal,
    ownership,
    postmaster,
    server,
    sockets,
    status,
    targets,
    urls,
)
from app.migrations.environment_checks import File, Rights
from app.migrations.environment_rules import FROM_THE_PROCESS
from app.migrations.environments import Environment
from app.migrations.errors import MigrationError, Refused, Unreachable
from app.migrations.status import Status
from app.migrations.targets import Target

CONNECT_TIMEOUT = 3
"""Seconds that one address has to answer."""
WITHIN = 15.0
"""Seconds after which an environment is given up, whatever it waits for: a name server, several addresses, a lock."""
NO_ADDRESS, NOT_RUNNING, NOT_MADE, NO_ANSWER = "no address", "not running", "not made yet", "no answer"

T = TypeVar("T")
Connect = Callable[[str], Engine]
"""Makes an engine without a pool for a `postgresql+psycopg2://` URL."""


class Row(NamedTuple):
    """One environment. `problem` is why it was not read, in a word or two, and `detail` in a sentence."""

    name: str
    environment: Environment | None
    status: Status | None
    problem: str = ""
    detail: str = ""


class Surveyor(NamedTuple):
    """What looking needs besides a name; `process` holds the variables of this process."""

    root: Path
    process: Mapping[str, str]
    connect: Connect
    script: ScriptDirectory | None = None

    def look(self, name: str) -> Row:
        """Read the files of `name` and, with a history, its database; every error becomes a row."""
        try:
            environment = environments.load(self.root, name, self.process, need_url=False)
        except MigrationError as error:
            return self._unusable(name, error)
        if not environment.database_url:
            return Row(name, environment, None, NO_ADDRESS, "nothing names its database here")
        if self.script is None:
            return Row(name, environment, None)
        try:
            return self._ask(name, environment, self.script)
        except MigrationError as error:
            if is_unmade(environment, error):
                return Row(name, environment, None, NOT_MADE, "the private server makes it when it is needed")
            return Row(name, environment, None, few_words(error), error.message)

    def _ask(self, name: str, environment: Environment, script: ScriptDirectory) -> Row:
        target = running_target(self.root, environment)
        if target is None:
            return Row(name, environment, None, NOT_RUNNING, "the private server starts when it is needed")
        with failures.explained(target.place):
            engine = self.connect(impatient(target.url))
            return Row(name, environment, status.read(engine, script, target, self.root))

    def _unusable(self, name: str, error: MigrationError) -> Row:
        """Return the row of an environment that no command can use now; its policy, where the files still say it."""
        problem = "conflict" if isinstance(error, Refused) else "faulty file"
        own = {key: value for key, value in self.process.items() if key in FROM_THE_PROCESS}
        try:
            environment = environments.load(self.root, name, own, need_url=False)
        except MigrationError:
            return Row(name, None, None, problem, error.message)
        return Row(name, environment, None, problem, error.message)

    def late(self, name: str) -> Row:
        """Return the row of an environment that was given up."""
        row = self._replace(script=None).look(name)
        return row._replace(problem=NO_ANSWER, detail=f"its database did not answer within {WITHIN:.0f} s")


def at_once(
    names: Sequence[str], look: Callable[[str], T], late: Callable[[str], T], within: float = WITHIN
) -> list[T]:
    """Call `look` for every name in a thread of its own; after `within` seconds `late` answers for the missing.

    The threads end with the process: nothing waits for one that hangs. An error of `look` is raised here.
    """
    answers: SimpleQueue[tuple[str, T | BaseException]] = SimpleQueue()

    def answer(name: str) -> None:
        try:
            answers.put((name, look(name)))
        except BaseException as error:  # noqa: BLE001 -- raised again in the main thread
            answers.put((name, error))

    for name in names:
        threading.Thread(target=answer, args=(name,), daemon=True).start()
    found: dict[str, T] = {}
    deadline = time.monotonic() + within
    while len(found) < len(names):
        try:
            name, one = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            break
        if isinstance(one, BaseException):
            raise one
        found[name] = one
    return [found[name] if name in found else late(name) for name in names]


def running_target(root: Path, environment: Environment) -> Target | None:
    """Return the database of an environment as it is; None where it is on a private server that does not run."""
    url = environment.database_url
    described, name = urls.described(url), urls.embedded_name(url)
    if name is not None:
        data = root.absolute() / server.FOLDER / "data"
        if postmaster.find(data) is None:
            return None
        url = sockets.database_url(data, name)
    return Target(environment, url, described)


def impatient(url: str) -> str:
    """Return the URL with a short time to connect, whatever it says itself."""
    return targets.impatient(url, CONNECT_TIMEOUT)


def is_unmade(environment: Environment, error: MigrationError) -> bool:
    """Tell whether all that is wrong is that the private server has not made the database yet."""
    missing = re.search(r'database ".*" does not exist', error.message) is not None
    return missing and urls.embedded_name(environment.database_url) is not None


def few_words(error: MigrationError) -> str:
    """Return why a database was not read, in a word or two."""
    known = failures.cause(error.message)
    return known.words if known else ("unreachable" if isinstance(error, Unreachable) else "unreadable")


def read_files(root: Path, name: str, tracked: frozenset[str] | None) -> tuple[list[File], MigrationError | None]:
    """Read the files of `name` that are there; the error is of one that cannot be read.

    `tracked` is what git tracks; where it is None (no git here), the shared file counts as tracked.
    """
    files: list[File] = []
    for path in (f"envs/{name}.env", environments.local_path(name)):
        try:
            content = environments.read_file(root, path)
        except MigrationError as error:
            return files, error
        if content is not None:
            files.append(File(path, content, path in tracked if tracked is not None else path == f"envs/{name}.env"))
    return files, None


def tracked_files(root: Path) -> frozenset[str] | None:
    """Return which environment files git tracks; None where there is no git or no repository."""
    asked = ["git", "ls-files", "-z", "--", "envs", ".env"]
    try:
        done = subprocess.run(asked, cwd=root, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return frozenset(filter(None, done.stdout.split("\0")))


def ask_rights(connection: Connection) -> Rights:
    """Ask the server for its version and for the rights of the user, on a connection in autocommit."""
    schema = journal.home(connection)
    version, user, database = connection.execute(
        text("SELECT current_setting('server_version_num')::int, current_user, current_database()")
    ).one()
    if schema is None:
        return Rights(version, user, database, None, False, False, ())
    may_use, may_create = connection.execute(
        text(
            "SELECT has_schema_privilege(oid, 'USAGE'), has_schema_privilege(oid, 'CREATE')"
            " FROM pg_namespace WHERE oid = CAST(:schema AS regnamespace)"
        ),
        {"schema": schema},
    ).one()
    foreign = connection.execute(
        text(
            "SELECT relname, pg_get_userbyid(relowner) FROM pg_class"
            " WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind IN ('r', 'p')"
            " AND NOT pg_has_role(relowner, 'USAGE') ORDER BY 1"
        ),
        {"schema": schema},
    )
    tables = tuple((str(table), str(owner)) for table, owner in foreign)
    return Rights(version, user, database, schema, may_use, may_create, tables)


class Seen(NamedTuple):
    """What a database says of itself and lets us do."""

    rights: Rights
    examination: ownership.Examination


def inspect(target: Target, connect: Connect) -> Seen:
    """Ask a database for rights and identity. Raises Unreachable and ConfigurationError."""
    with failures.explained(target.place):
        engine = connect(impatient(target.url))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            return Seen(ask_rights(connection), ownership.examine(connection))
