import os
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from app.migrations.errors import ConfigurationError
from app.migrations.sockets import LIMIT, NAME, database_url, socket_folder


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder, as a user sets it."""
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return folder


def folder_of_length(base: Path, length: int) -> Path:
    missing = length - len(os.fsencode(base)) - 1
    folder = base / ("é" * (missing // 2) + "x" * (missing % 2))
    folder.mkdir()
    return folder


def test_a_path_that_just_fits_is_used_as_it_is(short: Path) -> None:
    folder = folder_of_length(short, LIMIT - len(NAME) - 1)
    assert socket_folder(folder) == folder
    assert list(short.iterdir()) == [folder]


def test_one_byte_more_is_reached_by_a_link_that_is_made_once_and_again_when_it_is_gone(short: Path) -> None:
    folder = folder_of_length(short, LIMIT - len(NAME))
    link = socket_folder(folder)
    assert (link.parent, link.readlink()) == (short, folder)
    assert socket_folder(folder) == link
    link.unlink()
    assert socket_folder(folder).readlink() == folder


def test_a_comma_would_be_a_list_of_hosts_so_it_is_reached_by_a_link(short: Path) -> None:
    folder = short / "a,b"
    folder.mkdir()
    assert socket_folder(folder).readlink() == folder


def test_a_runtime_folder_of_ours_is_preferred(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = short / "run"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert socket_folder(folder_of_length(short, LIMIT)).parent == runtime


def test_a_link_of_ours_that_leads_elsewhere_is_corrected(short: Path) -> None:
    folder = folder_of_length(short, LIMIT)
    link = socket_folder(folder)
    link.unlink()
    link.symlink_to("/elsewhere")
    assert socket_folder(folder).readlink() == folder


def test_what_is_not_a_link_of_ours_is_refused(short: Path) -> None:
    folder = folder_of_length(short, LIMIT)
    link = socket_folder(folder)
    link.unlink()
    link.mkdir()
    with pytest.raises(ConfigurationError, match="should be our link") as caught:
        socket_folder(folder)
    assert str(link) in caught.value.hint


@pytest.mark.parametrize("folder", ["/plain", "/a b", "/é", "/q'\"$x`%41&?#:;+"])
@pytest.mark.parametrize("name", ["plain", 'a b?c/é"%41&#'])
def test_sqlalchemy_reads_back_what_the_url_says(folder: str, name: str) -> None:
    url = make_url(database_url(Path(folder), name))
    _, keywords = url.get_dialect()().create_connect_args(url)
    assert (keywords["host"], keywords["dbname"], keywords["user"]) == (folder, name, "postgres")


def test_libpq_reads_back_what_the_url_says() -> None:
    url = database_url(Path("/a b/é&?"), "x y?")
    dsn = psycopg2.extensions.parse_dsn(url.replace("+psycopg2", ""))
    assert dsn == {"host": "/a b/é&?", "dbname": "x y?", "user": "postgres", "port": "5432"}
