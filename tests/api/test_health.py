"""Readiness in each state of a real database, in the words of `inv db.status`."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from app.main import VERSION
from app.migrations import journal, runner, standing, status
from app.migrations.advisory import KEY
from tests.api.serving import Answer, Served, served
from tests.migrations.chains import ask, dsn
from tests.roads import target

ROOT = Path(__file__).resolve().parents[2]
HEAD, THIRD = "e5a72b8c9d0f", "a91f6d2c4b7e"
UPGRADE = "inv db.upgrade --env=docker"


def at(revision: str) -> Callable[[str], None]:
    def write(url: str) -> None:
        ask(url, f"UPDATE alembic_version SET version_num = '{revision}'")

    return write


def half_applied(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        journal.create(connection, "public")
    row = f"('{HEAD}', 'begun', now(), 'inv')"
    ask(url, f"INSERT INTO alembic_journal (revision, action, started_at, road) VALUES {row}")
    at(THIRD)(url)


def emptied(url: str) -> None:
    ask(url, "DELETE FROM alembic_version")


@contextmanager
def migrating(url: str) -> Iterator[None]:
    """Hold the database's migration lock, as a migration does."""
    with closing(psycopg2.connect(dsn(url))) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (KEY,))
        yield


def by_status(url: str) -> tuple[str, str]:
    """What `inv db.status` says."""
    engine = create_engine(url, poolclass=NullPool)
    read = status.read(engine, runner.history(ROOT), target(url), ROOT)
    cure = standing.cure("docker", read.standing, read.running)
    return standing.words(read.standing, read.running), cure


STATES = {
    "at the head": (at(HEAD), "at head", "at head"),
    "behind": (at(THIRD), "behind", "behind, 1 revision pending"),
    "with an empty version table": (emptied, "no revision applied", "no revision applied, 4 revisions pending"),
    "ahead of the code": (at("f00df00df00d"), *["at a revision that this checkout does not have"] * 2),
    "half applied": (
        half_applied,
        "half applied",
        f"revision {HEAD} was begun and never ended: half of it is committed",
    ),
}


@pytest.mark.parametrize(("make", "state", "words"), STATES.values(), ids=STATES)
def test_readiness_is_told_in_the_words_of_status(
    make: Callable[[str], None], state: str, words: str, migrated: str
) -> None:
    make(migrated)
    with served(migrated) as app:
        answer = app.ask()
    ready = state == "at head"
    assert (answer.code, answer.body["status"]) == ((200, "ready") if ready else (503, "not ready"))
    assert (answer.body["state"], answer.body["standing"]) == (state, words)
    assert (words, answer.body["next"] or UPGRADE) == by_status(migrated)


def test_a_database_without_a_version_table_is_empty(database: str) -> None:
    with served(database) as app:
        for _ in range(2):
            body = app.ask().body
            assert body["standing"] == "no revision applied, 4 revisions pending"
            assert [one["revision"] for one in body["pending"]][-1] == HEAD
            assert body["next"] == UPGRADE
        ask(database, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        ask(database, f"INSERT INTO alembic_version VALUES ('{HEAD}')")
        assert app.ask().code == 200
        ask(database, "DROP TABLE alembic_version")
        assert app.ask().body["state"] == "no revision applied"


def test_a_migration_that_runs_is_named_and_does_not_stop_who_is_ready(migrated: str) -> None:
    with served(migrated) as app, migrating(migrated):
        assert (app.ask().code, app.ask().body["standing"]) == (200, "at head; a migration is running")
        at(THIRD)(migrated)
        answer = app.ask()
        assert (answer.code, answer.body["migration_running"]) == (503, True)
        assert answer.body["standing"] == "behind, 1 revision pending; a migration is running"
        assert answer.body["next"] == "wait for its end: `inv db.status --env=docker` shows it"
        assert (answer.body["standing"], answer.body["next"]) == by_status(migrated)


def test_the_lock_of_another_program_is_no_migration(migrated: str) -> None:
    with closing(psycopg2.connect(dsn(migrated))) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s), pg_advisory_lock(1, 2)", (KEY + 1,))
        with served(migrated) as app:
            assert app.ask().body["migration_running"] is False


