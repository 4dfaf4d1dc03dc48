"""The mark in the write-ahead log before a change, on a server that keeps its log."""

from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine

from app.migrations import gate, server
from app.migrations.archives import Archive
from app.migrations.errors import MigrationFailed
from app.migrations.gate import Secured
from app.migrations.startup import Server
from tests.migrations.chains import ask


@pytest.mark.slow
def test_a_restore_point_is_named_with_its_place_in_the_log(own: Server) -> None:
    with (own.data / "postgresql.auto.conf").open("a") as settings:
        settings.write("wal_level = replica\narchive_mode = on\narchive_command = 'true'\n")
    url = server.open_database(own, "app")
    name, lsn = gate._restore_point(create_engine(url, poolclass=NullPool), "20261122T101530Z_" + "a" * 60)
    assert name == ("before_20261122T101530Z_" + "a" * 60)[:63]
    ((behind,),) = ask(url, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s) >= 0", lsn)
    assert behind


def test_where_no_log_is_kept_there_is_no_restore_point(database: str) -> None:
    assert gate._restore_point(create_engine(database, poolclass=NullPool), "20261122T101530Z_base") == ("", "")


def test_a_failure_says_how_everything_comes_back() -> None:
    secured = Secured(Archive(Path("backups/prod/20261122T101530Z_base"), None))
    failed = secured.failed(MigrationFailed("it failed", "`inv db.status --env=prod`"), "prod")
    assert failed.message == "it failed"
    assert failed.hint == (
        "`inv db.status --env=prod`; to bring back everything as it was before: "
        "inv db.restore --env=prod --backup=20261122T101530Z_base"
    )
