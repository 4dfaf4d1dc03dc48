"""Catalogs as values: no database."""

import json

import pytest

from app.migrations.catalog import (
    Catalog,
    Difference,
    Key,
    Properties,
    difference,
    fingerprint,
    from_document,
    moved_columns,
    to_document,
    without,
)

USERS: dict[Key, Properties] = {
    Key("schema", "public"): {"owner": "pg_database_owner"},
    Key("table", "public.users"): {"owner": "ada", "grants to bob": "SELECT", "comment": "people"},
    Key("column", "public.users.id"): {"type": "integer", "not null": "yes", "identity": "always"},
    Key("column", "public.users.email"): {"type": "text"},
    Key("sequence", "public.users_id_seq"): {"type": "integer", "owned by": "public.users.id"},
    Key("constraint", "users_pkey ON public.users"): {"definition": "PRIMARY KEY (id)"},
    Key("index", "ix_email ON public.users"): {"definition": "CREATE INDEX ix_email ON public.users (email)"},
    Key("view", "public.v"): {"definition": " SELECT id\n   FROM public.users;"},
}
EMAIL = Key("column", "public.users.email")


def catalog(objects: dict[Key, Properties], version: int = 18, users: tuple[str, ...] = ()) -> Catalog:
    return Catalog(objects, {"public.users": users} if users else {}, version)


def changed(key: Key, **properties: str | None) -> Catalog:
    now = {name: value for name, value in {**USERS[key], **properties}.items() if value is not None}
    return catalog({**USERS, key: now})


def less(*keys: Key) -> Catalog:
    return catalog({key: properties for key, properties in USERS.items() if key not in keys})


def test_a_catalog_does_not_differ_from_itself() -> None:
    assert difference(catalog(USERS), catalog(dict(reversed(USERS.items())), version=16)) == []


def test_an_attribute_that_differs_is_named() -> None:
    (found,) = difference(catalog(USERS), changed(EMAIL, type="citext"))
    assert found == Difference("column", "public.users.email", "type", "text", "citext")
    assert found.words("the history", "prod") == (
        'column public.users.email: type is "citext" in prod, "text" in the history'
    )


def test_an_attribute_that_one_side_lacks_is_said_not_to_be_set() -> None:
    (found,) = difference(catalog(USERS), changed(EMAIL, **{"not null": "yes"}))
    assert found.words() == 'column public.users.email: not null is "yes" in after, not set in before'


def test_an_object_that_one_side_lacks_says_what_it_is() -> None:
    key = Key("index", "ix_email ON public.users")
    (found,) = difference(catalog(USERS), less(key))
    assert found == Difference(*key, None, "CREATE INDEX ix_email ON public.users (email)", None)
    assert found.words("the history", "prod") == "index ix_email ON public.users is missing in prod"
    (found,) = difference(less(key), catalog(USERS))
    assert found.words("the history", "prod") == "index ix_email ON public.users is only in prod"


def test_an_invalid_index_says_so_where_only_one_side_has_it() -> None:
    key = Key("index", "ix_email ON public.users")
    (found,) = difference(less(key), changed(key, valid="no"))
    assert found.after == "CREATE INDEX ix_email ON public.users (email), valid no"


def test_of_long_texts_the_first_line_that_differs_is_told() -> None:
    view = Key("view", "public.v")
    (found,) = difference(catalog(USERS), changed(view, definition=" SELECT id\n   FROM public.other;\n  LIMIT 1"))
    assert found.words() == 'view public.v: definition is "FROM public.other;" in after, "FROM public.users;" in before'


def test_a_missing_table_is_one_difference() -> None:
    gone = [key for key in USERS if "users" in key.name]
    found = difference(catalog(USERS), less(*gone))
    assert [one.object for one in found] == ["public.users"]


def test_every_consequence_is_told_when_asked_for() -> None:
    gone = [key for key in USERS if "users" in key.name]
    found = difference(catalog(USERS), less(*gone), consequences=True)
    assert {Key(one.kind, one.object) for one in found} == set(gone)


def test_a_missing_schema_is_one_difference() -> None:
    assert [one.object for one in difference(catalog(USERS), catalog({}))] == ["public"]


def test_the_sequence_goes_with_the_identity() -> None:
    column, sequence = Key("column", "public.users.id"), Key("sequence", "public.users_id_seq")
    after = changed(column, identity=None)
    after = catalog({key: value for key, value in after.objects.items() if key != sequence})
    assert [one.words() for one in difference(catalog(USERS), after)] == [
        'column public.users.id: identity is not set in after, "always" in before'
    ]


def test_a_sequence_that_is_lost_alone_is_told() -> None:
    found = difference(catalog(USERS), less(Key("sequence", "public.users_id_seq")))
    assert [one.object for one in found] == ["public.users_id_seq"]


@pytest.mark.parametrize(
    ("table", "index"),
    [
        ("public.t", "ix ON public.t"),
        ('public."t ON u"', 'ix ON public."t ON u"'),
        ('"a.b"."c ""d"" ON e"', '"f ON ""g"" h" ON "a.b"."c ""d"" ON e"'),
    ],
)
def test_names_with_dots_quotes_and_words_are_taken_apart(table: str, index: str) -> None:
    objects: dict[Key, Properties] = {Key("index", index): {}, Key("column", f'{table}."x.""y"" ON z"'): {}}
    before = catalog({Key("table", table): {}, **objects})
    assert [one.object for one in difference(before, catalog({}))] == [table]
    assert [one.object for one in difference(before, catalog({Key("table", table): {}}))] == sorted(
        (key.name for key in objects), key=lambda name: name == index
    )
    assert without(before, [table]).objects == {}


