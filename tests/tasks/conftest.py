"""A server that asks for a password."""

from collections.abc import Iterator
from urllib.parse import quote

import psycopg2
import pytest
from sqlalchemy import make_url

from app.migrations import server
from app.migrations.programs import find_server_programs
from tests.migrations.children import await_condition
from tests.roads import ask


@pytest.fixture(scope="session")
def scram(tmp_path_factory: pytest.TempPathFactory, pg: int) -> Iterator[str]:
    """The URL, with a gap for the password, of a server that asks `me` for one: "right" is the right one."""
    root = tmp_path_factory.mktemp("scram")
    private = server.private_server(root, find_server_programs(major=pg))._replace(durable=False)
    url = server.open_database(private, "app")
    ask(url, "CREATE ROLE me LOGIN PASSWORD 'right'")
    (private.data / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    ask(url, "SELECT pg_reload_conf()")
    host = make_url(url).query["host"]

    def asks() -> bool:
        try:
            psycopg2.connect(host=host, user="me", dbname="app", password="wrong").close()
        except psycopg2.OperationalError:
            return True
        return False

    await_condition(asks)
    yield f"postgresql://me:{{}}@/app?host={quote(str(host))}"
    server.stop_all(root)
