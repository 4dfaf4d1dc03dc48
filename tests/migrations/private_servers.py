"""Private servers as the tests use them: quickly made, asked with SQL, counted by their processes."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from app.migrations import postmaster, server
from app.migrations.programs import Programs, find_server_programs
from app.migrations.server import private_server
from app.migrations.startup import Server

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")

OPEN = "print(server.open_database(private, 'app'), flush=True)"
"""For `children.start`."""


def quick_server(root: Path, programs: Programs) -> Server:
    """The private server, but initdb does not wait for the disk."""
    return private_server(root, programs)._replace(durable=False)


@contextmanager
def fifteen(root: Path) -> Iterator[str]:
    """Yield the URL of an empty database of PostgreSQL 15 with contrib, on a server below `root`; skip without one."""
    if not DEBIAN_15.is_dir():
        pytest.skip("no PostgreSQL 15 on this machine")
    try:
        yield server.open_database(quick_server(root, find_server_programs(str(DEBIAN_15), 15)), "app")
    finally:
        server.stop_all(root)


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
