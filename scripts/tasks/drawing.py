"""The task that draws the schema: diagram."""

import os
import sys
from pathlib import Path

from invoke.context import Context

from scripts.tasks.command import ROOT, command

PAGE = "docs/schema.md"


@command(help={"out": f"the file to write ({PAGE})", "check": "write nothing; exit 1 where the file is not up to date"})
def diagram(c: Context, out: str = "", check: bool = False) -> None:
    """Draw the schema and the history, as Mermaid in a Markdown file."""
    from app.migrations import diagram as diagrams

    path = Path(out) if out else ROOT / PAGE
    page = diagrams.draw(ROOT, os.environ.get("SCRATCH_URL", ""), os.environ.get("PG_BIN", ""), _tell)
    shown = os.path.relpath(path)
    if _content(path) == page:
        print(f"{shown} is up to date")
    elif check:
        _refuse(path, shown, f"inv db.diagram --out={out}" if out else "inv db.diagram")
    else:
        _write(path, shown, page)


def _refuse(path: Path, shown: str, command: str) -> None:
    from app.migrations.errors import NegativeAnswer

    what = "does not show what the history builds now" if path.exists() else "is not there"
    raise NegativeAnswer(f"{shown} {what}; nothing was written", command)


def _write(path: Path, shown: str, page: str) -> None:
    from app.migrations.errors import ConfigurationError

    try:
        path.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigurationError(f"{shown} cannot be written: {error.strerror}", "inv db.diagram --out=FILE") from error
    print(f"wrote {shown}")


def _content(path: Path) -> str | None:
    """Return what is in the file; None where it is not there or is no text."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
