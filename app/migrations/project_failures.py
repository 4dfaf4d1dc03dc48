"""Says in two sentences why a revision of any project failed on a scratch database. Never connects, reads no file."""

import re
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from app.migrations.errors import MigrationError
from app.migrations.failures import migration_frame
from app.migrations.redaction import redact

EXTENSION = re.compile(
    r'extension "([^"]+)" is not available|could not open extension control file "[^"]*/([^/"]+)\.control'
)
LIBRARY = re.compile(r'could not (?:access file|load library) "([^"]+)"')
ROLE = re.compile(r'role "([^"]+)" does not exist')


def explain(error: BaseException, installed: str = "") -> tuple[str, str]:
    """Return what happened, and the next command: for what a server lacks, else for what the revision does.

    `installed` is a folder of PostgreSQL's programs on this machine, to be named where it could help.
    """
    if isinstance(error, MigrationError):
        return error.message, error.hint
    for each in _causes(error):
        if isinstance(each, DBAPIError) and (lacking := _lacking(str(each.orig), installed)):
            return redact(_where(error) + lacking[0]), lacking[1]
    return redact(_where(error) + _said(error)), "correct it there, and the same command again"


def _lacking(text: str, installed: str) -> tuple[str, str] | None:
    there = "on the server of the scratch databases"
    elsewhere = (
        f"PG_BIN={installed or 'FOLDER'} (an installed PostgreSQL, which is run privately) or SCRATCH_URL=URL of a"
        " server that has it, and the same command again"
    )
    if found := EXTENSION.search(text):
        return f'the extension "{found[1] or found[2]}" is not {there}', elsewhere
    if found := LIBRARY.search(text):
        return f'the library "{found[1]}" is not {there}', elsewhere
    if found := ROLE.search(text):
        return (
            f'the role "{found[1]}" is not {there}',
            "have the revision create it where it is missing, or SCRATCH_URL=URL of a server that has it, and the same"
            " command again",
        )
    return None


def _where(error: BaseException) -> str:
    found = migration_frame(error)
    if found is None:
        return ""
    frame, line = found
    path = "/".join(frame.f_code.co_filename.replace("\\", "/").split("/")[-3:])
    return f"revision {frame.f_globals['revision']} failed at {path}:{line}: "


def _said(error: BaseException) -> str:
    if isinstance(error, DBAPIError):
        first = next((line.strip() for line in str(error.orig).splitlines() if line.strip()), type(error.orig).__name__)
        code = getattr(error.orig, "pgcode", None)
        statement = " ".join(str(error.statement or "").split())
        during = f", in {statement[:200]}" if statement else ""
        return f"{first}{f' [{code}]' if code else ''}{during}"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
