"""A copy of the working tree in a folder of its own, and commands run in it as a person would run them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import expected_cache, runner
from app.migrations.server import FOLDER
from tests import forks

ROOT = Path(__file__).resolve().parents[1]
OURS = ("DATABASE_URL", "APP_ENV", "PROTECTED", "BACKUP", "SCRATCH_URL", "PG_BIN", "CI")


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Clone:
    """One copy. `alembic` and `inv` run its code with this virtual environment."""

    def __init__(self, folder: Path, database_url: str | None = None) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if name not in OURS}
        if database_url is not None:
            self.environment["DATABASE_URL"] = database_url

    @property
    def versions(self) -> Path:
        return self.folder / "alembic/versions"

    def alembic(self, *arguments: str, ok: bool = True, **changes: str) -> Done:
        return self.fork("alembic", *arguments, ok=ok, changes=changes)

    def inv(self, *arguments: str, ok: bool = True, cwd: str = ".", **changes: str) -> Done:
        return self.fork("invoke", *arguments, ok=ok, changes=changes, cwd=cwd)

    def fork(self, module: str, *arguments: str, ok: bool, changes: Mapping[str, str], cwd: str = ".") -> Done:
        """Run `python -m module` without loading the libraries anew; otherwise like `run`."""
        with TemporaryDirectory() as folder:
            output = Path(folder)
            code = forks.run(module, arguments, self.folder / cwd, {**self.environment, **changes}, output)
            done = Done(code, (output / "out").read_text(), (output / "err").read_text())
        return self._checked(done, arguments, ok)

    def run(self, *arguments: str, ok: bool = True, changes: Mapping[str, str], cwd: str = ".") -> Done:
        """Run this Python with `arguments`; with `ok`, anything but exit code 0 fails the test."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder / cwd,
            env={**self.environment, **changes},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return self._checked(Done(done.returncode, done.stdout, done.stderr), arguments, ok)

    def _checked(self, done: Done, arguments: Sequence[str], ok: bool) -> Done:
        assert not ok or done.code == 0, f"{arguments} ended with {done.code}\n{done.out}{done.err}"
        return done

    def remember(self, root: Path) -> None:
        """Copy what the scratch builds of the tree at `root` have found out, so that they are not made again."""
        known, place = root / FOLDER / expected_cache.FOLDER, self.folder / FOLDER
        place.mkdir(mode=0o700)
        if known.exists():
            shutil.copytree(known, place / expected_cache.FOLDER, ignore=shutil.ignore_patterns(".*"))

    def write_revision(self, revision: str, parent: str, body: str) -> Path:
        """Add a revision file; `body` holds its upgrade and downgrade."""
        path = self.versions / f"{revision}_written_by_a_test.py"
        header = (
            f'"""written_by_a_test"""\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{revision}"\n'
        )
        path.write_text(f'{header}down_revision = "{parent}"\nbranch_labels = None\ndepends_on = None\n\n{body}\n')
        return path


def copy_tree(folder: Path) -> Path:
    """Copy what git tracks or would track, and nothing that is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def history_key(root: Path) -> str:
    """What tells one history from another: a template database is built once for each."""
    names = sorted((root / "alembic").rglob("*.py"))
    return sha256(b"".join(path.name.encode() + path.read_bytes() for path in names)).hexdigest()[:16]


def build_head(root: Path, url: str) -> None:
    """Bring an empty database to the head, on a bare connection: without lock, journal and identity."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        command.upgrade(runner.config(root, connection=connection), "head")