def test_a_role_that_may_not_read_is_told_so(migrated: str) -> None:
    role = f"reader_of_{make_url(migrated).database}"[:60]
    ask(migrated, f"CREATE ROLE {role} LOGIN")
    try:
        url = make_url(migrated).set(username=role).render_as_string(hide_password=False)
        with served(url) as app:
            refused = app.ask()
            assert (refused.code, refused.body["standing"]) == (503, "no right to read alembic_version")
            ask(migrated, f"GRANT SELECT ON alembic_version TO {role}")
            assert app.ask().code == 200
            half_applied(migrated)  # which it may not read either: then it counts as for db.status
            assert app.ask().body["standing"] == "behind, 1 revision pending"
            ask(migrated, f"REVOKE SELECT ON alembic_version FROM {role}")
            assert app.ask().body["standing"] == "no right to read alembic_version"
    finally:
        ask(migrated, f"DROP OWNED BY {role}")
        ask(migrated, f"DROP ROLE {role}")


def test_live_asks_nobody() -> None:
    with served("postgresql+psycopg2://nobody@127.0.0.1:1/nowhere") as app:
        answer = app.ask("/health/live")
        assert (answer.code, answer.body) == (200, {"status": "alive"})


SECRET = "s3cr3t-of-the-database"


def test_no_answer_and_no_line_of_the_log_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    url = f"postgresql+psycopg2://someone:{SECRET}@127.0.0.1:1/nowhere"
    with served(url) as app:
        answer = app.ask()
    assert answer.code == 503
    assert (answer.body["state"], answer.body["standing"]) == ("unreachable", "unreachable: refused")
    shown = answer.text + "".join(answer.headers.values())
    assert [word for word in (SECRET, "someone", "127.0.0.1", "nowhere") if word in shown] == []
    assert 'database "nowhere" on 127.0.0.1:1' in caplog.text
    assert SECRET not in caplog.text


@pytest.fixture(scope="module")
def apart() -> Iterator[Served]:
    """An application whose database is away."""
    with served("postgresql+psycopg2://nobody@127.0.0.1:1/nowhere") as app:
        yield app


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/openapi.json", "/", "/health", "/nowhere/../x"])
def test_every_answer_but_the_page_is_json(path: str, apart: Served) -> None:
    answer = apart.ask(path)
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.body, dict)


def test_what_is_not_there_is_not_found(apart: Served) -> None:
    answer = apart.ask("/health/nothing")
    assert (answer.code, answer.body) == (404, {"detail": "Not Found"})
    assert apart.ask("/health/ready", "POST").code == 405


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_head_is_get_without_a_body(path: str, apart: Served) -> None:
    got, head = apart.ask(path), apart.ask(path, "HEAD")
    assert (head.code, head.text) == (got.code, "")
    assert {key: head.headers[key] for key in ("content-type", "content-length", "cache-control")} == {
        "content-type": "application/json",
        "content-length": got.headers["content-length"],
        "cache-control": "no-store",
    }


def test_the_page_shows_the_document(apart: Served) -> None:
    page: Answer = apart.ask("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "/openapi.json" in page.text
    document = apart.ask("/openapi.json").body
    assert list(document["paths"]) == ["/health/live", "/health/ready"]
    assert list(document["paths"]["/health/ready"]["get"]["responses"]) == ["200", "503"]
    assert document["info"]["version"] == VERSION
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text()


SERVES = """
import sys, threading, urllib.request, urllib.error, uvicorn
from app.main import application
server = uvicorn.Server(uvicorn.Config(application, factory=True, host="127.0.0.1", port=0, log_level="error"))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started and thread.is_alive():
    pass
port = server.servers[0].sockets[0].getsockname()[1]
print(urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready").status)
server.should_exit = True
thread.join()
print(sorted({name.split(".")[0] for name in sys.modules} & {"alembic", "mako", "invoke", "rich", "pytest"}))
"""


def test_the_process_that_serves_has_not_loaded_alembic(migrated: str) -> None:
    environment = {"DATABASE_URL": migrated, "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SERVES],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split("\n"), done.stderr) == (["200", "[]", ""], "")
