"""Mermaid's text, against the rules of its lexer, as the parsers of Mermaid 10, 11 and 12 have confirmed them."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.migrations.entities import Column, Entity, Relationship
from app.migrations.headers import Revision
from app.migrations.history import History
from app.migrations.mermaid import MOST_REVISIONS, MOST_TEXT, entity_diagram, label, revision_graph, type_word
from tests.migrations.histories import grown

WORD = r"[A-Za-z_][A-Za-z0-9_]*"
KEYWORD = r"(?!(?:class|classdef|end|many|one|style|subgraph|to|u|constructor|toString)\b)"
QUOTED = r'"[^"%\r\n\v\x08\\]+"'
TYPE = r"(?![pfuPFU][kK]\b)[A-Za-z_][A-Za-z0-9_\[\]()-]*"
NAME = rf"(?![pfuPFU][kK]\b){WORD}"
COLUMN = rf"        {TYPE} {NAME}(?: (?:PK|FK|UK)(?:, (?:PK|FK|UK))*)?(?: {QUOTED})?"
ENTITY = rf"    {KEYWORD}{WORD}(?:\[{QUOTED}\])?(?: \{{)?"
RELATIONSHIP = rf"    {KEYWORD}{WORD} (?:\|\||\|o)(?:--|\.\.)(?:o\||o\{{) {KEYWORD}{WORD} : {QUOTED}"
NASTY = [
    "end", "class", "style", "to", "u", "one", "pk", "FK", "__proto__", "direction TB", "a b", " ", "2fa", "a-b", "é",
    "constructor", "toString",
    'say "x"', "50%", "a\\b", "a\nb", "#35;", "style:#x", "<b>", "`x`", "$$x$$", "[l](u)", "a~b~", "1. x", "- x", "_x_",
]  # fmt: skip


def entity(name: str, *columns: Column) -> Entity:
    return Entity(name, columns, (), "")


def column(name: str, type_: str = "integer", *keys: str, not_null: bool = False, comment: str = "") -> Column:
    return Column(name, type_, keys, not_null, (), comment)


def relationship(optional: bool = False, single: bool = False, identifying: bool = False) -> str:
    one = Relationship("users", "tenants", ("tenant_id",), optional, single, identifying)
    text, _ = entity_diagram([entity("tenants"), entity("users")], [one])
    return text.splitlines()[-1].strip()


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("bigint", "bigint"),
        ("character varying(100)[]", "varchar(100)[]"),
        ("character(4)", "char(4)"),
        ("timestamp with time zone", "timestamptz"),
        ("timestamp(3) without time zone", "timestamp(3)"),
        ("time(2) with time zone", "timetz(2)"),
        ("double precision", "float8"),
        ("bit varying(3)", "varbit(3)"),
        ("interval year to month", "interval_year_to_month"),
        ("public.mood[]", "mood[]"),
        ('"char"', "char"),
        ("pk", "pk_"),
    ],
)
def test_a_type_is_one_word(said: str, word: str) -> None:
    assert type_word(said)[0] == word


def test_what_a_word_cannot_say_is_in_the_note() -> None:
    users = entity("users", column("naïve", "numeric(10,2)", not_null=True, comment="by hand"))
    assert entity_diagram([users], [])[0] == (
        'erDiagram\n    users {\n        numeric(10_2) na_ve "naïve; numeric(10,2); not null; by hand"\n    }'
    )


def test_the_ends_of_a_relationship_say_how_many() -> None:
    assert relationship() == 'tenants ||..o{ users : "tenant_id"'
    assert relationship(optional=True) == 'tenants |o..o{ users : "tenant_id"'
    assert relationship(single=True) == 'tenants ||..o| users : "tenant_id"'
    assert relationship(identifying=True) == 'tenants ||--o{ users : "tenant_id"'


def test_names_that_become_the_same_word_stay_apart() -> None:
    text, _ = entity_diagram([entity("a b"), entity("a-b"), entity("a_b")], [])
    assert text.splitlines()[1:] == ['    a_b["a b"]', '    a_b_2["a-b"]', '    a_b_3["a_b"]']


def checked(name: str) -> None:
    """Check each line of two diagrams full of one name."""
    columns = [column(name, name, "PK", "FK", comment=name), column("n", "numeric(10,2)", comment=name)]
    own = Relationship(name, name, (name,), optional=False, single=True, identifying=True)
    text, _ = entity_diagram([entity(name, *columns), entity("plain"), entity(name + "!")], [own])
    for line in text.splitlines()[1:]:
        assert re.fullmatch(f"{COLUMN}|{ENTITY}|{RELATIONSHIP}|    }}", line), line
        assert "~" not in line
        assert not re.search(r"style.*:\S*#.*;|direction\s+(TB|BT|LR|RL)", line, re.I), line
    graph, _ = revision_graph(History([Revision("base"), Revision("r", ("base",), labels=(name,), message=name)]))
    for line in graph.splitlines()[1:]:
        assert re.fullmatch(r'    r_\w+(?:\["[^"`]+"\]|\{\{"[^"`]+"\}\}| (?:-->|-\.->) r_\w+)', line), line


@pytest.mark.parametrize("name", NASTY)
def test_a_name_cannot_break_a_diagram(name: str) -> None:
    checked(name)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20))
@settings(max_examples=150, deadline=None)
def test_no_name_at_all_can_break_a_diagram(name: str) -> None:
    checked(name)


def test_a_label_is_shown_as_it_is() -> None:
    assert label('50% of "x" <y>') == "50#37; of #34;x#34; #60;y#62;"
    assert label("add users.phone, drop tenant_id: done") == "add users.phone, drop tenant_id: done"
    assert label("1. _x_ `y`") == "1#46; #95;x#95; 'y'"
    assert label(" \n ") == "#32;"


def test_a_diagram_that_would_be_too_long_shows_the_columns_of_keys() -> None:
    wide = [entity(f"t{n}", column("id", "bigint", "PK"), *(column(f"c{m}") for m in range(40))) for n in range(80)]
    text, is_whole = entity_diagram(wide, [])
    assert not is_whole
    assert len(text) < MOST_TEXT
    assert text.count(" id PK\n") == 80
    assert " c1\n" not in text


def test_the_graph_of_revisions_shows_what_they_need() -> None:
    history = History(
        [
            Revision("a", message="first"),
            Revision("b", ("a",), labels=("billing",), irreversible="gone"),
            Revision("c", (), ("b",)),
        ]
    )
    assert revision_graph(history)[0].splitlines() == [
        "flowchart TB",
        '    r_a["a<br/>first"]',
        '    r_b{{"b (branch billing, head, irreversible)"}}',
        '    r_c["c (head)"]',
        "    r_a --> r_b",
        "    r_b -.-> r_c",
    ]


@pytest.mark.parametrize("seed", range(5))
def test_every_revision_and_every_edge_is_in_the_graph(seed: int) -> None:
    history = History(grown(seed, 60))
    text, _ = revision_graph(history)
    drawn = {(one, other) for other, one in re.findall(r"r_(\w+) (?:-->|-\.->) r_(\w+)", text)}
    assert drawn == {(each.id, below) for each in history for below in history.needs(each.id)}
    assert set(re.findall(r'r_(\w+)\["', text)) == set(history.revisions)


def test_a_long_history_shows_its_end() -> None:
    history = History([Revision("r0"), *(Revision(f"r{each}", (f"r{each - 1}",)) for each in range(1, 1000))])
    text, left_out = revision_graph(history)
    assert left_out == 1000 - MOST_REVISIONS
    assert text.splitlines()[1] == f'    older["{left_out} older revisions"]'
    assert f"    older --> r_r{left_out}" in text.splitlines()
    assert text.count("-->") == MOST_REVISIONS
