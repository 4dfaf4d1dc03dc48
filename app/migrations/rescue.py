"""Chooses what of a dump has to be restored for some of its tables, from `pg_restore --list --verbose`. Runs nothing.

A table comes with its rows, columns' defaults, own sequences, constraints, indexes, triggers, policies, comments and
grants, and with the types, functions, schemas and extensions that it needs; a partitioned table with its partitions.
Other tables that it needs (a partition's parent) come without rows. What ties it to tables that were not asked for,
such as a foreign key, is left out and named.
"""

import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from app.migrations.errors import ConfigurationError

TABLES = ("TABLE", "FOREIGN TABLE")
RELATIONS = (*TABLES, "MATERIALIZED VIEW", "VIEW")
ATTACHED = ("INDEX ATTACH", "TABLE ATTACH")
DATA = "TABLE DATA"
PARTS = (
    *ATTACHED, "SEQUENCE OWNED BY", "SEQUENCE SET", "SEQUENCE", "DEFAULT", "FK CONSTRAINT", "CHECK CONSTRAINT",
    "CONSTRAINT", "INDEX", "TRIGGER", "POLICY", "ROW SECURITY", "RULE", "STATISTICS DATA", "STATISTICS", "COMMENT",
    "ACL", "SECURITY LABEL", DATA,
)  # fmt: skip
HEAD = ("ENCODING", "STDSTRINGS", "SEARCHPATH")

_ENTRY = re.compile(r"(\d+); \d+ \d+ (.*)")
_NEEDS = re.compile(r";\s+depends on: ([\d ]+)")
_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')
_KINDS = sorted((*RELATIONS, *PARTS, *HEAD), key=len, reverse=True)


class Entry(NamedTuple):
    """One entry of a dump: `label` is its kind, schema, name and owner as pg_restore lists them; `kind` may be ""."""

    id: int
    label: str
    kind: str
    needs: frozenset[int]


class Selection(NamedTuple):
    """The list for `pg_restore --use-list`, and the labels of what belongs to the tables and is left out."""

    listed: str
    left_out: tuple[str, ...]


def parse(listing: str) -> list[Entry]:
    """Read what `pg_restore --list --verbose` prints."""
    found: list[Entry] = []
    for line in listing.splitlines():
        if entry := _ENTRY.fullmatch(line):
            label = entry[2].strip()
            kind = next((one for one in _KINDS if label.startswith(f"{one} ")), "")
            found.append(Entry(int(entry[1]), label, kind, frozenset()))
        elif (needs := _NEEDS.fullmatch(line)) and found:
            found[-1] = found[-1]._replace(needs=frozenset(map(int, needs[1].split())))
    return found


def find(entries: Iterable[Entry], tables: Iterable[str], roles: Collection[str]) -> set[int]:
    """Return the entries of the tables that are meant: as `schema.name`, quoted or not, or as the only such `name`.

    `roles` are the owners that there can be: a list does not say where a name ends and its owner begins. Raises
    ConfigurationError, with the nearest names, for a table that is not there.
    """
    known: dict[str, int] = {}
    for entry in entries:
        kind = next((one for one in TABLES if entry.kind == one), "")
        for role in roles if kind else ():
            if entry.label.endswith(f" {role}"):
                known[entry.label[len(kind) + 1 : -len(role) - 1].replace(" ", ".", 1)] = entry.id
    return {_meant(table, known) for table in tables}


def _meant(table: str, known: Mapping[str, int]) -> int:
    plain = ".".join(_parts(table))
    found = [name for name in known if name in (table, plain)]
    found = found or [name for name in known if name.split(".", 1)[1] in (table, plain)]
    if len(found) == 1:
        return known[found[0]]
    near = found or get_close_matches(plain, known, n=5, cutoff=0.5) or sorted(known)[:5]
    what = "stands for more than one table" if found else "is no table"
    raise ConfigurationError(
        f'"{table}" {what} of this backup; near it: {", ".join(near) or "none, it holds no table"}',
        f"the same command with --table={shlex.quote(near[0]) if near else 'SCHEMA.NAME'}",
    )


def _parts(name: str) -> list[str]:
    """Return the parts of a qualified name, without their quotes."""
    return [quoted.replace('""', '"') if quoted else plain for quoted, plain in _PART.findall(name)]


def select(entries: list[Entry], asked: set[int]) -> Selection:
    """Return what is to be restored, in the order of the dump, for the entries `asked` of some tables."""
    by_id = {entry.id: entry for entry in entries}
    asked = asked | _partitions(entries, by_id, asked)
    taken, left_out = set(asked), set[int]()
    size = -1
    while size != len(taken):
        size = len(taken)
        taken = _with_needs(by_id, taken)
        for entry in entries:
            if entry.kind in PARTS and entry.needs & taken and entry.id not in taken:
                wanted = _belongs(entry, by_id, asked, taken)
                (taken if wanted else left_out).add(entry.id)
    lines = [f"{entry.id}; {entry.label}" for entry in entries if entry.id in taken or entry.kind in HEAD]
    missing = [by_id[one] for one in sorted(left_out - taken) if by_id[one].needs & asked and by_id[one].kind != DATA]
    return Selection("\n".join(lines) + "\n", tuple(entry.label for entry in missing))


def with_rows(selected: Selection, names: Iterable[str]) -> set[str]:
    """Return which tables come with their rows, of those that `names` names as a manifest does."""
    labels = {name: " ".join(_parts(name)) for name in names}
    longest = sorted(labels, key=lambda name: len(labels[name]), reverse=True)
    lines = [line.partition("; ")[2] for line in selected.listed.splitlines()]
    data = [line.removeprefix(f"{DATA} ") for line in lines if line.startswith(f"{DATA} ")]
    return {name for one in data if (name := next((n for n in longest if one.startswith(f"{labels[n]} ")), ""))}


def _partitions(entries: Iterable[Entry], by_id: Mapping[int, Entry], asked: set[int]) -> set[int]:
    """Return the partitions of the tables asked for, at any depth: an ATTACH names the partition, then its parent."""
    found: set[int] = set()
    for entry in entries:
        if entry.kind == "TABLE ATTACH":
            both = [by_id[one] for one in entry.needs if one in by_id and by_id[one].kind in TABLES]
            name = entry.label.removeprefix("TABLE ATTACH ")
            child = {one.id for one in both if one.label.endswith(f"TABLE {name}")}
            if {one.id for one in both} - child & asked:
                found |= child
    return found if found <= asked else found | _partitions(entries, by_id, asked | found)


def _with_needs(by_id: Mapping[int, Entry], taken: set[int]) -> set[int]:
    waiting, found = list(taken), set(taken)
    while waiting:
        for one in by_id[waiting.pop()].needs - found:
            if one in by_id:
                found.add(one)
                waiting.append(one)
    return found


def _belongs(entry: Entry, by_id: Mapping[int, Entry], asked: set[int], taken: set[int]) -> bool:
    """Return whether a part comes along: it ties nothing to a table that was not asked for, and rows only to ours."""
    tables = {one for one in entry.needs if one in by_id and by_id[one].kind in RELATIONS}
    if entry.kind in ATTACHED:
        return entry.needs & set(by_id) <= taken
    if entry.kind in ("COMMENT", "ACL", "SECURITY LABEL"):
        return True
    return tables <= asked and (entry.kind != DATA or bool(tables))
