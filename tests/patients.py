"""A copy of the repository under git whose databases fall ill, and the cures that the doctor prints, run as printed."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from app.migrations import scratch
from tests.clones import ROOT, Clone, Done, copy_tree, history_key
from tests.console import Console
from tests.migrations.chains import ask

HEAD, PARENT = "e5a72b8c9d0f", "a91f6d2c4b7e"
ENV = "docker"
TASKS = {"doctoring": ("doctor", "repair"), "verifying": ("verify", "adopt")}
"""What the cures need, by module; added where the menu does not have it."""
GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
Finding = dict[str, Any]


class Clinic:
    """One copy of the tree, committed, and a process that runs `inv` in it; every patient finds it as it was."""

    def __init__(self, clone: Clone, admin: str) -> None:
        self.clone, self.admin = clone, admin
        self.console = Console(clone)
        self.git("init", "--quiet")
        self.commit("base")
        self.base = self.git("rev-parse", "HEAD").strip()

    def git(self, *words: str) -> str:
        return subprocess.run([*GIT, *words], cwd=self.clone.folder, check=True, capture_output=True, text=True).stdout

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def clean(self) -> None:
        self.git("reset", "--quiet", "--hard", self.base)
        self.git("clean", "--quiet", "--force", "-d")
        for branch in self.git("for-each-ref", "--format=%(refname)", "refs/tags").split():
            self.git("update-ref", "-d", branch)

    def template(self) -> str:
        """A database that `inv db.upgrade` has brought to the head, with its journal."""
        code = (ROOT / "app/migrations/journal.py").read_bytes()
        key = "doctor" + sha256(history_key(ROOT).encode() + code).hexdigest()[:10]
        return scratch.template(self.admin, key, self._build)

    def _build(self, url: str) -> None:
        done = self.console.inv("db.upgrade", DATABASE_URL=url, APP_ENV=ENV, SCRATCH_URL=self.admin)
        assert done.code == 0, done
        ask(url, "DELETE FROM alembic_identity")


class Patient(NamedTuple):
    """A database in the clinic."""

    clinic: Clinic
    url: str

    @property
    def versions(self) -> Path:
        return self.clinic.clone.versions

    def inv(self, *words: str, **changes: str) -> Done:
        settings = {"DATABASE_URL": self.url, "APP_ENV": ENV, "SCRATCH_URL": self.clinic.admin, **changes}
        return self.clinic.console.run(words, settings)

    def upgrade(self, to: str = "head") -> None:
        done = self.inv("db.upgrade", f"--to={to}")
        assert done.code == 0, done

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return ask(self.url, query, *values)

    def examined(self, **changes: str) -> tuple[int, list[Finding]]:
        """Exit code and findings."""
        done = self.inv("db.doctor", "--json", **changes)
        assert done.out.startswith("{"), done
        return done.code, json.loads(done.out)["findings"]

    def run(self, command: str) -> Done:
        """Run a cure as it is printed: in the console where it is ours alone, else in a shell."""
        words = shlex.split(command)
        if words[0] == "inv" and "&&" not in words:
            return self.inv(*words[1:])
        settings = {"DATABASE_URL": self.url, "APP_ENV": ENV, "SCRATCH_URL": self.clinic.admin}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.clinic.clone.folder,
            env={**self.clinic.clone.environment, **settings, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def healed(self, by_hand: Callable[[], object] | None = None, most: int = 8) -> list[str]:
        """Cure from the top until nothing is found; return the cases in that order."""
        cured: list[str] = []
        while (seen := self.examined())[1]:
            first = seen[1][0]
            assert seen[0] == 1
            assert len(cured) < most, (cured, first)
            cured.append(first["case"])
            if first["command"]:
                done = self.run(first["command"])
                assert done.code == 0, (first, done)
            else:
                assert by_hand is not None, first
                by_hand()
        assert seen[0] == 0
        return cured

    def write(self, revision: str, parent: str, upgrade: str = "pass", downgrade: str = "pass") -> Path:
        body = f"def upgrade():\n    {upgrade}\n\n\ndef downgrade():\n    {downgrade}\n"
        return self.clinic.clone.write_revision(revision, parent, body)


@contextmanager
def clinic(folder: Path, admin: str) -> Iterator[Clinic]:
    copy = Clone(copy_tree(folder / "clinic"))
    tasks = copy.folder / "tasks.py"
    for module, names in TASKS.items():
        added = [f"from scripts.tasks import {module}", *(f"db.add_task({module}.{name})" for name in names)]
        if f"{module}." not in tasks.read_text():
            tasks.write_text("\n".join([tasks.read_text(), *added, ""]))
    opened = Clinic(copy, admin)
    try:
        yield opened
    finally:
        opened.console.__exit__(None, None, None)


@contextmanager
def patient(opened: Clinic, template: str | None) -> Iterator[Patient]:
    """A database of its own; the code is afterwards what it was."""
    with scratch.database(opened.admin, template) as url:
        try:
            yield Patient(opened, url)
        finally:
            opened.clean()
