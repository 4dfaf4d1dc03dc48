"""A project's own rows for one revision: tests/data/REV.sql or REV.py, run as they are."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.migrations import prepared

FOLDER = Path("tests/data")
FUNCTION = "rows"


class Unfilled(NamedTuple):
    """A table, by its qualified name, that holds no row, and why none could be made."""

    table: str
    reason: str


def run(connection: Connection, root: Path, revision: str) -> tuple[Unfilled, ...]:
    """Run the files of this revision, SQL first, each in a transaction of its own. Raises what ends the process."""
    found = []
    for suffix, action in ((".sql", _sql), (".py", _python)):
        path = root / FOLDER / f"{revision}{suffix}"
        if path.is_file():
            found += _run(connection, path, path.relative_to(root).as_posix(), action)
            if not connection.closed and not connection.invalidated:
                prepared.forget(cast("RawConnection", connection.connection.dbapi_connection))
    return tuple(found)


def _run(connection: Connection, path: Path, name: str, action: Callable[[Connection, Path], None]) -> list[Unfilled]:
    try:
        with connection.begin():
            action(connection, path)
    except Exception as error:  # noqa: BLE001 -- the file is the project's: whatever it raises is said, not hidden
        line = _line_of_sql(path, error) if path.suffix == ".sql" else _line_of_python(path, error)
        return [Unfilled(f"{name}:{line}", f"{type(_cause(error)).__name__}: {_first_line(error)}")]
    return []


def _sql(connection: Connection, path: Path) -> None:
    """Hand the file to the server in one piece: it splits the statements better than anybody else."""
    connection.exec_driver_sql(path.read_text(encoding="utf-8"), execution_options={"no_parameters": True})


def _python(connection: Connection, path: Path) -> None:
    names: dict[str, object] = {"__name__": f"tests.data.{path.stem}", "__file__": str(path)}
    exec(compile(path.read_bytes(), str(path), "exec"), names)  # noqa: S102 -- the project's own file
    function = names.get(FUNCTION)
    if not callable(function):
        raise LookupError(f"there is no function {FUNCTION}(connection) in it")
    function(connection)


def _cause(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig else error


def _first_line(error: BaseException) -> str:
    return (str(_cause(error)).strip() or repr(error)).splitlines()[0]


def _line_of_sql(path: Path, error: BaseException) -> int:
    """Return the line that the server points at; the first where it points at none."""
    cause = _cause(error)
    position = cause.diag.statement_position if isinstance(cause, psycopg2.Error) else None
    return 1 if position is None else path.read_text(encoding="utf-8").count("\n", 0, int(position) - 1) + 1


def _line_of_python(path: Path, error: BaseException) -> int:
    if isinstance(error, SyntaxError):
        return error.lineno or 1
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return (lines[-1] if lines else 1) or 1
