"""Backups packed with zstd, by programs of PG_BIN or of this machine that have it; those of the wheel do not."""

import os
from pathlib import Path

import pytest

from app.migrations import archives, clients
from app.migrations.errors import ConfigurationError
from app.migrations.programs import find_server_programs
from tests.migrations.chains import ask
from tests.migrations.restores import DESTROY, shop
from tests.migrations.sites import site

WITHOUT = str(find_server_programs(major=18).bin)


@pytest.fixture
def pg_bin(scratch_admin: str) -> str:
    """The folder of programs with zstd that dump the server."""
    ((major,),) = ask(scratch_admin, "SELECT current_setting('server_version_num')::int / 10000")
    try:
        found = clients.find(os.environ.get("PG_BIN", ""), os.environ["PATH"], int(str(major)))
    except ConfigurationError:
        pytest.skip("PG_BIN names no programs for this server")
    if clients.best_compression(found) != "zstd:1":
        pytest.skip("no pg_dump with zstd for this server; PG_BIN names one")
    return str(found.bin)


def test_it_is_proven_and_brings_every_row_back(scratch_admin: str, pg_bin: str, tmp_path: Path) -> None:
    with shop(scratch_admin, tmp_path, pg_bin=pg_bin, scratch_url=scratch_admin) as ours:
        before = ours.dump()
        made = ours.site.make()
        assert {path.suffix for path in made.dump.iterdir()} >= {".zst"}
        assert ours.site.prove(made).differences == ()
        ask(ours.url, DESTROY)
        ours.restore()
        assert ours.dump() == before


def test_programs_that_lack_zstd_are_refused_before_anything_is_done(
    scratch_admin: str, pg_bin: str, tmp_path: Path
) -> None:
    with shop(scratch_admin, tmp_path, pg_bin=pg_bin, scratch_url=scratch_admin) as ours:
        made = ours.site.make()
        poor = ours._replace(site=site(tmp_path, ours.url, pg_bin=WITHOUT, scratch_url=scratch_admin))
        said = r"no pg_restore fits: it has to be \d+ or newer with zstd: PG_BIN=.*, found 18"
        with pytest.raises(ConfigurationError, match=said):
            poor.site.prove(made)
        with pytest.raises(ConfigurationError, match=said):
            poor.restore()
        assert ours.names() == {ours.name}
        assert archives.read(made.folder).readable().proof is None
