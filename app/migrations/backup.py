"""Makes a backup: pg_dump in parallel from one snapshot, and a manifest of what that snapshot held. Restores nothing.

What it writes is listed only when it is whole. pg_dump and its workers end with us, whatever ends us.
https://www.postgresql.org/docs/current/app-pgdump.html
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import NamedTuple

from sqlalchemy import Engine

from app.migrations import (
    archives,
    beside,
    catalog,
    child,
    clients,
    durable,
    failures,
    packing,
    provenance,
    snapshot,
    urls,
)
from app.migrations.archives import Archive, Draft
from app.migrations.catalog import Catalog
from app.migrations.child import ChildFailed
from app.migrations.clients import Clients
from app.migrations.contents import Contents
from app.migrations.dump_progress import Advance, DumpMeter, Sized
from app.migrations.environments import Environment
from app.migrations.errors import ConfigurationError, MigrationError, Refused, Unreachable
from app.migrations.following import Following
from app.migrations.manifest import Manifest
from app.migrations.packing import Packing
from app.migrations.restoring import CATALOG
from app.migrations.snapshot import Snapshot
from app.migrations.targets import Target

UNNAMED = "url"
"""The folder of backups of a database that was named by its URL alone."""

_FULL = re.compile(r"No space left|File too large|Disk quota exceeded|Read-only file system")
_LOCKED = re.compile(r"lock timeout|could not obtain lock on relation|LOCK TABLE")
_LOST = re.compile(r"connection to server|server closed the connection|terminating connection|SSL connection has been")
_HIDDEN = re.compile(r"row-level security|row security policy|permission denied")


class Counted(NamedTuple):
    """What is read of the snapshot while pg_dump works."""

    catalog: Catalog
    rows: dict[str, int]


class Counting(NamedTuple):
    """`begin` has the rows counted from now on, beside pg_dump; `result` is had after it, an error too."""

    begin: Callable[[], None]
    result: Callable[[], Counted]


def make(root: Path, target: Target, engine: Engine, advance: Advance | None = None) -> Archive:
    """Back up the target into its environment's BACKUP_DIR and return what was made; `advance` hears of tables.

    Reads and writes go on meanwhile. Until pg_dump ends all tables are locked in ACCESS SHARE: DDL waits, and a DDL
    that comes in between makes a parallel dump fail (the manual's page of --jobs says why), with an error that says
    so. Memory does not grow with the database. Raises Refused, ConfigurationError, Unreachable or MigrationError;
    nothing is listed then, and nothing left but after kill -9, for the next one to remove.
    """
    environment, started_at, began = target.environment, datetime.now(UTC), time.monotonic()
    with failures.explained(target.place), ExitStack() as stack:
        programs = _programs(target, engine)
        with snapshot.taken(engine, target.place) as taken:
            folder = archives.resolve_dir(root, environment.backup_dir)
            revisions = taken.contents.revisions
            draft = stack.enter_context(archives.create(folder, environment.name or UNNAMED, started_at, revisions))
            packer = _packer(programs, draft, workers(environment))
            with _counting(taken) as counting, Following(draft.dump) as followed, packer or nullcontext():
                heard = _Heard(taken, workers(environment), advance, counting.begin)
                _dump(target, programs, draft, _options(taken, programs, packer), heard)
            found = counting.result()
        described = _manifest(root, target, programs, taken.contents, found)
        with durable.explained(draft.folder):
            if packer:
                packer.finish()
            document = json.dumps(catalog.to_document(found.catalog), indent=1)
            durable.write(draft.folder / CATALOG, document.encode())
            files = archives.hash_files(draft.folder, followed.hashed())
        seconds = round(time.monotonic() - began, 3)
        return archives.read(
            draft.finish(replace(described, files=files, started_at=started_at.isoformat(), seconds=seconds))
        )


def workers(environment: Environment) -> int:
    """Return how many connections a dump or a restore uses: BACKUP_JOBS, or one for each core."""
    return environment.backup_jobs or os.cpu_count() or 1


def _programs(target: Target, engine: Engine) -> Clients:
    with engine.connect() as connection:
        major = connection.connection.dbapi_connection.server_version // 10000  # type: ignore[union-attr]
    return clients.find(target.environment.pg_bin, os.environ.get("PATH", ""), major, target.url)


class _Heard(DumpMeter):
    """Listens to pg_dump, and has the rows counted when it no longer keeps all cores busy."""

    def __init__(self, taken: Snapshot, jobs: int, advance: Advance | None, begin: Callable[[], None]) -> None:
        super().__init__((Sized(table.label, table.bytes) for table in taken.tables), advance or (lambda _: None))
        self.jobs, self.begin = jobs, begin

    def __call__(self, line: str) -> None:
        super().__call__(line)
        if self.jobs == 1 or self.is_past_its_peak(self.jobs):
            self.begin()


@contextmanager
def _counting(taken: Snapshot) -> Iterator[Counting]:
    """Read the catalog beside the block, and count the rows from `begin` on, at the latest when the block has ended."""
    begun = Event()
    counted: Future[Counted] = Future()

    def count() -> Counted:
        schema = taken.catalog()
        begun.wait()
        return Counted(schema, taken.rows())

    def give_up() -> None:
        begun.set()
        taken.cancel()

    try:
        beside.begin(count, counted)
        yield Counting(begun.set, counted.result)
        begun.set()
        wait([counted])
    except BaseException:
        beside.end(counted, give_up)
        raise


def _packer(programs: Clients, draft: Draft, workers: int) -> Packing | None:
    """Return who packs in pg_dump's place, where that has nothing better than gzip."""
    slow = clients.best_compression(programs) == clients.FALLBACK
    return Packing(draft.dump, workers) if slow and packing.able(draft.folder) else None


def _options(taken: Snapshot, programs: Clients, packer: Packing | None) -> list[str]:
    """Return the arguments of pg_dump that follow from the snapshot and from what the programs can do."""
    method = clients.best_compression(programs)
    return [
        f"--snapshot={taken.identifier}",
        "--compress=0" if packer else clients.compression_option(programs, method),
        *clients.quoting_options(programs, taken.contents.server_version_num // 10000),
    ]


def _dump(target: Target, programs: Clients, draft: Draft, options: Sequence[str], heard: DumpMeter) -> None:
    libpq = urls.to_libpq(target.url)
    command = [
        programs.path("pg_dump"),
        "--format=directory",
        f"--jobs={workers(target.environment)}",
        *options,
        "-b",
        f"--lock-wait-timeout={snapshot.LOCK_WAIT}s",
        "--no-sync",  # every file is synced when the backup is finished
        "--no-password",
        "--verbose",
        f"--file={draft.dump}",
        f"--dbname={libpq.conninfo}",
    ]
    name = f"{snapshot.NAME}/{target.environment.name or UNNAMED}"
    try:
        child.run(command, {"PGAPPNAME": name, **libpq.environment}, heard)
    except ChildFailed as error:
        raise _explanation(error, target, programs, draft) from error
    except OSError as error:
        raise ConfigurationError(f"{command[0]} cannot be run: {error.strerror}", f"ls -l {command[0]}") from error
    heard.finished()


def _explanation(error: ChildFailed, target: Target, programs: Clients, draft: Draft) -> MigrationError:
    said = f"{target.place.described}: pg_dump {programs.version} stopped: {error.told}; no backup was made"
    again = f"inv db.backup --env={target.environment.name}"
    if clients.needs_tls(programs, error.told):
        return clients.unfit(programs, target.described, error.told)
    if _FULL.search(error.told):
        return ConfigurationError(said, f"make room, or set another BACKUP_DIR: df -h {draft.folder.parent}")
    if _LOCKED.search(error.told):
        return Refused(
            f"{said}: somebody waits for, or holds, an ACCESS EXCLUSIVE lock on a table (DDL, TRUNCATE)",
            f"{again}, when that is over; BACKUP_JOBS=1 {again} is not disturbed by who only waits",
        )
    if _LOST.search(error.told):
        return Unreachable(said, f"`{target.place.status}` shows whether the server answers, then {again}")
    if _HIDDEN.search(error.told):
        return ConfigurationError(said, "use the owner of the tables, or a superuser, in DATABASE_URL")
    return MigrationError(said, f"look at what pg_dump says, then {again}")


def _manifest(root: Path, target: Target, programs: Clients, held: Contents, found: Counted) -> Manifest:
    """Say what was dumped; the files, and when and how long, are put in when they are known."""
    commit, dirty = provenance.commit_of(root)
    return Manifest(
        environment=target.environment.name or UNNAMED,
        database=held.database,
        described=target.described,
        settings=held.settings,
        server_version=held.server_version,
        server_version_num=held.server_version_num,
        client_version=programs.version,
        revisions=held.revisions,
        git_commit=commit,
        git_dirty=dirty,
        rows=found.rows,
        sequences={name: state.position for name, state in held.sequences.items()},
        large_objects=held.large_objects,
        fingerprint=catalog.fingerprint(found.catalog),
        roles=held.roles,
        extensions=held.extensions,
        files=(),
        started_at="",
        seconds=0.0,
    )
