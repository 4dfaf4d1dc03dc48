"""The part of the lock that goes into an image: all that the application needs, pinned, and nothing else."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts.select_requirements import normal, parse, requirements, select

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
SMALL = """# how it was made
app==1 \\
    --hash=sha256:aa
    # via project (pyproject.toml)
both==2 ; python_version < '3.12' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via
    #   App_Lib
    #   tester
app-lib==3 \\
    --hash=sha256:dd
    # via app
tester==4 \\
    --hash=sha256:ee
    # via project (pyproject.toml)
"""


def needed(names: Iterable[str]) -> set[str]:
    """What the installed packages themselves say that these need, on this machine."""
    found: set[tuple[str, str]] = set()
    pending = [(Requirement(name), extra) for name in names for extra in ["", *Requirement(name).extras]]
    while pending:
        requirement, extra = pending.pop()
        key = normal(requirement.name), extra
        if key not in found:
            found.add(key)
            for text in metadata.requires(requirement.name) or ():
                below = Requirement(text)
                if below.marker is None or below.marker.evaluate({"extra": extra}):
                    pending += [(below, each) for each in ["", *below.extras]]
    return {name for name, _ in found}


def test_what_is_needed_is_found_through_what_is_between() -> None:
    entries = parse(SMALL)
    assert list(entries) == ["app", "both", "app-lib", "tester"]
    assert select(entries, {"app"}) == ["app", "both", "app-lib"]
    assert select(entries, {"tester"}) == ["both", "tester"]
    assert "".join(entry.text for entry in entries.values()) == SMALL.split("\n", 1)[1]
    with pytest.raises(KeyError):
        select(entries, {"elsewhere"})


@pytest.mark.parametrize("extras", [(), ("ops",), ("ops", "dev")], ids=["api", "ops", "all"])
def test_it_is_what_the_packages_themselves_ask_for(extras: tuple[str, ...]) -> None:
    asked = [*PROJECT["dependencies"], *(each for extra in extras for each in PROJECT["optional-dependencies"][extra])]
    chosen = set(requirements(ROOT, extras))
    elsewhere = {name for name in chosen if "sys_platform" in parse(LOCK)[name].text.split("\\")[0]}
    assert chosen - elsewhere == needed(asked) - elsewhere


def test_every_line_is_the_locks_own_and_every_package_has_its_hashes() -> None:
    printed = subprocess.run(
        [sys.executable, "-I", "-S", "scripts/select_requirements.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed in {"".join(requirements(ROOT, ()).values())}
    for name, entry in parse(printed).items():
        assert entry.text in LOCK
        assert re.match(rf"{re.escape(name)}==\S+ .*\\\n    --hash=sha256:[0-9a-f]{{64}}", entry.text)


def test_no_dev_package_is_among_them() -> None:
    ours = set(requirements(ROOT, ()))
    for extra in ("ops", "dev"):
        assert ours.isdisjoint(normal(Requirement(each).name) for each in PROJECT["optional-dependencies"][extra])


def test_an_extra_that_is_not_there_is_an_error() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/select_requirements.py", "nope"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "error: 'nope' is not in pyproject.toml or requirements.lock; nothing is printed\n  next: "
    )
