"""Real git repositories in folders of their own, which know nothing of the user's settings."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.migrations.histories import header

WITHOUT = ("GIT_", "PRE_COMMIT", "PYTHON")


def variables() -> dict[str, str]:
    """The variables of this process without those that lead git or Python elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(WITHOUT)}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_EDITOR": "true"}
    return kept | alone | {"GIT_ALLOW_PROTOCOL": "file"}


class Done(NamedTuple):
    """How a command ended; `out` has both streams."""

    code: int
    out: str


class Repository:
    """A repository and its working tree; `author` is the name in its commits."""

    def __init__(self, folder: Path, author: str = "Ann", init: bool = True) -> None:
        self.folder = folder
        self.environment = variables()
        if init:
            folder.mkdir(parents=True, exist_ok=True)
            self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", author)
        self.git("config", "user.email", f"{author}@example.org".lower())
        self.git("config", "commit.gpgsign", "false")

    def clone(self, folder: Path, author: str = "Bob", *options: str) -> "Repository":
        url = self.folder.as_uri() if options else str(self.folder)
        self.run("git", "clone", "-q", *options, url, str(folder))
        return Repository(folder, author, init=False)

    def git(self, *words: str, ok: bool = True, **changes: str) -> str:
        """Run git and return what it says on both streams; with `ok`, anything but 0 fails the test."""
        return self.run("git", *words, ok=ok, cwd=None, **changes).out

    def run(self, *words: str, ok: bool = True, cwd: Path | None = None, **changes: str) -> Done:
        done = subprocess.run(
            words,
            cwd=cwd or self.folder,
            env=self.environment | changes,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="surrogateescape",
            check=False,
        )
        assert not ok or done.returncode == 0, f"{words} ended with {done.returncode}\n{done.stdout}"
        return Done(done.returncode, done.stdout.strip())

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def revision(self, id_: str, *parents: str, name: str = "alembic/versions/{id}_x.py") -> Path:
        return self.write(name.format(id=id_), header(id_, parents))

    def add_revision(self, id_: str, *parents: str) -> None:
        """Write a revision, and commit it."""
        self.revision(id_, *parents)
        self.commit(f"add {id_}")

    def commit(self, message: str = "x", *options: str) -> str:
        self.git("add", "-A")
        return self.git("commit", "-q", "-m", message, *options)


def project(folder: Path, *ids: str) -> Repository:
    """A repository with Alembic's settings and a line of revisions, all of them committed."""
    made = Repository(folder)
    made.write("alembic.ini", "[alembic]\nscript_location = alembic\npath_separator = os\n")
    for id_, parents in zip(ids, [(), *((each,) for each in ids)], strict=False):
        made.revision(id_, *parents)
    made.commit("begin")
    return made


def rules(found: Sequence[object]) -> list[str]:
    """The rules of findings, or of the rows of a document."""
    return [each["rule"] if isinstance(each, dict) else getattr(each, "rule", "") for each in found]
