"""Prints the part of requirements.lock that the application needs, and extras besides, by name.

The lock holds all extras. What an image needs is what pyproject.toml names, and, since the lock says of each package
`# via` whom it came in, what those need in turn. Versions, markers and hashes stay as they are: there is one lock, and
a second one that could differ from it is never written. Reads these two files and nothing else; installs nothing.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
VIA = re.compile(r"^    # (?:via|  )\s*([A-Za-z0-9][A-Za-z0-9._-]*)(?: \(|$)", re.M)


class Pinned(NamedTuple):
    """One entry of the lock: its text, and the packages that it is there for."""

    text: str
    via: frozenset[str]


def normal(name: str) -> str:
    """Return a name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse(lock: str) -> dict[str, Pinned]:
    """Return the entries of a lock by name, in its order."""
    entries = re.findall(r"^[A-Za-z0-9].*\n(?:[ ]+.*\n)*", lock, re.M)
    return {_name(entry): Pinned(entry, frozenset(map(normal, VIA.findall(entry)))) for entry in entries}


def roots(project: Mapping[str, object], extras: Sequence[str]) -> Iterator[str]:
    """Return the names that [project] asks for, with these extras. Raises KeyError for one that is not there."""
    optional = project.get("optional-dependencies", {})
    for extra in extras:
        yield from (_name(each) for each in optional[extra])  # type: ignore[index]
    yield from (_name(each) for each in project["dependencies"])  # type: ignore[attr-defined]


def select(entries: Mapping[str, Pinned], wanted: set[str]) -> list[str]:
    """Return the names of the lock that `wanted` needs, in its order. Raises KeyError for one that it lacks."""
    needed, size = {name for name in wanted if entries[name]}, -1
    while size != len(needed):
        size = len(needed)
        needed |= {name for name, entry in entries.items() if entry.via & needed}
    return [name for name in entries if name in needed]


def requirements(root: Path, extras: Sequence[str]) -> dict[str, str]:
    """Return the entries of the lock that are needed, by name. Raises KeyError where the files do not agree."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    entries = parse((root / "requirements.lock").read_text())
    return {name: entries[name].text for name in select(entries, set(roots(project, extras)))}


def main(arguments: Sequence[str]) -> int:
    """Print the selection; return 2, with two lines on stderr, where the files do not agree."""
    try:
        chosen = requirements(ROOT, arguments)
    except KeyError as error:
        print(f"error: {error} is not in pyproject.toml or requirements.lock; nothing is printed", file=sys.stderr)
        print("  next: name an extra of pyproject.toml, or write the lock anew (CONTRIBUTING.md)", file=sys.stderr)
        return 2
    print("".join(chosen.values()), end="")
    return 0


def _name(text: str) -> str:
    found = NAME.match(text)
    return normal(found[0]) if found else ""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
