"""Mermaid's language: an entity-relationship diagram, and a flowchart of revisions. Reads nothing and writes no file.

The words of a diagram are held to what Mermaid 10, 11 and 12 all read: letters, digits and `_` in identifiers, the
rest in quotes, where a character with a meaning of its own is written as an entity (`#34;`).
https://mermaid.js.org/syntax/entityRelationshipDiagram.html
"""

import re
from collections.abc import Iterable, Sequence

from app.migrations.entities import Column, Entity, Relationship
from app.migrations.headers import Revision
from app.migrations.history import History

MOST_TEXT = 50_000
"""Characters of one diagram that Mermaid reads, unless it is told otherwise; GitHub does not tell it."""
MOST_REVISIONS = 200
"""Mermaid stops at 500 edges, and nobody reads as many."""
RESERVED = frozenset(
    {"class", "classdef", "direction", "end", "erdiagram", "many", "one", "only", "optionally"}
    | {"style", "subgraph", "title", "to", "u", "zero"}
    | {
        "constructor",
        "hasownproperty",
        "isprototypeof",
        "propertyisenumerable",
        "tolocalestring",
        "tostring",
        "valueof",
    }
)
"""Words of Mermaid's own, in any case, and what every object of JavaScript has: Mermaid 10 takes it for an entity."""
SHORT_TYPES = (
    (re.compile(r"character varying"), "varchar"),
    (re.compile(r"character(?=[(\[]|$)"), "char"),
    (re.compile(r"bit varying"), "varbit"),
    (re.compile(r"double precision"), "float8"),
    (re.compile(r"(timestamp|time)(\(\d\))? with time zone"), r"\1tz\2"),
    (re.compile(r"(timestamp|time)(\(\d\))? without time zone"), r"\1\2"),
)
"""PostgreSQL's own other names of types. https://www.postgresql.org/docs/current/datatype.html"""
KEY = re.compile(r"([pfu]k)(?!\w)", re.I)
"""What Mermaid takes for a mark, also where a type or a name is due."""
ALIKE = str.maketrans({"`": "'", "*": "\N{ASTERISK OPERATOR}", "~": "\N{TILDE OPERATOR}"})
"""Some releases of Mermaid 11 read Markdown out of entities too, and put an error in the place of a code span."""
BROKEN = re.compile(r"\$(?=\$)|\](?=\()")
"""The beginning of a formula and the middle of a link, whether they are entities or not."""
NOTHING = "\N{ZERO WIDTH SPACE}"
SPECIAL = re.compile(
    r"""["#%&\\<>$|\[\]{}\x00-\x1f\x7f]"""  # ends a string or a line, or begins something
    r"|:(?=\S)"  # `style...:...#...;` loses its semicolon wherever it stands
    r"|(?<![^\W_])_|_(?![^\W_])"  # Markdown: emphasis
    r"|(?<=^\d)\.|(?<=^\d\d)\.|^[-+=]"  # Markdown: a list, a heading
    r"|(?<=direction)\s(?=\s*(?:TB|BT|LR|RL|TD))",
    re.I,
)


