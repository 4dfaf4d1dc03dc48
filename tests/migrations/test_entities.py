"""What a picture shows of a real catalog, and the page that is made of it."""

import re

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import inspection, scratch
from app.migrations.catalog import Catalog
from app.migrations.entities import Entity, Relationship, Schema, Type, read
from app.migrations.headers import Revision
from app.migrations.history import History
from app.migrations.schema_page import cell, page
from tests.migrations import rich_schema
from tests.migrations.chains import ask


def catalog(url: str) -> Catalog:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return inspection.read(connection)


@pytest.fixture(scope="module")
def rich(scratch_admin: str) -> Catalog:
    with scratch.database(scratch_admin, rich_schema.template(scratch_admin)) as url:
        return catalog(url)


@pytest.fixture(scope="module")
def schema(rich: Catalog) -> Schema:
    return read(rich)


def entity(schema: Schema, name: str) -> Entity:
    (found,) = [each for each in schema.entities if each.name == name]
    return found


def test_a_partition_counts_as_its_parent(schema: Schema) -> None:
    names = {each.name for each in schema.entities}
    assert {"events", "hashed", "users", "children", "away"} <= names
    assert not [name for name in names if name.startswith(("events_", "hashed_", "attached"))]
    assert entity(schema, "events").traits == ("partitioned by RANGE (at)",)
    assert entity(schema, "children").traits == ("inherits parents, others",)
    assert entity(schema, "away").traits == ("foreign table",)


def test_columns_have_their_type_keys_and_comment(schema: Schema) -> None:
    columns = {each.name: each for each in entity(schema, "users").columns}
    assert list(columns)[:3] == ["id", "tenant_id", "email"]
    assert columns["id"].keys == ("PK",)
    assert (columns["tenant_id"].keys, columns["tenant_id"].unique_with) == (("FK",), ("email",))
    assert (columns["email"].keys, columns["email"].type, columns["email"].not_null) == (("UK",), "public.email", True)
    assert (columns["name"].keys, columns["name"].not_null) == ((), False)
    assert entity(schema, "tenants").columns[1].comment == "in the URL"
    assert entity(schema, 'Größe, "x" y.Ma "table", ON x.y').columns[1].name == "a.b"


def test_foreign_keys_are_relationships(schema: Schema) -> None:
    assert schema.relationships == (
        Relationship("hashed", "users", ("id",), optional=True, single=False, identifying=False),
        Relationship("refers", "events", ("id", "at", "kind"), optional=True, single=False, identifying=False),
        Relationship("users", "tenants", ("tenant_id",), optional=False, single=False, identifying=False),
        Relationship("users", "users", ("manager",), optional=True, single=False, identifying=False),
    )


def test_types_say_what_they_allow(schema: Schema) -> None:
    assert schema.types == (
        Type("domain", "email", "text CHECK ((VALUE ~ '@'::text))", ""),
        Type("domain", "price", "numeric(10,2) NOT NULL CHECK ((VALUE >= (0)::numeric))", "euros"),
        Type("enum", "mood", "'sad', 'it''s ok', 'calm', 'happy'", "how they feel"),
    )


def test_a_unique_key_within_the_foreign_key_allows_one_row(database: str) -> None:
    ask(
        database,
        """
        CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE by_key (id int PRIMARY KEY REFERENCES a, at date);
        CREATE TABLE by_constraint (id int UNIQUE NOT NULL REFERENCES a);
        CREATE TABLE by_index (id int REFERENCES a);
        CREATE UNIQUE INDEX ON by_index (id DESC NULLS LAST) INCLUDE (id);
        CREATE TABLE by_part (id int REFERENCES a, is_on boolean);
        CREATE UNIQUE INDEX ON by_part (id) WHERE is_on;
        CREATE TABLE by_expression (id int REFERENCES a);
        CREATE UNIQUE INDEX ON by_expression (abs(id));
        CREATE TABLE by_more (id int REFERENCES a, at date, PRIMARY KEY (id, at));
        """,
    )
    found = {each.child: each for each in read(catalog(database)).relationships}
    assert {name for name, each in found.items() if each.single} == {"by_key", "by_constraint", "by_index"}
    assert {name for name, each in found.items() if each.identifying} == {"by_key", "by_more"}
    assert {name for name, each in found.items() if each.optional} == {"by_index", "by_part", "by_expression"}


def test_the_tables_of_the_tools_are_left_out(migrated: str) -> None:
    assert [each.name for each in read(catalog(migrated)).entities] == ["sessions", "tenants", "users"]


def test_the_page_says_what_the_pictures_cannot(rich: Catalog) -> None:
    text = page(rich, History([Revision("a", message="first")]), "alembic/versions")
    assert text.count("```mermaid\n") == 2
    assert "| events | partitioned by RANGE (at) |" in text
    assert "| tenants | who pays |" in text
    assert "| mood | enum: 'sad', 'it''s ok', 'calm', 'happy'; how they feel |" in text
    assert '    events |o..o{ refers : "id, at, kind"' in text.splitlines()
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b", text)


def test_an_empty_history_has_a_page(database: str) -> None:
    text = page(catalog(database), History([]), "versions")
    assert text.endswith("## Tables\n\nThere are none.\n\n## Revisions\n\nThere are none.\n")


def test_a_cell_shows_a_text_as_it_is() -> None:
    assert cell("a | b\n`c` <d> tenant_id _e_") == r"a \| b \`c\` &lt;d&gt; tenant_id \_e\_"
