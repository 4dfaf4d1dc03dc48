"""What the error of a step says: the server's sentence, the line of the revision, the table whose rows it is about."""

from alembic import op
from psycopg2 import Error
from sqlalchemy.exc import DBAPIError

from app.migrations.failures import migration_frame
from app.migrations.project import Project
from app.migrations.project_stubs import StandIn, stands_in
from app.migrations.roundtrip_findings import Told

LONGEST = 400
MOST_NAMED = 5


def told(error: BaseException, project: Project) -> Told:
    """Return an error as a value; where the server lacks something, with the way out that the project knows."""
    hint = project.explain(error)[1]
    hint = hint if "SCRATCH_URL" in hint else ""
    frame = migration_frame(error) if isinstance(error, Exception) else None
    line = frame[1] if frame else 0
    if not isinstance(error, DBAPIError):
        text = " ".join(str(error).split())
        name = type(error).__name__
        return Told(text if name == "LeftError" else f"{name}: {text}" if text else name, line, hint=hint)
    diagnosis = getattr(error.orig, "diag", None)
    return Told(
        _sentence(error), line, _code(error), _part(diagnosis, "table_name"), _part(diagnosis, "column_name"), hint
    )


def stand_ins(error: BaseException, project: Project) -> str | None:
    """Return why an error is not the revision's: it works with what empty modules hold; None where it is its own.

    Errors of the server count only where they are about such a value: what else it refuses, it always would.
    """
    found = migration_frame(error) if project.stubbed and isinstance(error, Exception) else None
    if found is None:
        return None
    registers = isinstance(error, AttributeError) and error.obj is op  # a module that is imported for op.its_own()
    used = not isinstance(error, DBAPIError) and any(map(stands_in, found[0].f_globals.values()))
    if not (registers or used or StandIn.__name__ in str(error)):
        return None
    names = ", ".join(project.stubbed[:MOST_NAMED]) + (", ..." if len(project.stubbed) > MOST_NAMED else "")
    return f"it needs more than empty modules in the place of {names}: {told(error, project).text}; install them"


def _sentence(error: DBAPIError) -> str:
    """Return what the server says, with its detail, on one line."""
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    text = lines[0] if lines else type(error.orig).__name__
    detail = next((line for line in lines[1:] if line.startswith("DETAIL:")), "")
    return f"{text} {detail}".strip()[:LONGEST]


def _code(error: DBAPIError) -> str:
    return str(error.orig.pgcode or "") if isinstance(error.orig, Error) else ""


def _part(diagnosis: object, name: str) -> str:
    return str(getattr(diagnosis, name, None) or "")
