import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from app.migrations import archives, backup, catalog, child, clients, scratch, snapshot
from app.migrations.dump_progress import Progress
from app.migrations.errors import ConfigurationError, MigrationError, Refused
from app.migrations.quoting import quoted
from app.migrations.snapshot import Snapshot
from tests.migrations import rich_schema, sites
from tests.migrations.chains import ask, dsn, until
from tests.migrations.sites import ROOT, site

SHOP = """
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
INSERT INTO users (name) SELECT 'user ' || g FROM generate_series(1, 2000) g;
CREATE TABLE "Ægir's ""orders"" 100%" AS SELECT g AS "=x" FROM generate_series(1, 30) g;
CREATE TABLE alembic_version AS SELECT 'abc123'::text AS version_num;
SELECT lo_from_bytea(0, 'large');
"""


def test_a_backup_is_whole_closed_to_others_and_says_what_is_inside(database: str, tmp_path: Path) -> None:
    ask(database, SHOP)
    before = os.umask(0)
    try:
        made = site(tmp_path / "été 100%", database).make()
    finally:
        os.umask(before)
    described = made.readable()
    assert described.rows == {
        "public.users": 2000,
        'public."Ægir\'s ""orders"" 100%"': 30,
        "public.alembic_version": 1,
    }
    assert (described.revisions, described.large_objects) == (("abc123",), 1)
    assert described.sequences["public.users_id_seq"] == (2000, True)
    assert made.name.endswith("_abc123")
    assert archives.listed(tmp_path / "été 100%", "prod") == [made]
    assert archives.check(made) == []
    held = catalog.from_document(json.loads((made.folder / "catalog.json").read_text()))
    assert catalog.fingerprint(held) == described.fingerprint
    modes = {path.stat().st_mode & 0o777 for path in made.folder.rglob("*") if path.is_file()}
    assert (modes, made.dump.stat().st_mode & 0o777) == ({0o600}, 0o700)


def test_writes_go_on_during_the_dump_and_the_counts_are_those_of_the_dump(
    scratch_admin: str, database: str, tmp_path: Path
) -> None:
    ask(database, SHOP)
    over, written = threading.Event(), 0

    def write() -> None:
        nonlocal written
        with closing(psycopg2.connect(dsn(database))) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while not over.is_set():
                cursor.execute("INSERT INTO users (name) VALUES ('new')")
                cursor.execute("DELETE FROM users WHERE id = (SELECT min(id) FROM users) AND random() < 0.3")
                written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(lambda: written > 50, "rows were written")
        place = site(tmp_path, database, scratch_url=scratch_admin)
        before = written
        made = place.make()
        assert written > before
    finally:
        over.set()
        writer.join()
    assert place.prove(made).differences == ()


@pytest.mark.parametrize("name", ["MassaCorp", 'l\'été "=" \\ 100%'], ids=["upper case", "quotes and more"])
def test_a_database_is_dumped_whatever_its_name(scratch_admin: str, name: str, tmp_path: Path) -> None:
    name = f"{name} {os.getpid()}"
    with closing(scratch.connect(scratch_admin)) as connection, connection.cursor() as cursor:
        sql_name = quoted(name)
        cursor.execute(f"CREATE DATABASE {sql_name}")
        try:
            url = make_url(scratch_admin).set(database=name).render_as_string(hide_password=False)
            ask(url, "CREATE TABLE t AS SELECT 1")
            described = site(tmp_path, url).make().readable()
            assert (described.database, described.rows) == (name, {"public.t": 1})
        finally:
            cursor.execute(f"DROP DATABASE {sql_name} WITH (FORCE)")


