"""Which pg_dump and pg_restore are used: those of the wheel, of this machine, and of folders made for a test."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.migrations import clients
from app.migrations.clients import Clients
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.programs import find_server_programs

WHEEL_16, WHEEL_18 = (find_server_programs(major=major).bin for major in (16, 18))
DEBIAN = Path("/usr/lib/postgresql/15/bin")
TLS = {"sslmode=require", "sslmode=verify-full", "sslnegotiation=direct"}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on which no PostgreSQL is installed."""
    monkeypatch.setattr(clients, "INSTALLED", ())
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    yield
    for cached in (clients.supports, clients.has_tls, clients._read):
        cached.cache_clear()


def install(folder: Path, version: str, restore: str | None = None, asked: str = "") -> Path:
    """Make programs that answer as those of `version` do; `asked` is the shell code of all but --version."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("pg_dump", "pg_restore"):
        said = restore if restore is not None and name == "pg_restore" else version
        program = folder / name
        program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{name} (PostgreSQL) {said}" && exit\n{asked}\n')
        program.chmod(0o755)
    return folder


def chosen(found: Clients) -> tuple[str, int]:
    return found.bin.name, found.major


@pytest.mark.parametrize(("server", "folder"), [(15, WHEEL_16), (16, WHEEL_16), (17, WHEEL_18), (18, WHEEL_18)])
def test_the_wheel_has_what_fits(server: int, folder: Path) -> None:
    found = clients.find("", "", server)
    assert found.bin == folder
    assert found.version.startswith(f"{found.major}.")


def test_the_lowest_version_that_is_not_older_than_the_server_is_taken(tmp_path: Path) -> None:
    path = os.pathsep.join(str(install(tmp_path / version, version)) for version in ("17.6", "14.2", "15.1", "19beta1"))
    assert chosen(clients.find("", path, 13)) == ("14.2", 14)
    assert chosen(clients.find("", path, 15)) == ("15.1", 15)
    assert chosen(clients.find("", path, 17)) == ("17.6", 17)
    assert chosen(clients.find("", path, 19)) == ("19beta1", 19)


def test_among_equals_path_comes_before_what_is_installed_and_that_before_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = install(tmp_path / "path", "16.1"), install(tmp_path / "usual/16/bin", "16.9")
    monkeypatch.setattr(clients, "INSTALLED", (str(tmp_path / "usual/*/bin"),))
    assert clients.find("", str(first), 16).bin == first
    assert clients.find("", "", 16).bin == second
    monkeypatch.setattr(clients, "INSTALLED", ())
    assert clients.find("", "", 16).bin == WHEEL_16


def test_pg_bin_means_these_and_no_others(tmp_path: Path) -> None:
    old, new = install(tmp_path / "old", "15.1"), install(tmp_path / "new", "19.0")
    path = str(install(tmp_path / "path", "16.1"))
    assert clients.find(f"{old}{os.pathsep}{new}", path, 16).bin == new
    with pytest.raises(ConfigurationError) as raised:
        clients.find(str(old), path, 16)
    assert str(raised.value) == (
        f"error: no pg_dump fits a server of PostgreSQL 16, which refuses older: PG_BIN={old}, found 15.1 in {old}\n"
        f"  next: PG_BIN={path} and the same command again"
    )


def test_a_pg_bin_of_server_programs_alone_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    path = install(tmp_path / "path", "16.1")
    assert clients.find(str(tmp_path / "server"), str(path), 16).bin == path


def test_what_to_install_is_said_where_nothing_fits() -> None:
    with pytest.raises(ConfigurationError) as raised:
        clients.find("", "", 21)
    assert f"{clients.find('', '', 18).version} in {WHEEL_18}" in raised.value.message
    assert raised.value.hint == (
        "install postgresql-client-21 (Debian, Ubuntu), postgresql21 (Red Hat) or postgresql@21 (Homebrew), or "
        "PG_BIN=/ITS/bin and the same command again"
    )


def test_programs_that_are_half_there_or_do_not_match_are_passed_over(tmp_path: Path) -> None:
    good = install(tmp_path / "good", "17.1")
    (install(tmp_path / "half", "17.0") / "pg_restore").unlink()
    install(tmp_path / "mixed", "17.0", restore="16.0")
    (install(tmp_path / "not executable", "17.0") / "pg_dump").chmod(0o644)
    (install(tmp_path / "broken", "17.0") / "pg_dump").write_text("no program")
    (install(tmp_path / "babbling", "17.0") / "pg_dump").write_text("#!/bin/sh\necho hello\n")
    names = ("half", "mixed", "not executable", "broken", "babbling", "not there", "good")
    assert clients.find("", os.pathsep.join(str(tmp_path / name) for name in names), 17).bin == good


def test_a_wrapper_stands_for_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = install(tmp_path / "usual/17/bin", "17.1")
    monkeypatch.setattr(clients, "INSTALLED", (str(tmp_path / "usual/*/bin"),))
    (tmp_path / "pg_wrapper").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin").mkdir()
    for name in ("pg_dump", "pg_restore"):
        (tmp_path / "bin" / name).symlink_to(tmp_path / "pg_wrapper")
    assert clients.find("", str(tmp_path / "bin"), 17).bin == real
    assert clients.find(str(tmp_path / "bin"), "", 17).bin == real


def test_a_folder_is_asked_once_by_a_process(tmp_path: Path) -> None:
    path = install(tmp_path / "path", "17.1")
    assert clients.find("", str(path), 17).bin == path
    shutil.rmtree(path)
    assert clients.find("", str(path), 17).bin == path


@pytest.mark.parametrize(
    ("archive", "server", "major"),
    [(14, 16, 14), (15, 18, 15), (16, 16, 16), (16, 18, 16), (17, 17, 17), (17, 18, 17), (18, 18, 18)],
)
def test_an_archive_is_restored_by_the_lowest_version_that_reads_it(
    tmp_path: Path, archive: int, server: int, major: int
) -> None:
    path = os.pathsep.join(str(install(tmp_path / str(n), f"{n}.1")) for n in (18, 17, 16, 15, 14))
    assert clients.restore_for("", path, archive, server).major == major


@pytest.mark.parametrize(("archive", "server"), [(17, 16), (18, 16), (18, 13)])
def test_no_version_restores_a_newer_archive_into_a_server_before_17(archive: int, server: int) -> None:
    with pytest.raises(Refused) as raised:
        clients.restore_for("", "", archive, server)
    assert raised.value.message == (
        f"a backup made by pg_dump {archive} needs pg_restore {archive} or newer, and that one fails into a server of "
        f"PostgreSQL {server}; nothing was changed"
    )
    assert not Clients(Path("/"), archive, "").restores_into(server)


def test_the_pg_restore_that_is_missing_is_described(tmp_path: Path) -> None:
    old = install(tmp_path / "old", "15.1")
    with pytest.raises(ConfigurationError) as raised:
        clients.restore_for(str(old), "", 16, 16)
    assert str(raised.value) == (
        f"error: no pg_restore fits: it has to be 16 or newer and below 17: PG_BIN={old}, found 15.1 in {old}\n"
        f"  next: PG_BIN={WHEEL_16} and the same command again"
    )


def test_the_matrix_is_that_of_the_real_programs(database: str, pg: int, tmp_path: Path) -> None:
    """Each pair of real programs is tried; where we say that it works it does, and where we say no it does not."""
    for dumper in (clients.find("", "", major) for major in (16, 18)):
        dump = tmp_path / str(dumper.major)
        asked = [dumper.path("pg_dump"), "-Fd", f"--file={dump}", f"--dbname={_plain(database)}"]
        made = subprocess.run(asked, capture_output=True, check=False).returncode == 0
        assert made == (dumper.major >= pg)
        for restorer in (clients.find("", "", major) for major in (16, 18)):
            asked = [restorer.path("pg_restore"), "--exit-on-error", "--clean", "--if-exists", str(dump)]
            asked += [f"--dbname={_plain(database)}"]
            restored = made and subprocess.run(asked, capture_output=True, check=False).returncode == 0
            fits = made and restorer.major >= dumper.major and restorer.restores_into(pg)
            assert restored == fits, (dumper, restorer)


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg2", "postgresql")


BUILD = """
case "$*" in
    *--compress=zstd*) {zstd} ;;
    *--compress=lz4*) {lz4} ;;
