"""The body of check-env-files: reads the files of the environments from the folder or from git, and checks them."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from app.migrations import environment_checks as checks
from app.migrations import environments, git_tree
from app.migrations.environment_checks import File
from app.migrations.errors import MigrationError
from app.migrations.findings import Finding, in_order
from app.migrations.git_tree import Held
from scripts.hooks import ends, options
from scripts.hooks.history import pushed

LOCAL = ".env"
HELP = """Checks the files of the environments: the same keys in the same order, and no secret in a tracked file.

  check_env_files.py [--format=text|json|github|sarif] [--staged]

--staged  the files that git will hold: what is in the index or, where PRE_COMMIT_TO_REF is set, in that commit

Looks at envs/*.env and .env below the current folder. Ends with 1 when something blocks, 2 when it cannot be checked,
3 for a bug of this program.
"""


def main(arguments: Sequence[str]) -> int:
    """Check, report, and return the exit code."""
    asked = options.parse(arguments, ("format", "staged"))
    if asked.help:
        print(HELP, end="")
        return 0
    return ends.reported(check(Path.cwd(), asked.staged, os.environ), asked.format)


def check(root: Path, staged: bool, process: Mapping[str, str]) -> list[Finding]:
    """Check the files below `root`: in the folder or, with `staged`, what git will hold. Raises ConfigurationError."""
    found: list[Finding] = []
    for path, read, tracked in _held(root, process) if staged else _in_folder(root):
        try:
            file = File(path, read() or "", tracked)
        except MigrationError as error:
            found.append(checks.finding_of(error, Path(path).stem))
        else:
            found += [*checks.check_file(file), *checks.check_secrets(file)]
    return in_order(found)


Source = tuple[str, Callable[[], str | None], bool]
"""A path, what reads the file, and whether git hands it to everybody."""


def _in_folder(root: Path) -> Iterator[Source]:
    """Return what is there; where git does not say what it tracks, the shared files count as tracked."""
    held = git_tree.index_if_any(_shown(root), git_tree.start_index(_places(root)))
    paths = [path for name in environments.names(root) for path in (f"envs/{name}.env", environments.local_path(name))]
    for path in dict.fromkeys([*paths, LOCAL]):
        if (root / path).is_file():
            yield path, partial(environments.read_file, root, path), _is_tracked(path, held)


def _is_tracked(path: str, held: Held | None) -> bool:
    return path in held.entries if held else path != LOCAL and not path.endswith(".local.env")


def _held(root: Path, process: Mapping[str, str]) -> Iterator[Source]:
    """Return what the next commit holds or, before a push, the commit that is pushed."""
    shown, places, commit = _shown(root), _places(root), pushed(process)
    held = git_tree.commit(shown, places, commit) if commit else git_tree.index(shown, places)
    for path, text in git_tree.texts(held):
        yield path, partial(environments.decoded, text, path), True


def _places(root: Path) -> Sequence[str]:
    return [str(root.resolve() / "envs"), str(root.resolve() / LOCAL)]


def _shown(root: Path) -> "git_tree.Shown":
    """Return what makes a path of git one from `root`, if it is that of an environment's file."""
    top, here = str(root.resolve()), str(Path.cwd())

    def shown(name: bytes) -> str | None:
        path = os.path.relpath(os.path.normpath(os.path.join(here, os.fsdecode(name))), top)  # noqa: PTH118
        folder, _, file = path.replace(os.sep, "/").rpartition("/")
        is_one = (folder == "envs" and file.endswith(".env")) or path == LOCAL
        return path if is_one else None

    return shown
