"""Proves a backup: restores it into a scratch database and compares that with the manifest. Never touches the target.

The scratch server is of the target's major version or the nearest newer one that can be had.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, NullPool, create_engine

from app.migrations import archives, clients, programs, raw, restoring, roles, scratch, scratch_fit
from app.migrations.archives import Archive
from app.migrations.backup import workers
from app.migrations.clients import SETS_TRANSACTION_TIMEOUT, Clients
from app.migrations.dump_progress import Advance
from app.migrations.environments import Environment
from app.migrations.errors import ConfigurationError, NegativeAnswer, Refused
from app.migrations.failures import Place, explained
from app.migrations.manifest import Manifest, Proof
from app.migrations.restoring import Into, NotRestored
from app.migrations.scratch_fit import Needs

NEWEST = 60
"""No PostgreSQL is looked for beyond this major version."""
NO_SUBSCRIPTIONS = "--no-subscriptions"
"""A copy must not subscribe, and a database with subscriptions cannot be dropped."""


class Bench(NamedTuple):
    """Where a backup is proven: the scratch server and what it is."""

    admin_url: str
    major: int
    described: str


def check_provable(root: Path, environment: Environment, engine: Engine) -> None:
    """Check, before a dump is made, that the target's database could be restored on the scratch server.

    Reads the target; makes a scratch database for a moment. Raises ConfigurationError, which names all that is
    lacking and the way out, or Unreachable.
    """
    with explained(Place(f"the database of {environment.name}", environment.name)):
        with engine.connect() as connection:
            major = connection.connection.dbapi_connection.server_version // 10000  # type: ignore[union-attr]
            needs = scratch_fit.needs_of(connection)
        dumping = clients.find(environment.pg_bin, os.environ.get("PATH", ""), major)
        bench = _bench(root, environment, major, dumping.major)
        _refuse_unless_it_fits(bench, needs, environment)


def prove(root: Path, archive: Archive, environment: Environment, advance: Advance | None = None) -> Proof:
    """Restore the backup into a scratch database, compare, drop it, and write the outcome into the manifest.

    The hashes are checked first. Every role that the dump names is there meanwhile, without login or password.
    Differences are in the proof, not raised; `refuse_unless_equal` does that. Raises Refused for a backup that is
    damaged, ConfigurationError where the scratch server lacks something, Unreachable. https://www.postgresql.org/docs/current/backup-dump.html#BACKUP-DUMP-RESTORE
    """
    began, proved_at = time.monotonic(), datetime.now(UTC)
    bench = prepare(root, archive, environment)
    with closing(scratch.connect(bench.admin_url)) as connection:
        version = str(raw.value(connection, "SHOW server_version"))
    try:
        with restored(archive, environment, bench, advance) as url:
            differences = restoring.compare(create_engine(url, poolclass=NullPool), archive)
    except NotRestored as error:
        differences = [str(error)]
    seconds = round(time.monotonic() - began, 3)
    proof = Proof(proved_at.isoformat(), seconds, version, not differences, tuple(differences))
    archives.record_proof(archive, proof)
    return proof


def prepare(root: Path, archive: Archive, environment: Environment, durable: bool = False) -> Bench:
    """Check the hashes, and find a scratch server that can hold the backup; with `durable` one that waits for its disk.

    Raises Refused for a backup that is damaged, ConfigurationError where the server lacks something, Unreachable.
    """
    described = archive.readable()
    if faults := archives.check(archive):
        raise Refused(
            f"the backup {archive.name} is damaged, nothing was restored: {'; '.join(faults[:5])}",
            f"inv db.backups --env={described.environment} --check",
        )
    bench = _bench(root, environment, described.server_version_num // 10000, _major(described.client_version), durable)
    _refuse_unless_it_fits(bench, scratch_fit.needs_of_backup(described), environment)
    return bench


def refuse_unless_equal(archive: Archive, proof: Proof) -> None:
    """Raise NegativeAnswer, which names the differences, where the restored database was not what was backed up."""
    if not proof.equal:
        raise NegativeAnswer(
            f"the backup {archive.name} is not proven: {'; '.join(proof.differences)}",
            f"inv db.backup --prove --env={archive.folder.parent.name}",
        )


@contextmanager
def restored(archive: Archive, environment: Environment, bench: Bench, advance: Advance | None = None) -> Iterator[str]:
    """Yield the URL of a scratch database that holds the backup, and drop it. Workers in a deadlock get a second try.

    Every role that the dump names is there meanwhile, and nothing deletes the backup. Raises NotRestored.
    """
    described, jobs = archive.readable(), workers(environment)
    options = restoring.creation_options(described.settings, bench.major)
    programs_ = _restoring(described, environment, bench)
    there = roles.standing_in(partial(scratch.connect, bench.admin_url), described.roles)
    with archives.reading(archive.folder), there, ExitStack() as kept:

        def fill(jobs: int) -> str:
            url = kept.enter_context(scratch.database(bench.admin_url, options=options))
            restoring.restore(archive, Into(url, programs_, jobs, (NO_SUBSCRIPTIONS,)), advance)
            return url

        try:
            url = fill(jobs)
        except NotRestored as error:
            if not (error.deadlock and jobs > 1):
                raise
            kept.pop_all().close()
            url = fill(1)
        yield url


def _restoring(described: Manifest, environment: Environment, bench: Bench) -> Clients:
    compression = clients.compression_of(file.name for file in described.files)
    path, dumped_by = os.environ.get("PATH", ""), _major(described.client_version)
    return clients.restore_for(environment.pg_bin, path, dumped_by, bench.major, compression)


def _bench(root: Path, environment: Environment, major: int, dumped_by: int, durable: bool = False) -> Bench:
    """Return the scratch server; starts the private one. A newer pg_restore fails into a server that is too old."""
    if environment.scratch_url is None:
        raise ConfigurationError(
            f"{environment.name} does not say where its backups may be proven: its data is protected, and goes to the"
            " private server of this machine only when its file says so",
            f"write SCRATCH_URL={scratch.EMBEDDED}, or the URL of a server for scratch databases, into"
            f" envs/{environment.name}.env",
        )
    least = max(major, SETS_TRANSACTION_TIMEOUT) if dumped_by >= SETS_TRANSACTION_TIMEOUT else major
    if environment.scratch_url != scratch.EMBEDDED:
        return _named(environment, environment.scratch_url, least)
    chosen = _nearest(environment.pg_bin, least)
    url = scratch.admin_url(root, scratch.EMBEDDED, environment.pg_bin, chosen, durable)
    return Bench(url, chosen, f"the private server (PostgreSQL {chosen})")


def _named(environment: Environment, scratch_url: str, least: int) -> Bench:
    url = scratch.admin_url(Path(), scratch_url)
    connection = scratch.connect(url)
    major = connection.server_version // 10000
    connection.close()
    if major < least:
        raise ConfigurationError(
            f"the server of SCRATCH_URL is PostgreSQL {major}; a backup of {environment.name} needs {least} or newer",
            f"name a newer server in SCRATCH_URL, or use the private one: SCRATCH_URL={scratch.EMBEDDED}",
        )
    return Bench(url, major, f"the server of SCRATCH_URL (PostgreSQL {major})")


def _nearest(pg_bin: str, least: int) -> int:
    for major in range(least, NEWEST):
        with suppress(ConfigurationError):
            return programs.find_server_programs(pg_bin, major).major
    return programs.find_server_programs(pg_bin, least).major


def _refuse_unless_it_fits(bench: Bench, needs: Needs, environment: Environment) -> None:
    found = scratch_fit.lacking(bench.admin_url, needs)
    if found:
        raise ConfigurationError(
            f"a backup of {environment.name} cannot be proven on {bench.described}, which lacks {'; '.join(found)};"
            " nothing was dumped or restored",
            "SCRATCH_URL=URL of a server that has it, or PG_BIN=FOLDER of server programs that have it"
            f" (PostgreSQL {bench.major} or newer), and the same command again",
        )


def _major(version: str) -> int:
    return int(version.partition(".")[0])
