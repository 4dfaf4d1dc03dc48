"""Private servers in folders of their own."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.migrations import server
from app.migrations.programs import Programs, find_server_programs
from app.migrations.server import open_database, private_server, stop, stop_all
from app.migrations.startup import Server
from tests.migrations.chains import Chain, ask
from tests.migrations.private_servers import quick_server


@pytest.fixture(scope="session")
def programs(pg: int) -> Programs:
    return find_server_programs(major=pg)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """A folder whose servers are stopped afterwards."""
    yield tmp_path
    for place in {path.parents[1] for path in tmp_path.rglob(server.FOLDER + "/*.lock")}:
        stop_all(place)
    shutil.rmtree(tmp_path)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, programs: Programs) -> Iterator[Path]:
    """A data folder to copy, with the database `app` in it: initdb takes its time."""
    place = tmp_path_factory.mktemp("made")
    open_database(quick_server(place, programs), "app")
    stop_all(place)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def own(empty: Path, made: Path, programs: Programs) -> Server:
    """A private server of this test alone, that has been in use before and is not running."""
    shutil.copytree(made, empty, dirs_exist_ok=True)
    return private_server(empty, programs)


@pytest.fixture(scope="module")
def used(made: Path, programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("used")
    shutil.copytree(made, place, dirs_exist_ok=True)
    yield private_server(place, programs)
    stop_all(place)
    shutil.rmtree(place)


@pytest.fixture
def private(used: Server) -> Server:
    """A private server that other tests use too, one after the other, and that is not running."""
    stop(used)
    return used


@pytest.fixture
def chain(tmp_path: Path, database: str) -> Iterator[Chain]:
    """An empty history of the test's own, on a database with one table."""
    ask(database, "CREATE TABLE t (a int)")
    with closing(Chain(tmp_path, database)) as chain:
        yield chain
