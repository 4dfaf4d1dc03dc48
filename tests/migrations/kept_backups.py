"""Backups for tests: manifests as values, and folders that a real pg_dump has filled."""

import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.migrations import archives, clients, urls
from app.migrations.archives import Archive
from app.migrations.manifest import DatabaseSettings, File, Manifest, Proof, SequencePosition, Setting

STARTED = datetime(2026, 11, 22, 10, 15, 30, tzinfo=UTC)
PROOF = Proof("2026-11-22T11:00:00+00:00", 1.5, "18.4", True, ())
SAMPLE = Manifest(
    environment="prod",
    database="MassaCorp été",
    described='database "MassaCorp été" on db.example:5432 as user "me"',
    settings=DatabaseSettings(
        owner="Ægir",
        acl=("=Tc/postgres", '"a b"=c/postgres'),
        comment="naïve “quoted” \\ text\nof two lines",
        connection_limit=-1,
        settings=(Setting(None, "search_path", '"$user", public'), Setting("reader", "work_mem", "64MB")),
        encoding="UTF8",
        locale_provider="libc",
        collate="C.UTF-8",
        ctype="C.UTF-8",
        locale=None,
        tablespace="pg_default",
    ),
    server_version="18.4",
    server_version_num=180004,
    client_version="18.4",
    revisions=("a91f6d2c4b7e",),
    git_commit="0d14b79",
    git_dirty=False,
    rows={'public."Kunden"': 3, "public.users": 12},
    sequences={"public.users_id_seq": SequencePosition(12, True)},
    large_objects=0,
    fingerprint="f" * 64,
    roles=("Ægir", "reader"),
    extensions={"plpgsql": "1.0"},
    files=(File("catalog.json", 2, "0" * 64),),
    started_at=STARTED.isoformat(),
    seconds=2.5,
)


def keep(backup_dir: Path, environment: str = "prod", age: timedelta = timedelta(0), **changes: Any) -> Archive:
    """Keep a small backup that is intact and was begun some time before STARTED; `changes` are for its manifest."""
    started = STARTED - age
    with archives.create(backup_dir, environment, started, changes.get("revisions", SAMPLE.revisions)) as draft:
        draft.dump.mkdir()
        (draft.dump / "toc.dat").write_bytes(b"table of contents")
        (draft.dump / "1.dat.gz").write_bytes(b"rows")
        files = archives.hash_files(draft.folder)
        about = {"environment": environment, "files": files, "started_at": started.isoformat(), **changes}
        return archives.read(draft.finish(replace(SAMPLE, **about)))


def dump(backup_dir: Path, url: str, major: int) -> Archive:
    """Keep a backup that pg_dump has made of the database at `url`."""
    programs = clients.find("", os.environ["PATH"], major)
    target = urls.to_libpq(url)
    with archives.create(backup_dir, "prod", STARTED, ["abc"]) as draft:
        command = [programs.path("pg_dump"), "-Fd", "-j2", f"--file={draft.dump}", f"--dbname={target.conninfo}"]
        subprocess.run(command, env={**os.environ, **target.environment}, check=True)
        (draft.folder / "catalog.json").write_text('{"tables": []}\n')
        return archives.read(draft.finish(replace(SAMPLE, files=archives.hash_files(draft.folder))))
