"""What the stages of the Dockerfile hold, read from it and from .dockerignore, and a folder laid out like one of them.

The folder holds the stage's files, the packages that are pinned for it and nothing else; Python sees no other package.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from scripts import select_requirements

ROOT = Path(__file__).resolve().parents[1]
STAGE = re.compile(r"FROM (\S+) AS (\S+)")


class Stage(NamedTuple):
    """One stage: what it is made from, and what it copies from the context, in order."""

    base: str
    copies: tuple[tuple[Sequence[str], str], ...]


def stages(dockerfile: str) -> dict[str, Stage]:
    found: dict[str, Stage] = {}
    name = ""
    for line in dockerfile.replace("\\\n", " ").splitlines():
        if stage := STAGE.match(line):
            name = stage[2]
            found[name] = Stage(stage[1], ())
        elif line.startswith("COPY ") and "--from=" not in line:
            *sources, target = line.split()[1:]
            found[name] = found[name]._replace(copies=(*found[name].copies, (sources, target)))
    return found


def is_ignored(path: str, dockerignore: str) -> bool:
    """As `docker build` decides: the last pattern that matches the path or a folder above it.

    https://docs.docker.com/build/concepts/context/#dockerignore-files
    """
    parts = path.split("/")
    above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    ignored = False
    for line in dockerignore.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        matcher = _expression(pattern.removeprefix("!").strip("/"))
        if any(matcher.fullmatch(each) for each in above):
            ignored = not pattern.startswith("!")
    return ignored


def _expression(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(known.get(each) or (each if each[:1] == "[" else re.escape(each)) for each in pieces))


def contents(context: Path, name: str) -> dict[str, Path]:
    """The files that a stage takes from the context, by their path in its working folder."""
    all_stages = stages((context / "Dockerfile").read_text())
    dockerignore = (context / ".dockerignore").read_text()
    files = [path.relative_to(context).as_posix() for path in context.rglob("*") if path.is_file()]
    let_in = [path for path in files if not is_ignored(path, dockerignore)]
    found: dict[str, Path] = {}
    for stage in _line(all_stages, name):
        for sources, target in stage.copies:
            for source in sources:
                found |= {to: context / name for name, to in _copied(let_in, source, target)}
    return found


def _line(all_stages: dict[str, Stage], name: str) -> Iterator[Stage]:
    """A stage and those below it, the lowest first."""
    stage = all_stages.get(name)
    if stage is not None:
        yield from _line(all_stages, stage.base)
        yield stage


def _copied(files: Sequence[str], source: str, target: str) -> Iterator[tuple[str, str]]:
    into = "" if target == "./" else target.rstrip("/")
    for path in files:
        if path == source:
            below = path.rpartition("/")[2] if target.endswith("/") else ""
            yield path, "/".join(filter(None, (into, below)))
        elif path.startswith(source + "/"):
            yield path, f"{into}/{path.removeprefix(source + '/')}"


def packages(*extras: str) -> list[str]:
    """The names of the packages that are pinned for the application and these extras, as far as they are here."""
    arguments = select_requirements.requirements(ROOT, extras)
    here = {select_requirements.normal(each.name) for each in metadata.distributions()}
    return [name for name in arguments if name in here]


def lay_out(context: Path, stage: str, names: Sequence[str], place: Path) -> dict[str, str]:
    """Make the folder of a stage; return the variables with which its `python` is run."""
    for to, file in contents(context, stage).items():
        (place / to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place / to)
    site, programs = place.with_name(place.name + "-site"), place.with_name(place.name + "-bin")
    site.mkdir()
    programs.mkdir()
    for name in names:
        _link(metadata.distribution(name), site)
    python = programs / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -B "$@"\n')
    python.chmod(0o755)
    path = os.pathsep.join((str(programs), "/usr/bin", "/bin"))
    return {"PATH": path, "PYTHONPATH": str(site), "HOME": "/nowhere", "APP_ENV": "docker"}


def _link(distribution: metadata.Distribution, site: Path) -> None:
    tops = {file.parts[0] for file in distribution.files or () if file.parts[0] not in {"..", "__pycache__"}}
    for top in tops:
        if not (site / top).exists():
            (site / top).symlink_to(Path(str(distribution.locate_file(top))))
