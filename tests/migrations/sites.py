"""An environment of the test's own around a database, backed up into a folder of the test."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, NullPool, create_engine

from app.migrations import backup, proof
from app.migrations.archives import Archive
from app.migrations.environments import Environment
from app.migrations.manifest import Proof
from app.migrations.targets import Target

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import sys
from pathlib import Path
from tests.migrations.sites import site
place = site(Path(sys.argv[1]), sys.argv[2], scratch_url=sys.argv[3], backup_jobs=2)
made = place.make()
print("made", flush=True)
if sys.argv[4] == "prove":
    print(place.prove(made).equal, flush=True)
"""
"""A backup in a process of its own: folder of the backups, URL, SCRATCH_URL, "prove" or not."""


class Site(NamedTuple):
    """An environment, its target and an engine for it."""

    environment: Environment
    target: Target
    engine: Engine

    def make(self) -> Archive:
        return backup.make(ROOT, self.target, self.engine)

    def prove(self, archive: Archive) -> Proof:
        return proof.prove(ROOT, archive, self.environment)

    def check_provable(self) -> None:
        proof.check_provable(ROOT, self.environment, self.engine)


def site(folder: Path, url: str, **changes: Any) -> Site:
    """The environment `prod` on the database at `url`; `changes` are other values of its."""
    environment = Environment(**{"name": "prod", "database_url": url, "backup_dir": str(folder), **changes})
    return Site(environment, Target(environment, url, "the shop"), create_engine(url, poolclass=NullPool))


def start(folder: Path, url: str, scratch_url: str, prove: bool = False, **options: Any) -> "subprocess.Popen[str]":
    """Start a backup, and its proof, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), url, scratch_url, "prove" if prove else "only"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def programs_at_work(*words: str) -> list[str]:
    """The pg_dump and pg_restore processes that have all `words` in their arguments."""
    found = []
    for place in Path("/proc").iterdir():
        with suppress(OSError):
            line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if place.name.isdigit() and int(place.name) != os.getpid() and all(word in line for word in words):
                found.append(f"{place.name} {line}")
    return [line for line in found if "pg_dump" in line or "pg_restore" in line]
