"""What people see of a history: its graph, in the characters and the width that their terminal has. Prints."""

import sys
from collections.abc import Collection
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from app.migrations import graph_lines
from app.migrations.headers import Revision, title
from app.migrations.history import History
from scripts.tasks.lines import say

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

    from scripts.tasks.lines import Part

STYLES = {"current": "bold green", "head": "bold yellow"}


def draw(script: "ScriptDirectory", current: Collection[str]) -> None:
    """Print the graph, each revision with its title; on a terminal titles are cut to its width."""
    history = of(script)
    width = get_terminal_size().columns if sys.stdout.isatty() else 0
    has_glyphs = _encoded(graph_lines.GLYPHS) == graph_lines.GLYPHS
    ellipsis = graph_lines.ELLIPSIS if has_glyphs else graph_lines.DOTS
    parts: list[Part] = []
    for line in graph_lines.lines(history, current):
        graph, name, said = graph_lines.text(line, width, ellipsis)
        style = next((style for mark, style in STYLES.items() if mark in line.marks), "yellow")
        drawn = graph if has_glyphs else graph.translate(graph_lines.PLAIN)
        parts += [(drawn, "dim"), (name, style), _encoded(said), "\n"]
    if parts:
        say(*parts[:-1])
    else:
        say("there are no revisions yet")
    for each in sorted(set(current) - set(history.revisions)):
        print(f"note: the database is at {each}, which is not in this checkout", file=sys.stderr)


def of(script: "ScriptDirectory") -> History:
    """Return a history that Alembic has loaded, in the order of its files."""
    loaded = sorted(script.walk_revisions(), key=lambda each: each.path)
    return History(
        Revision(
            each.revision,
            each._versioned_down_revisions,
            tuple(sorted(each._resolved_dependencies)),
            tuple(sorted(each._orig_branch_labels)),
            each.path,
            irreversible=getattr(each.module, "irreversible", None),
            message=title(each.doc),
        )
        for each in loaded
    )


def _encoded(text: str) -> str:
    """Return a text with `?` for what the output cannot take."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