def test_the_password_is_in_no_argument_and_in_no_file(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s3cret-of-the-shop"
    url = make_url(database).set(password=secret).render_as_string(hide_password=False)
    seen: list[str] = []
    real = child.run

    def watched(command: list[str], *others: object) -> None:
        seen.extend(command)
        real(command, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(child, "run", watched)
    made = site(tmp_path, url).make()
    assert seen
    assert [word for word in seen if secret in word] == []
    assert [path for path in made.folder.rglob("*.json") if secret in path.read_text()] == []


def test_progress_ends_with_all_bytes_of_the_tables(database: str, tmp_path: Path) -> None:
    ask(database, SHOP)
    told: list[Progress] = []
    place = site(tmp_path, database, backup_jobs=2)
    backup.make(ROOT, place.target, place.engine, told.append)
    assert told[-1].done == told[-1].total > 0
    assert "public.users" in {name for progress in told for name in progress.doing.split(", ")}


def test_ddl_that_waits_for_a_table_is_not_queued_behind_for_ever(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(database, SHOP)
    monkeypatch.setattr(snapshot, "LOCK_WAIT", 1)
    place = site(tmp_path, database, backup_jobs=2)
    with closing(psycopg2.connect(dsn(database))) as ddl:
        waiting = threading.Thread(target=_alter, args=(ddl,))
        with snapshot.taken(place.engine, place.target.place):
            waiting.start()
            until(lambda: ask(database, "SELECT 1 FROM pg_locks WHERE NOT granted"), "the DDL waits")
            with pytest.raises(Refused, match=r"in ACCESS EXCLUSIVE, or waited to"):
                place.make()
        waiting.join()
    assert list(tmp_path.rglob("*.dat*")) == []
    assert archives.listed(tmp_path, "prod") == []


def _alter(connection: "psycopg2.extensions.connection") -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE users ADD extra int")


def test_a_limit_of_file_sizes_is_explained_and_nothing_is_left(database: str, tmp_path: Path) -> None:
    ask(database, SHOP)
    ask(database, "CREATE TABLE noise AS SELECT md5(random()::text) FROM generate_series(1, 40000)")
    process = sites.start(
        tmp_path, database, "embedded", preexec_fn=lambda: __import__("resource").setrlimit(1, (300_000, 300_000))
    )
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "ConfigurationError" in err
    assert "no backup was made" in err
    assert archives.listed(tmp_path, "prod") == []
    assert [path for path in tmp_path.rglob("*") if path.is_dir() and path.name != "prod"] == []


@pytest.mark.private
def test_a_table_of_an_extensions_own_is_left_to_the_extension(database: str, tmp_path: Path) -> None:
    ask(database, "CREATE EXTENSION vector; CREATE TABLE t (v vector(2)); INSERT INTO t VALUES ('[1,2]')")
    described = site(tmp_path, database).make().readable()
    assert (described.rows, sorted(described.extensions)) == ({"public.t": 1}, ["plpgsql", "vector"])


def test_the_rich_schema_is_backed_up_and_proven(scratch_admin: str, tmp_path: Path) -> None:
    with scratch.database(scratch_admin, rich_schema.template(scratch_admin)) as url:
        place = site(tmp_path, url, scratch_url=scratch_admin)
        ask(url, "INSERT INTO tenants (slug) VALUES ('a'), ('b'); INSERT INTO parents VALUES (1)")
        ask(url, "INSERT INTO users (tenant_id, email) SELECT id, slug || '@b' FROM tenants")
        ask(url, "INSERT INTO children (id, weight) VALUES (2, 3); SELECT nextval('invoice_number')")
        proof = place.prove(place.make())
        assert proof.differences == ()


def test_an_unwritable_place_is_an_error_before_anything_is_dumped(database: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError):
        site(tmp_path / "file", database).make()


def test_a_pg_dump_that_fails_for_another_reason_is_quoted(database: str, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("pg_dump", "pg_restore"):
        answers = (
            f"--version) echo '{name} (PostgreSQL) 18.4'; exit;;"
            " *nowhere*) echo 'connection to server' >&2;; *) echo 'pg_dump: error: the moon is full' >&2;;"
        )
        (programs / name).write_text(f'#!/bin/sh\ncase "$*" in {answers} esac\nexit 1\n')
        (programs / name).chmod(0o755)
    with pytest.raises(MigrationError, match=r"pg_dump 18.4 stopped: the moon is full; no backup was made"):
        site(tmp_path / "b", database, pg_bin=str(programs)).make()
    assert archives.listed(tmp_path / "b", "prod") == []


def test_rows_are_counted_while_pg_dump_still_works(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(database, SHOP)
    counting, real, rows = threading.Event(), child.run, Snapshot.rows

    def counted(taken: Snapshot) -> dict[str, int]:
        counting.set()
        return rows(taken)

    def run(command: Sequence[str], environment: Mapping[str, str], heard: Callable[[str], None]) -> None:
        real(command, environment, heard)
        until(counting.is_set, "the rows are counted, before pg_dump is known to have ended")

    monkeypatch.setattr(Snapshot, "rows", counted)
    monkeypatch.setattr(child, "run", run)
    assert site(tmp_path, database).make().readable().rows["public.users"] == 2000


def test_rows_are_counted_although_pg_dump_says_nothing(database: str, tmp_path: Path, pg: int) -> None:
    """Several workers write to one stderr: what one of them says may be lost."""
    ask(database, SHOP)
    real = clients.find("", os.environ["PATH"], pg)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (programs / name).write_text(
            f'#!/bin/sh\ncase "$*" in *--jobs=*) exec 2>/dev/null;; esac\nexec "{real.path(name)}" "$@"\n'
        )
        (programs / name).chmod(0o755)
    made = site(tmp_path / "b", database, pg_bin=str(programs)).make()
    assert made.readable().rows["public.users"] == 2000
