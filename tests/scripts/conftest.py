"""A first run of scripts/inv, made once, and copies of what it installed."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.clones import Done
from tests.scripts.installations import Index, Installation, Workshop, serve

AWKWARD = """a clône of $HOME, "quoted" 'twice' `date`"""


class FirstRun(NamedTuple):
    """Where it was, and how it ended."""

    installation: Installation
    done: Done


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    """A first run under an awkward name, with every variable and setting that could lead it astray."""
    installation = Installation(tmp_path_factory.mktemp("first") / AWKWARD, Workshop(tmp_path_factory.mktemp("wheels")))
    installation.make()
    astray = tmp_path_factory.mktemp("astray")
    (astray / "pip.py").write_text("raise SystemExit('the wrong pip')")
    (astray / "pip.conf").write_text("[install]\nuser = true\ncompile = false\n")
    normal = dict(installation.environment)
    folders = ["PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONHOME", "PYTHONPATH"]
    flags = ["PIP_USER", "PIP_NO_COMPILE", "PIP_NO_DEPS", "PYTHONDONTWRITEBYTECODE"]
    installation.environment |= dict.fromkeys(folders, str(astray)) | dict.fromkeys(flags, "1")
    installation.environment["PIP_CONFIG_FILE"] = str(astray / "pip.conf")
    done = installation.run("a b", "*", cwd=astray)
    installation.environment = normal
    return FirstRun(installation, done)


@pytest.fixture
def installed(first_run: FirstRun, tmp_path: Path) -> Installation:
    return first_run.installation.copy(tmp_path / "clone")


@pytest.fixture
def index(first_run: FirstRun) -> Iterator[Index]:
    with serve(first_run.installation.workshop.wheels) as index:
        yield index