def test_what_a_partition_inherits_is_told_once() -> None:
    def with_type(name: str) -> Catalog:
        return catalog(
            {
                Key("table", "public.t"): {},
                Key("table", 'public."t 1"'): {"part of": "public.t"},
                Key("column", "public.t.a"): {"type": name},
                Key("column", 'public."t 1".a'): {"type": name, "inherited": "yes"},
            }
        )

    found = difference(with_type("integer"), with_type("bigint"))
    assert found == [("column", "public.t.a", "type", "integer", "bigint")]


def test_what_only_the_partition_has_is_told() -> None:
    objects: dict[Key, Properties] = {
        Key("table", "public.t"): {},
        Key("table", "public.t1"): {"part of": "public.t"},
        Key("column", "public.t.a"): {"type": "integer"},
        Key("column", "public.t1.a"): {"type": "integer", "inherited": "yes"},
    }
    other = {**objects, Key("column", "public.t1.a"): {"type": "integer", "inherited": "yes", "default": "1"}}
    assert [one.object for one in difference(catalog(objects), catalog(other))] == ["public.t1.a"]


def test_owners_and_grants_can_be_left_out() -> None:
    users = Key("table", "public.users")
    after = changed(users, owner="eve", **{"grants to bob": None, "grants to eve": "INSERT"})
    assert len(difference(catalog(USERS), after)) == 3
    assert [one.attribute for one in difference(catalog(USERS), after, owners=False)] == [
        "grants to bob",
        "grants to eve",
    ]
    assert [one.attribute for one in difference(catalog(USERS), after, grants=False)] == ["owner"]
    assert difference(catalog(USERS), after, grants=False, owners=False) == []


def test_default_privileges_count_as_grants() -> None:
    more = catalog({**USERS, Key("default privileges", "of ada on tables"): {"grants to bob": "SELECT"}})
    assert len(difference(catalog(USERS), more)) == 1
    assert difference(catalog(USERS), more, grants=False) == []
    assert fingerprint(catalog(USERS)) == fingerprint(more)


@pytest.mark.parametrize(("version", "expected"), [(16, 0), (17, 1)])
def test_a_privilege_that_one_server_has_not_heard_of_does_not_count(version: int, expected: int) -> None:
    users = Key("table", "public.users")
    before = catalog(USERS, version=version)
    assert len(difference(before, changed(users, **{"grants to bob": "MAINTAIN, SELECT"}))) == expected


def test_differences_come_by_kind_then_by_name() -> None:
    objects: dict[Key, Properties] = {
        Key(kind, name): {} for kind in ("zebra", "index", "table", "schema") for name in ("b", "a")
    }
    found = difference(catalog({}), catalog(objects))
    assert [(one.kind, one.object) for one in found] == [
        (kind, name) for kind in ("schema", "table", "index", "zebra") for name in ("a", "b")
    ]


def test_a_difference_is_a_document() -> None:
    (found,) = difference(catalog(USERS), changed(EMAIL, type="citext"))
    assert json.loads(json.dumps(found.to_document())) == {
        "kind": "column", "object": "public.users.email", "attribute": "type", "before": "text", "after": "citext",
    }  # fmt: skip


def test_a_catalog_survives_its_document() -> None:
    before = catalog(USERS, users=("id", "email"))
    assert from_document(json.loads(json.dumps(to_document(before)))) == before


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"format": 1},
        {"format": 1, "server_version": "18", "objects": [], "positions": {}},
        {"format": 1, "server_version": 18, "objects": [["table", "t"]], "positions": {}},
        {"format": 1, "server_version": 18, "objects": [["table", "t", []]], "positions": {}},
        {"format": 1, "server_version": 18, "objects": ["abc"], "positions": {}},
    ],
)
def test_what_is_not_the_document_of_a_catalog_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="catalog"):
        from_document(document)


def test_the_document_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="the format 2, and 1 is known"):
        from_document({"format": 2})


def test_a_fingerprint_is_pinned_since_manifests_hold_it() -> None:
    assert fingerprint(catalog(USERS)) == "1:23082e3f0578f1176a7cca8c2b4288b3fd9cb8b96b855d42e67a8fb59a261006"


def test_a_fingerprint_ignores_positions_owners_grants_and_the_server() -> None:
    users = Key("table", "public.users")
    other = changed(users, owner="eve", **{"grants to bob": None})
    assert fingerprint(Catalog(other.objects, {"public.users": ("email", "id")}, 16)) == fingerprint(catalog(USERS))
    assert fingerprint(changed(users, comment="others")) != fingerprint(catalog(USERS))


def test_columns_in_another_order_are_told_and_new_ones_passed_over() -> None:
    before = Catalog({}, {"public.t": ("a", "b", "c"), "public.u": ("a",), "public.v": ("a", "b")}, 18)
    after = Catalog({}, {"public.t": ("c", "d", "a"), "public.w": ("a",), "public.v": ("a", "x", "b")}, 18)
    assert moved_columns(before, after) == [("public.t", ("a", "c"), ("c", "a"))]


def test_an_object_is_left_out_with_what_belongs_to_it() -> None:
    assert without(catalog(USERS, users=("id",)), ["users"]) == catalog(
        {key: USERS[key] for key in (Key("schema", "public"), Key("view", "public.v"))}
    )
    assert without(catalog(USERS), ["other.users"]) == catalog(USERS)
