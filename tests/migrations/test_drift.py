"""Which differences count: literals, no database."""

from app.migrations.catalog import Catalog, Key
from app.migrations.drift import Build, Drift, Found, compare

TABLE, COLUMN = Key("table", "public.t"), Key("column", "public.t.a")


def catalog(objects: dict[Key, dict[str, str]], columns: tuple[str, ...] = ("a",)) -> Catalog:
    return Catalog(objects, {"public.t": columns}, 18)


def told(history: dict[Key, dict[str, str]], target: dict[Key, dict[str, str]]) -> Drift:
    build = Build(catalog(history), catalog({}), "builder", {"vector": "0.8"})
    return compare(build, Found(catalog(target), "app", {"vector": "0.7"}))


def words(history: dict[Key, dict[str, str]], target: dict[Key, dict[str, str]]) -> list[str]:
    return [one.words("history", "target") for one in told(history, target).differences]


def test_nothing_is_nothing() -> None:
    assert told({TABLE: {"owner": "builder"}}, {TABLE: {"owner": "app"}}) == Drift((), ())


def test_an_owner_that_is_neither_set_nor_the_migrating_role_is_a_note() -> None:
    assert told({TABLE: {"owner": "builder"}}, {TABLE: {"owner": "x"}}) == Drift(
        (), ("1 object belongs to x: the history gives no owner there",)
    )


def test_an_owner_that_the_history_sets_counts() -> None:
    assert words({TABLE: {"owner": "keeper"}}, {TABLE: {"owner": "app"}}) == [
        'table public.t: owner is "app" in target, "keeper" in history'
    ]


def test_any_grant_counts_on_an_object_on_which_the_history_grants_something() -> None:
    history = {TABLE: {"owner": "builder", "grants to reader": "SELECT"}}
    assert words(history, {TABLE: {"owner": "app", "grants to reader": "SELECT", "grants to x": "ALL"}}) == [
        'table public.t: grants to x is "ALL" in target, not set in history'
    ]


def test_a_grant_to_the_owner_is_no_difference() -> None:
    history = {TABLE: {"owner": "builder", "grants to app": "SELECT"}}
    assert words(history, {TABLE: {"owner": "app"}}) == []


def test_the_default_privileges_of_the_builder_are_those_of_the_migrating_role() -> None:
    rights = {"grants to x": "SELECT"}
    history = {Key("default privileges", "of builder in public on tables"): {"owner": "builder", **rights}}
    target = {Key("default privileges", "of app in public on tables"): {"owner": "app", **rights}}
    assert told(history, target) == Drift((), ())
    assert words(history, {}) == ["default privileges of app in public on tables is missing in target"]
    assert told({}, target).differences == ()


def test_an_extension_is_compared_with_the_version_that_the_targets_own_server_takes() -> None:
    extension = Key("extension", "vector")
    assert words({extension: {"version": "0.8"}}, {extension: {"version": "0.7"}}) == []
    assert words({extension: {"version": "0.8"}}, {extension: {"version": "0.6"}}) == [
        'extension vector: version is "0.6" in target, "0.7" in history'
    ]
    assert words({extension: {"version": "0.5"}}, {extension: {"version": "0.7"}}) == [
        'extension vector: version is "0.7" in target, "0.5" in history'
    ]


def test_the_order_of_columns_is_a_note() -> None:
    objects: dict[Key, dict[str, str]] = {TABLE: {}, COLUMN: {}, Key("column", "public.t.b"): {}}
    build = Build(catalog(objects, ("a", "b")), catalog({}), "builder", {})
    found = Found(catalog(objects, ("b", "a")), "app", {})
    assert compare(build, found) == Drift((), ("the columns of public.t are in another order",))
