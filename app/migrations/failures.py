"""Turns what SQLAlchemy, psycopg2 and a failing migration raise into an error that a person can act on.

Decides on the exception alone: opens no connection and reads no file.
"""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError, OperationalError

from app.migrations.errors import ConfigurationError, MigrationError, MigrationFailed, Unreachable

START_IT = "start the server or correct the address ({url}), then {status}"


class Cause(NamedTuple):
    """What libpq's message means in a word or two, and what to do about it; `hint` may name {url} and {status}."""

    words: str
    pattern: re.Pattern[str]
    hint: str


CAUSES = tuple(
    Cause(words, re.compile(pattern), hint)
    for words, pattern, hint in (
        ("refused", r"Connection refused", START_IT),
        ("no such host", r"could not translate host name", "correct the host name: {url}"),
        ("timeout", r"timeout expired|timed out", START_IT),
        ("wrong password", r"password authentication failed|no password supplied", "correct the password: {url}"),
        ("no such role", r"role .* does not exist|is not permitted to log in", "correct the user: {url}"),
        (
            "no such database",
            r"database .* does not exist",
            "correct the name of the database ({url}), or create it there with createdb",
        ),
        ("no CONNECT", r"permission denied for database", "GRANT CONNECT on the database to this user"),
        ("pg_hba.conf", r"no pg_hba\.conf entry", "let this host and user in: pg_hba.conf of the server"),
        ("starting", r"starting up|shutting down|recovery mode", "wait for the server, then {status}"),
        ("no socket", r"No such file or directory", START_IT),
        ("TLS", r"certificate|SSL|sslmode", "check sslmode and sslrootcert: {url}"),
        (
            "full",
            r"too many (clients|connections)|remaining connection slots",
            "end idle sessions, then {status}",
        ),
    )
)
CONNECTION_LOST = frozenset({"57P01", "57P02", "57P03", "08000", "08003", "08006"})
NO_PERMISSION = "42501"


class Place(NamedTuple):
    """The database, in words: how messages name it, and the environment to paste into commands."""

    described: str
    environment: str | None

    @property
    def status(self) -> str:
        """Return the command that shows where this database stands."""
        return f"inv db.status --env={self.environment}" if self.environment else "alembic current"

    @property
    def url(self) -> str:
        """Return where the address of this database is written."""
        if self.environment is None:
            return "DATABASE_URL in this shell"
        local = ".env" if self.environment == "dev" else f"envs/{self.environment}.local.env"
        return f"DATABASE_URL in {local} or in the environment"


@contextmanager
def explained(place: Place) -> Iterator[None]:
    """Raise `Unreachable`, `ConfigurationError` or `MigrationFailed` in place of what the block raises.

    What is neither the database's nor a migration's fault passes unchanged.
    """
    try:
        yield
    except MigrationError:
        raise
    except Exception as error:
        explanation = explain(error, place)
        if explanation is None:
            raise
        raise explanation from error


def explain(error: Exception, place: Place) -> MigrationError | None:
    """Return the error to show for `error`, or None when it is a bug or Alembic's own refusal."""
    frame = migration_frame(error)
    if frame is not None:
        return _failed(error, frame, place)
    if not isinstance(error, DBAPIError):
        return None
    code = _sqlstate(error)
    by_libpq = code is None and isinstance(error, OperationalError)
    if by_libpq or error.connection_invalidated or code in CONNECTION_LOST:
        return unreachable(error, place)
    if code == NO_PERMISSION:
        return ConfigurationError(
            f"{place.described}: {_server_message(error)}; nothing was changed",
            "have the owner of the database grant it (for a schema: GRANT USAGE, CREATE ON SCHEMA ... TO ...)",
        )
    return None


def unreachable(error: DBAPIError, place: Place) -> Unreachable:
    """Say in one line why the database cannot be reached; libpq repeats itself for every address it tried."""
    text = _server_message(error)
    if error.connection_invalidated:  # it had been reached
        return Unreachable(
            f"{place.described}: the connection was lost: {text}",
            f"`{place.status}` shows whether the server answers and where the database stands; then repeat the command",
        )
    found = cause(text)
    hint = found.hint if found else START_IT
    return Unreachable(
        f"{place.described} cannot be reached: {text}", hint.format(url=place.url, status=f"`{place.status}`")
    )


def cause(message: str) -> Cause | None:
    """Return what a message of libpq means, or None where it is none of the usual ones."""
    return next((one for one in CAUSES if one.pattern.search(message)), None)


def _failed(error: Exception, frame: tuple[FrameType, int], place: Place) -> MigrationFailed:
    where, line = frame
    path = "/".join(where.f_code.co_filename.replace("\\", "/").split("/")[-3:])
    revision = where.f_globals["revision"]
    text = _server_message(error) if isinstance(error, DBAPIError) else f"{type(error).__name__}: {error}"
    return MigrationFailed(
        f"{place.described}: revision {revision} failed at {path}:{line}: {text}; the revisions before it stay applied",
        f"`{place.status}` shows where the database stands; correct {path}, then go on with the same command",
    )


def migration_frame(error: BaseException) -> tuple[FrameType, int] | None:
    """Return the innermost frame of a revision's own code: a module that has a revision and a parent."""
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if {"revision", "down_revision"} <= frame.f_globals.keys():
            found = frame, line
    return found


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "pgcode", None)


def _server_message(error: DBAPIError) -> str:
    """Return the first sentence of the server or of libpq, on one line, with SQLSTATE where there is one."""
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    text = lines[0] if lines else type(error.orig).__name__
    detail = next((line for line in lines[1:] if line.startswith("DETAIL:")), "")
    code = _sqlstate(error)
    return " ".join(part for part in (text, detail, f"[{code}]" if code else "") if part)
