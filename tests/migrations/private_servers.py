"""Private servers as the tests use them: quickly made, asked with SQL, counted by their processes."""

from contextlib import suppress
from pathlib import Path

from sqlalchemy import create_engine

from app.migrations import postmaster
from app.migrations.programs import Programs
from app.migrations.server import private_server
from app.migrations.startup import Server

OPEN = "print(server.open_database(private, 'app'), flush=True)"
"""For `children.start`."""


def quick_server(root: Path, programs: Programs) -> Server:
    """The private server, but initdb does not wait for the disk."""
    return private_server(root, programs)._replace(durable=False)


def query(url: str, statement: str) -> object:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.exec_driver_sql(statement)
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def pid_of(private: Server) -> int:
    found = postmaster.find(private.data)
    assert found is not None
    return found.pid


def postmasters(private: Server) -> set[int]:
    """The processes of the server whose parent is none of them."""
    mine = set(postmaster.processes(private.data))
    parents = {}
    for pid in mine:
        with suppress(FileNotFoundError):  # a backend that ends while we look
            parents[pid] = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return {pid for pid, parent in parents.items() if parent not in mine}
