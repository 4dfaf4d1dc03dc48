"""Backups and proofs that are killed, run into a full disk, or meet another PostgreSQL: nothing half is ever listed."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.migrations import archives, proof, scratch, server
from app.migrations.errors import ConfigurationError
from app.migrations.programs import find_server_programs
from tests.migrations import sites
from tests.migrations.chains import ask, until
from tests.migrations.private_servers import DEBIAN_15
from tests.migrations.sites import Site, programs_at_work, site
from tests.mounts import full_soon, mounted

pytestmark = pytest.mark.slow

SHOP = """
CREATE TABLE events AS SELECT g AS id, md5(g::text) || md5((-g)::text) AS payload FROM generate_series(1, 400000) g;
CREATE INDEX ix_events_payload ON events (payload);
CREATE TABLE alembic_version AS SELECT 'x' AS version_num;
"""
STAGES = {
    "the table of contents is written": lambda folder: list(folder.rglob("toc.dat")),
    "a worker writes rows": lambda folder: list(folder.rglob("[0-9]*.dat")),
    "rows are packed": lambda folder: list(folder.rglob("*.dat.gz")),
    "the draft is there": lambda folder: list(folder.rglob("*.partial")),
    "the catalog is written": lambda folder: list(folder.rglob("catalog.json")),
}


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory, pg: int) -> Iterator[str]:
    """A scratch server of these tests alone: they look at what is left on it."""
    place = tmp_path_factory.mktemp("s")
    yield server.maintenance_url(server.scratch_server(place, find_server_programs(major=pg)))
    server.stop_all(place)


@pytest.fixture(scope="module")
def shop(admin: str) -> Iterator[str]:
    with scratch.database(admin) as url:
        ask(url, SHOP)
        yield url


def left_on(admin: str) -> list[str]:
    """The databases that killed processes have left, when nobody is in them any more."""
    return scratch.sweep(admin)


def await_end(process: "subprocess.Popen[str]", folder: Path) -> str:
    """Wait for the end of a process and of every program that it has started; return what it said."""
    _, err = process.communicate(timeout=60)
    until(lambda: not programs_at_work(str(folder)), "the programs end", 10)
    return err


@pytest.mark.parametrize(
    ("number", "reached"),
    [*((signal.SIGKILL, reached) for reached in STAGES.values()), (signal.SIGINT, STAGES["a worker writes rows"])],
    ids=[*(f"kill -9 when {stage}" for stage in STAGES), "Ctrl-C when a worker writes rows"],
)
def test_a_backup_that_is_ended_is_never_listed_and_leaves_nothing_running(
    admin: str, shop: str, tmp_path: Path, reached: Callable[[Path], object], number: signal.Signals
) -> None:
    process = sites.start(tmp_path, shop, admin)
    until(lambda: reached(tmp_path) or process.poll() is not None, "the stage is reached")
    process.send_signal(number)
    await_end(process, tmp_path)
    whole = archives.listed(tmp_path, "prod")
    assert [fault for archive in whole for fault in archives.check(archive)] == []
    if number == signal.SIGINT and not whole:
        assert list(tmp_path.rglob("*.partial")) == []
    made = site(tmp_path, shop, backup_jobs=2).make()
    assert archives.check(made) == []
    assert list(tmp_path.rglob("*.partial")) == []
    until(lambda: not ask(admin, "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'massacorp-backup%'"), "")


PROOF_STAGES = {
    "pg_restore begins": "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg_restore'",
    "the index is built": "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%'",
}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
@pytest.mark.parametrize("stage", PROOF_STAGES.values(), ids=PROOF_STAGES)
def test_a_proof_that_is_ended_proves_nothing_and_its_database_is_swept(
    admin: str, shop: str, tmp_path: Path, stage: str, number: signal.Signals
) -> None:
    process = sites.start(tmp_path, shop, admin, prove=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "made\n"
    until(lambda: ask(admin, stage), "pg_restore is at work")
    process.send_signal(number)
    await_end(process, tmp_path)
    (made,) = archives.listed(tmp_path, "prod")
    assert (made.proven, archives.check(made)) == (False, [])
    query = "SELECT count(*) FROM pg_database WHERE datname LIKE 'massacorp_scratch_%'"
    if number == signal.SIGINT:
        assert ask(admin, query) == [(1,)]
    until(lambda: left_on(admin) is not None and ask(admin, query) == [(1,)], "what is left is swept", 20)
    assert site(tmp_path, shop, scratch_url=admin, backup_jobs=2).prove(made).equal


def test_a_full_disk_is_said_and_leaves_nothing(shop: str, tmp_path: Path) -> None:
    with mounted(tmp_path / "full été", full_soon(4)) as place:
        with pytest.raises(ConfigurationError, match=r"No space left on device.*no backup was made") as caught:
            site(place, shop, backup_jobs=2).make()
        assert caught.value.hint.startswith("make room, or set another BACKUP_DIR: df -h ")
        assert archives.listed(place, "prod") == []
        assert [path for path in place.rglob("*") if path.is_file() and path.stat().st_size] == []


def test_a_backup_of_16_is_proven_on_18(tmp_path: Path, scratch_admin: str) -> None:
    sixteen, eighteen = (scratch.admin_url(sites.ROOT, scratch.EMBEDDED, major=major) for major in (16, 18))
    with scratch.database(sixteen) as url:
        ask(url, "CREATE TABLE t AS SELECT generate_series(1, 100) AS a; ALTER TABLE t ALTER a SET NOT NULL")
        place = site(tmp_path, url, scratch_url=eighteen)
        proven = place.prove(place.make())
    assert (proven.differences, proven.server_version.partition(".")[0]) == ((), "18")


@pytest.fixture(scope="module")
def fifteen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A database of Debian's PostgreSQL 15 with an extension of contrib and a collation of ICU."""
    if not (DEBIAN_15 / "initdb").exists():
        pytest.skip("PostgreSQL 15 of Debian is not installed")
    place = tmp_path_factory.mktemp("fifteen")
    admin = scratch.admin_url(place, scratch.EMBEDDED, str(DEBIAN_15), 15)
    with scratch.database(admin) as url:
        ask(url, "CREATE EXTENSION citext; CREATE TABLE t AS SELECT 'É'::citext AS a")
        ask(url, "CREATE COLLATION german (provider = icu, locale = 'de'); ALTER TABLE t ADD b text COLLATE german")
        ask(url, 'ALTER TABLE t ADD c text COLLATE "fr-x-icu"')
        yield site(tmp_path_factory.mktemp("backups"), url)
    server.stop_all(place)


