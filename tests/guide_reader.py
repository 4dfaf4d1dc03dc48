"""Somebody who follows the team's guide to the letter: types its commands in bash, writes its files, keeps its models.

Their place is a clone with a git repository; its dev database is on a private server of its own.
"""

import difflib
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import history_files, inspection
from app.migrations.catalog import Catalog
from tests import guide_blocks
from tests.clones import Clone
from tests.forked_commands import Forked
from tests.guide_blocks import Block
from tests.repositories import Repository

SHELL = "exec 2>&1 </dev/null\nset -eu\n"
SQL = """
import os, signal, sys
from sqlalchemy.pool import NullPool
from app.core.config import ROOT, settings
from app.core.engine import make_engine
from app.migrations import targets

url = targets.resolve(settings(), ROOT).url
connection = make_engine(url, NullPool).connect()
if sys.argv[1] == "url":
    print(url)
elif sys.argv[1] == "release":
    os.kill(int((ROOT / ".holder").read_text()), signal.SIGKILL)
elif sys.argv[1] == "hold":
    connection.exec_driver_sql(sys.argv[2])
    if child := os.fork():
        (ROOT / ".holder").write_text(str(child))
        os._exit(0)
    os.closerange(1, 3)
    signal.alarm(120)
    signal.pause()
else:
    connection.exec_driver_sql(sys.argv[1])
    connection.commit()
"""
"""`sql STATEMENT` stages a trouble in dev; `sql hold STATEMENT` keeps its locks until `sql release`."""


class Said(NamedTuple):
    """How a block ended, and what it printed on both streams."""

    code: int
    out: str


class Reader:
    """The person; `places` are addresses of the guide, and where they really lead; `major` is their PostgreSQL."""

    def __init__(self, clone: Clone, forked: Forked, places: Mapping[str, str], major: int) -> None:
        self.clone, self.places, self.major = clone, places, major
        tools, python = clone.folder.parent / "tools", sys.executable
        forked.write_python(clone.folder / ".venv/bin/python", python)
        forked.write_module(tools / "alembic", "alembic")
        _program(tools / "sql", f'exec {python} -c "$SQL" "$@"')
        shutil.copy(clone.folder / "requirements.lock", clone.folder / ".venv")
        path = os.pathsep.join([str(tools), str(Path(python).parent), os.environ["PATH"]])
        inherited = {
            name: value for name, value in clone.environment.items() if not name.startswith(("GIT_", "PRE_COMMIT"))
        }
        git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        self.environment = {**inherited, **git, "PATH": path, "SQL": SQL, "COLUMNS": "200", "NO_COLOR": "1"}
        self.repository = Repository(clone.folder)
        self.repository.commit("what is published")

    def follow(self, block: Block) -> None:
        """Do what the block says, and fail where it turns out otherwise than the guide has it."""
        if block.language == "bash":
            self._type(block)
        elif block.path:
            (self.clone.folder / block.path).write_text(self._placed(block.text, str), encoding="utf-8")
        elif block.is_revision and block.quoted:
            self._see_it_fail(block)
        elif block.is_revision and block.mark != guide_blocks.WRONG:
            self._apply(block)

    def bash(self, text: str) -> Said:
        done = subprocess.run(
            ["bash", "-c", SHELL + self._placed(text, shlex.quote)],
            cwd=self.clone.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Said(done.returncode, done.stdout)

    def _placed(self, text: str, written_as: Callable[[str], str]) -> str:
        for address, real in self.places.items():
            text = text.replace(address, written_as(real))
        return text

    def _type(self, block: Block) -> None:
        said = self.bash(block.text)
        where = f"{_place(block)}\n{block.text}ended with {said.code} and printed\n{said.out}"
        if block.mark == guide_blocks.WRONG:
            assert said.code, f"{where}and is shown as something that does not work"
            assert block.quoted in said.out, where
        else:
            assert said.code == int(block.value if block.mark == guide_blocks.CODE else 0), where
        if block.output is not None:
            expected = block.output.replace("PostgreSQL 18", f"PostgreSQL {self.major}")
            assert matches(expected, said.out), f"{where}instead of\n{expected}{_difference(expected, said.out)}"

    def _apply(self, block: Block) -> None:
        """Up, down, up: the schema comes back both times."""
        self._write(block)
        before = self._schema()
        self.clone.inv("db.upgrade", "--no-verify")
        if block.mark == guide_blocks.FINAL:
            return
        after = self._schema()
        self.clone.inv("db.downgrade")
        assert self._schema() == before, f"{_place(block)}: the downgrade leaves something"
        self.clone.inv("db.upgrade", "--no-verify")
        assert self._schema() == after, f"{_place(block)}: the second time it is another schema"

    def _see_it_fail(self, block: Block) -> None:
        """PostgreSQL refuses it with the message that stands above the block; what is wrong leaves nothing behind."""
        path, before = self._write(block), self._schema()
        done = self.clone.inv("db.upgrade", "--no-verify", ok=False)
        assert (done.code, block.quoted in done.err) == (5, True), f"{_place(block)}\n{done.out}{done.err}"
        if block.mark == guide_blocks.WRONG:
            path.unlink()
            assert self._schema() == before, _place(block)

    def _write(self, block: Block) -> Path:
        """Put the revision on top of the history, under a header as the template writes it."""
        id_ = sha256(block.text.encode()).hexdigest()[:12]
        (head,) = history_files.read(str(self.clone.folder)).history.heads
        path = self.clone.versions / f"{id_}_of_line_{block.line}.py"
        path.write_text(header(id_, head, block.title) + block.text, encoding="utf-8")
        return path

    def _schema(self) -> Catalog:
        with create_engine(self._dev, poolclass=NullPool).connect() as connection:
            return inspection.read(connection)

    @cached_property
    def _dev(self) -> str:
        return self.bash("sql url").out.strip()


def header(id_: str, parent: str, title: str) -> str:
    """How a revision file begins."""
    return (
        f'"""{title}"""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
        f'revision = "{id_}"\ndown_revision = "{parent}"\nbranch_labels = None\ndepends_on = None\n\n\n'
    )


def matches(expected: str, printed: str) -> bool:
    """Compare line by line; … stands for anything in a line, and alone on a line for any number of them."""
    lines = _lines(expected)
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n" for line in lines
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(printed))) is not None


def _place(block: Block) -> str:
    return f"alembic/README.md:{block.line}"


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def _difference(expected: str, printed: str) -> str:
    return "\n".join(difflib.unified_diff(_lines(expected), _lines(printed), "guide", "printed", lineterm="", n=1))


def _program(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
