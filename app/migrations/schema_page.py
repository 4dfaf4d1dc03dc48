"""The Markdown page of `inv db.diagram`: the schema and the revisions as pictures, and in words what those cannot show.

Reads nothing and writes no file. Nothing on the page changes while the history stays what it is.
"""

import re
from collections.abc import Iterable, Sequence

from app.migrations.catalog import Catalog
from app.migrations.entities import Entity, Schema, Type, read
from app.migrations.history import History
from app.migrations.mermaid import entity_diagram, revision_graph

HEAD = """# Schema

Written by `inv db.diagram` from what the history in `{folder}` builds. Not to be edited: run it again
after a new revision."""
LEGEND = """PK, FK and UK are primary, foreign and unique keys. A solid line is a foreign key within the primary key, a
dotted one any other; the end at a table says how many of its rows may belong to one of the other: `||` exactly one,
`|o` at most one, `o{` any number."""
KEYS_ALONE = "There are so many columns that only those of keys are drawn."
ARROWS = """An arrow leads from a revision to the next one, a dotted one to a revision that depends on it; a hexagon has
no way back."""
SPECIAL = re.compile(r"[\\`*|<>&~\[\]$#]|(?<![^\W_])_|_(?![^\W_])|^[-+=]")


def page(catalog: Catalog, history: History, folder: str) -> str:
    """Return the page for a catalog and the history that built it, which lies in `folder`.

    Raises ValueError where the history has `cycles`.
    """
    schema = read(catalog)
    graph, left_out = revision_graph(history) if len(history) else ("", 0)
    older = f"{left_out} older revisions are left out." if left_out else ""
    blocks = [
        HEAD.format(folder=folder),
        "## Tables",
        *_tables(schema),
        *(["## Types", _types(schema.types)] if schema.types else []),
        "## Revisions",
        *([_drawn(graph), " ".join(filter(None, [ARROWS, older]))] if graph else ["There are none."]),
    ]
    return "\n\n".join(blocks) + "\n"


def cell(text: str) -> str:
    """Return a text of one line as a cell of a Markdown table shows it."""
    return SPECIAL.sub(_escaped, " ".join(text.split()))


def _tables(schema: Schema) -> list[str]:
    if not schema.entities:
        return ["There are none."]
    diagram, is_whole = entity_diagram(schema.entities, schema.relationships)
    blocks = [_drawn(diagram), *([] if is_whole else [KEYS_ALONE])]
    blocks += [LEGEND] if schema.relationships else []
    told = [each for each in schema.entities if each.comment or each.traits]
    return [*blocks, *([_told(told)] if told else [])]


def _told(entities: Sequence[Entity]) -> str:
    return _table(
        ("table", "is"), ((each.name, "; ".join(filter(None, [*each.traits, each.comment]))) for each in entities)
    )


def _types(types: Sequence[Type]) -> str:
    return _table(
        ("type", "is"),
        ((each.name, "; ".join(filter(None, [f"{each.kind}: {each.meaning}", each.comment]))) for each in types),
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(heads), "|".join("---" for _ in heads), *(" | ".join(map(cell, row)) for row in rows)]
    return "\n".join([f"| {lines[0]} |", f"|{lines[1]}|", *(f"| {line} |" for line in lines[2:])])


def _drawn(diagram: str) -> str:
    return f"```mermaid\n{diagram}\n```"


def _escaped(found: re.Match[str]) -> str:
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(found[0], f"\\{found[0]}")