esac
echo 'pg_dump: error: connection to server on socket "x" failed' >&2; exit 1
"""
NO = "echo 'pg_dump: error: invalid compression specification' >&2; exit 1"


@pytest.mark.parametrize(
    ("version", "zstd", "lz4", "best"),
    [
        ("18.1", ":", ":", "zstd:1"),
        ("18.1", NO, ":", "lz4"),
        ("18.1", NO, NO, "gzip:1"),
        ("15.1", ":", ":", "gzip:1"),
    ],
    ids=["all", "no zstd", "neither", "a version that knows only levels"],
)
def test_the_best_compression_of_a_build_is_taken(tmp_path: Path, version: str, zstd: str, lz4: str, best: str) -> None:
    folder = install(tmp_path / "bin", version, asked=BUILD.format(zstd=zstd, lz4=lz4))
    assert clients.best_compression(clients.find(str(folder), "", 15)) == best


@pytest.mark.parametrize("major", [16, 18])
def test_the_real_programs_take_their_best_compression(database: str, major: int, pg: int, tmp_path: Path) -> None:
    found = clients.find("", "", max(major, pg))
    option = clients.compression_option(found, clients.best_compression(found))
    command = [found.path("pg_dump"), "-Fd", f"--file={tmp_path}/d", option, f"--dbname={_plain(database)}"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""


def test_the_option_of_old_versions_is_a_level() -> None:
    old, new = Clients(Path("/"), 15, "15.1"), Clients(Path("/"), 16, "16.1")
    assert clients.compression_option(old, "gzip:1") == "--compress=1"
    assert clients.compression_option(new, "gzip:1") == "--compress=gzip:1"
    assert clients.compression_option(new, "zstd:1") == "--compress=zstd:1"


@pytest.mark.parametrize(
    ("version", "server", "quoted"),
    [(18, 18, False), (16, 16, False), (18, 17, True), (18, 16, True), (15, 15, True)],
    ids=["its own server", "its own, older", "an older server", "a much older one", "a word was reserved since"],
)
def test_names_are_quoted_where_another_version_may_reserve_one(version: int, server: int, quoted: bool) -> None:
    found = clients.quoting_options(Clients(Path("/"), version, f"{version}.1"), server)
    assert bool(found) == quoted


@pytest.mark.parametrize(
    ("names", "method"),
    [
        (["catalog.json", "dump/toc.dat", "dump/3.dat.zst"], "zstd"),
        (["dump/3.dat.lz4"], "lz4"),
        (["dump/3.dat.gz"], "gzip"),
        (["dump/3.dat", "dump/toc.dat"], ""),
    ],
)
def test_how_an_archive_is_compressed_is_told_by_its_files(names: list[str], method: str) -> None:
    assert clients.compression_of(names) == method


def test_an_archive_is_restored_by_a_build_that_can_read_it(tmp_path: Path) -> None:
    poor = install(tmp_path / "poor", "17.1", asked=BUILD.format(zstd=NO, lz4=NO))
    rich = install(tmp_path / "rich", "18.1", asked=BUILD.format(zstd=":", lz4=":"))
    path = f"{poor}{os.pathsep}{rich}"
    assert clients.restore_for("", path, 17, 18, "gzip").bin == poor
    assert clients.restore_for("", path, 17, 18, "zstd").bin == rich
    with pytest.raises(ConfigurationError, match="it has to be 17 or newer with zstd"):
        clients.restore_for(str(poor), "", 17, 18, "zstd")


@pytest.mark.parametrize("parameter", sorted(TLS))
def test_a_url_that_demands_tls_needs_a_build_that_has_it(parameter: str) -> None:
    url = f"postgresql://me:hunter22@db.example/app?{parameter}"
    with pytest.raises(ConfigurationError) as raised:
        clients.find("", "", 18, url)
    assert raised.value.message.startswith(
        f'database "app" on db.example:5432 as user "me" is to be reached over TLS, which {WHEEL_18}/pg_dump '
        f"({clients.find('', '', 18).version}) was built without: "
    )
    assert raised.value.hint.startswith("install postgresql-client-18 ")


def test_tls_may_be_demanded_by_a_variable_or_a_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = clients.find("", "", 18)
    clients.check_url(found, "postgresql://db.example/app")
    monkeypatch.setenv("PGSSLMODE", "require")
    with pytest.raises(ConfigurationError, match="over TLS"):
        clients.check_url(found, "postgresql://db.example/app")
    monkeypatch.delenv("PGSSLMODE")
    (tmp_path / "services").write_text("[strict]\nsslmode=verify-ca\nhostaddr=127.0.0.1\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    with pytest.raises(ConfigurationError, match="over TLS"):
        clients.check_url(found, "postgresql:///app?service=strict")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter22@db.example/app",
        "postgresql://db.example/app?sslmode=prefer&connect_timeout=5&hostaddr=127.0.0.1",
        "postgresql:///app?host=a:1&host=b:2&target_session_attrs=read-write",
        "postgresql:///app",
    ],
)
def test_other_urls_need_nothing_and_nobody_is_called(url: str) -> None:
    assert clients.find("", "", 18, url).bin == WHEEL_18


def test_a_build_with_tls_is_taken_where_the_lowest_version_has_none(tmp_path: Path) -> None:
    rich = install(tmp_path / "rich", "19.1", asked="echo 'pg_dump: error: connection to server failed' >&2; exit 1")
    url = "postgresql://db.example/app?sslmode=require"
    assert clients.find("", str(rich), 18).bin == WHEEL_18
    assert clients.find("", str(rich), 18, url).bin == rich


def test_what_the_url_says_wrong_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r'cannot use the URL of .*: invalid connection option "nonsense"'):
        clients.find("", "", 18, "postgresql://db.example/app?nonsense=1")


def test_a_server_that_refused_for_want_of_encryption_is_understood() -> None:
    refused = 'pg_dump: error: FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "me", no encryption'
    assert clients.needs_tls(clients.find("", "", 18), refused)
    assert not clients.needs_tls(clients.find("", "", 18), "pg_dump: error: FATAL:  database does not exist")


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="no PostgreSQL of Debian's here")
def test_a_packaged_build_has_tls() -> None:
    packaged = clients.find(str(DEBIAN), "", 15)
    assert clients.has_tls(packaged)
    refused = 'pg_dump: error: FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "me", no encryption'
    assert not clients.needs_tls(packaged, refused)