class Names:
    """Identifiers for names of any kind: each its own, the same in each run that asks in the same order."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.known: dict[str, str] = {}
        self.taken: set[str] = set()

    def __getitem__(self, name: str) -> str:
        if name not in self.known:
            plain = self.prefix + (re.sub(r"[^A-Za-z0-9_]", "_", name) or "_")
            plain = f"t_{plain}" if plain[0].isdigit() else plain
            number, found = 1, f"{plain}_" if plain.lower() in RESERVED or plain.startswith("__") else plain
            while found in self.taken:
                number += 1
                found = f"{plain}_{number}"
            self.taken.add(found)
            self.known[name] = found
        return self.known[name]


def label(text: str) -> str:
    """Return a text of one line for between double quotes, so that it is shown as it is, and not read as Markdown."""
    flat = BROKEN.sub(rf"\g<0>{NOTHING}", " ".join(text.split()).translate(ALIKE))
    return SPECIAL.sub(lambda found: f"#{ord(found[0])};", flat) or f"#{ord(' ')};"


def entity_diagram(entities: Sequence[Entity], relationships: Iterable[Relationship]) -> tuple[str, bool]:
    """Return the diagram, and whether it shows every column: one that would be too long shows those of keys alone."""
    names = Names()
    for each in entities:
        names[each.name]
    related = [_relationship(names, each) for each in relationships]
    for only_keys in (False, True):
        lines = [line for each in entities for line in _entity(names, each, only_keys)]
        text = "\n".join(["erDiagram", *lines, *related])
        if len(text) <= MOST_TEXT:
            break
    return text, not only_keys


def type_word(type_: str) -> tuple[str, bool]:
    """Return a type as one word, by its shorter name where it has one, and whether that is all of it."""
    short = type_.replace('"', "").removeprefix("public.")
    for pattern, instead in SHORT_TYPES:
        short = pattern.sub(instead, short)
    word = _word(re.sub(r"[^A-Za-z0-9_\[\]()-]", "_", short))
    return word, word.replace("_", " ") == short.replace("_", " ")


def _entity(names: Names, entity: Entity, only_keys: bool) -> list[str]:
    name = names[entity.name]
    shown = "" if name == entity.name else f'["{label(entity.name)}"]'
    columns = [each for each in entity.columns if each.keys or not only_keys]
    if not columns:
        return [f"    {name}{shown}"]
    return [f"    {name}{shown} {{", *(f"        {_column(each)}" for each in columns), "    }"]


def _column(column: Column) -> str:
    type_, is_whole = type_word(column.type)
    name = _word(re.sub(r"[^A-Za-z0-9_]", "_", column.name))
    notes = [
        column.name if name != column.name or name[0] == name[-1] == "_" else "",  # Markdown: emphasis
        column.type if not is_whole else "",
        "not null" if column.not_null and "PK" not in column.keys else "",
        f"unique with {', '.join(column.unique_with)}" if column.unique_with else "",
        column.comment,
    ]
    said = "; ".join(" ".join(note.split()) for note in notes if note.strip())
    return " ".join(
        [type_, name, *([", ".join(column.keys)] if column.keys else []), *([f'"{label(said)}"'] * bool(said))]
    )


def _word(text: str) -> str:
    """Make a word, that is made of letters Mermaid knows, one that it does not take for a mark."""
    word = text if text[:1].isalpha() or text[:1] == "_" else f"_{text}"
    return KEY.sub(r"\1_", word, count=1) if KEY.match(word) else word


def _relationship(names: Names, one: Relationship) -> str:
    parent, child = "|o" if one.optional else "||", "o|" if one.single else "o{"
    line = "--" if one.identifying else ".."
    return f'    {names[one.parent]} {parent}{line}{child} {names[one.child]} : "{label(", ".join(one.columns))}"'


def revision_graph(history: History) -> tuple[str, int]:
    """Return the graph of revisions, the first on top, and how many of the oldest it leaves out.

    Raises ValueError where the history has `cycles`.
    """
    order = history.order()
    shown = order[:MOST_REVISIONS]
    left_out = len(order) - len(shown)
    known, names = set(shown), Names("r_")
    lines = [f'    older["{left_out} older revisions"]'] if left_out else []
    lines += [_node(names, history[id_], id_ in history.heads) for id_ in reversed(shown)]
    for id_ in reversed(shown):
        parents = [each for each in dict.fromkeys(history[id_].parents) if each in history]
        needed = [each for each in dict.fromkeys(history.needs(id_)) if each not in parents]
        lines += [f"    {_end(names, each, known)} --> {names[id_]}" for each in parents]
        lines += [f"    {_end(names, each, known)} -.-> {names[id_]}" for each in needed]
    return "\n".join(["flowchart TB", *dict.fromkeys(lines)]), left_out


def _end(names: Names, id_: str, known: set[str]) -> str:
    return names[id_] if id_ in known else "older"


def _node(names: Names, revision: Revision, is_head: bool) -> str:
    marks = [f"branch {each}" for each in revision.labels]
    marks += ["head"] * is_head + ["irreversible"] * bool(revision.irreversible)
    first = label(revision.id) + (f" ({label(', '.join(marks))})" if marks else "")
    text = "<br/>".join([first, *([label(revision.message)] if revision.message else [])])
    opening, closing = ("{{", "}}") if revision.irreversible else ("[", "]")
    return f'    {names[revision.id]}{opening}"{text}"{closing}'