def test_what_the_private_server_lacks_is_said_before_the_dump(fifteen: Site) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fifteen.check_provable()
    for lacking in ('the extension "citext"', "the collation public.german of icu", 'the collation "fr-x-icu" of the'):
        assert lacking in caught.value.message
    assert "PG_BIN=FOLDER" in caught.value.hint


def test_with_its_programs_in_pg_bin_it_is_proven(fifteen: Site, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    told = site(tmp_path / "backups", fifteen.environment.database_url, pg_bin=str(DEBIAN_15))
    try:
        proof.check_provable(root, told.environment, told.engine)
        proven = proof.prove(root, told.make(), told.environment)
        assert (proven.differences, proven.server_version.partition(".")[0]) == ((), "15")
    finally:
        server.stop_all(root)
        shutil.rmtree(root)


def test_memory_does_not_grow_with_the_database(admin: str, tmp_path: Path) -> None:
    code = sites.RUN + "\nimport resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    peaks = []
    for rows in (1000, 600_000):
        with scratch.database(admin) as url:
            ask(
                url,
                f"CREATE TABLE t AS SELECT md5(g::text) AS a, repeat('x', 100) AS b FROM generate_series(1, {rows}) g",
            )
            process = subprocess.run(
                [sys.executable, "-c", code, str(tmp_path / str(rows)), url, admin, "prove"],
                cwd=sites.ROOT, capture_output=True, text=True, check=True,
            )  # fmt: skip
            peaks.append(int(process.stdout.split()[-1]) / 1000)
    assert peaks[1] - peaks[0] < 20
