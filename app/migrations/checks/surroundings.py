"""What the rules have to know beside a file: the project's own packages, and the past. Reads folders and files."""
# ruff: noqa: PTH112, PTH113, PTH118, PTH208 -- pathlib is slower to load than to do without

import os
from collections.abc import Iterator

from app.migrations.checks.rule import Known
from app.migrations.checks.settings import FILE, TABLE, Settings

SOURCES = ("", "src", "lib")
INSTALLED = frozenset({"alembic", "sqlalchemy"})
"""Folders are often called so, and an import means the library all the same."""


def gather(root: str, settings: Settings) -> Known:
    """Return what is known of the project in `root`. The history is read only where `check_after` is set.

    Raises ConfigurationError where that names a revision which the history does not have.
    """
    after = settings.check_after
    return Known(frozenset(_packages(root)), _past(root, after) if after is not None else frozenset())


def _packages(root: str) -> Iterator[str]:
    """Return the names that `import` would find in the project: folders that hold Python, and modules."""
    for folder in SOURCES:
        place = os.path.join(root, folder)
        for entry in os.scandir(place) if os.path.isdir(place) else ():
            name, _, end = entry.name.partition(".")
            if not name.isidentifier() or name in INSTALLED:
                continue
            if end == "py" or (not end and entry.is_dir() and _holds_python(entry.path)):
                yield name


def _holds_python(folder: str) -> bool:
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return any(name.endswith(".py") for name in names) or any(
        os.path.isfile(os.path.join(folder, name, "__init__.py")) for name in names
    )


def _past(root: str, after: str) -> frozenset[str]:
    from app.migrations import history_files  # noqa: PLC0415 -- most projects do without

    history = history_files.read(root).history
    if after not in history:
        from app.migrations.errors import ConfigurationError  # noqa: PLC0415 -- its patterns are not free

        raise ConfigurationError(
            f"{FILE}: check_after is {after!r}, and the history has no such revision; nothing was checked",
            f"name one in full in [{TABLE}]: alembic history",
        )
    return frozenset({after, *history.ancestors([after])})
