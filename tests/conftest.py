"""Options, and databases of a real PostgreSQL: the private scratch server of this repository."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from app.migrations import scratch, server
from tests import mounts
from tests.clones import Clone, build_head, copy_tree, history_key

ROOT = Path(__file__).resolve().parents[1]
hypothesis.settings.register_profile("anywhere", deadline=None)  # how long an example takes says what else runs here
hypothesis.settings.load_profile("anywhere")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pg", type=int, choices=(16, 18), default=18, help="major version of the PostgreSQL tested on")
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")


def pytest_configure() -> None:
    """Take Ctrl-C again: who runs the suite with `&` in a script has us and what we start ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header(config: pytest.Config) -> str:
    slow = "run" if config.getoption("--slow") else "left out, --slow runs them"
    where = "the server of SCRATCH_URL" if os.environ.get("SCRATCH_URL") else f"PostgreSQL {config.getoption('--pg')}"
    return f"{where}; slow tests: {slow}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
    if os.environ.get("SCRATCH_URL"):
        for item in items:
            if item.get_closest_marker("private"):
                item.add_marker(pytest.mark.skip(reason="about the private server, and SCRATCH_URL names another"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def pg(pytestconfig: pytest.Config) -> int:
    """The major version that was asked for."""
    return int(pytestconfig.getoption("--pg"))


@pytest.fixture(scope="session")
def scratch_admin(root: Path, pg: int) -> str:
    """The URL from which scratch databases are made: an exported SCRATCH_URL's, else the private server's."""
    return scratch.admin_url(root, os.environ.get("SCRATCH_URL") or scratch.EMBEDDED, major=pg)


@pytest.fixture
def database(scratch_admin: str) -> Iterator[str]:
    """The URL of an empty database of this test alone."""
    with scratch.database(scratch_admin) as url:
        yield url


@pytest.fixture
def migrated(scratch_admin: str) -> Iterator[str]:
    """The URL of a database of this test alone, at the head of the history."""
    key = history_key(ROOT)
    template = scratch.template(scratch_admin, key, lambda url: build_head(ROOT, url))
    with scratch.database(scratch_admin, template) as url:
        yield url


@pytest.fixture
def clone(tmp_path: Path, scratch_admin: str) -> Iterator[Clone]:
    """A copy of the working tree, which shares our scratch server; its own private servers are stopped afterwards."""
    copy = Clone(copy_tree(tmp_path / "clone"))
    copy.environment["SCRATCH_URL"] = scratch_admin
    copy.remember(ROOT)
    yield copy
    server.stop_all(copy.folder)


@pytest.fixture
def read_only(clone: Clone) -> Iterator[Path]:
    """The clone again, mounted read-only: permissions alone do not stop root."""
    if os.geteuid():
        clone.folder.chmod(0o555)
        yield clone.folder
        clone.folder.chmod(0o755)
        return
    with mounts.mounted(clone.folder.parent / "read-only", *mounts.read_only(clone.folder)) as place:
        yield place
