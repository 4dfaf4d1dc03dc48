"""Rows for the types of PostgreSQL's contrib modules, which the private server does not have."""

from collections.abc import Iterator

import pytest

from tests.migrations import private_servers, rich_schema
from tests.migrations.chains import ask
from tests.migrations.samples import count, fill

pytestmark = pytest.mark.slow

TYPES = {
    "citext": ("citext",),
    "hstore": ("hstore",),
    "ltree": ("ltree", "lquery", "ltxtquery", "ltree[]"),
    "cube": ("cube",),
    "seg": ("seg",),
    "isn": ("ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc"),
    "intarray": ("query_int",),
    "lo": ("lo",),
}
TABLES = """
CREATE EXTENSION btree_gist; CREATE EXTENSION earthdistance CASCADE; CREATE EXTENSION pgcrypto;
CREATE EXTENSION "uuid-ossp";
CREATE TABLE users (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), email citext NOT NULL UNIQUE CHECK (email ~ '@'),
    secret text NOT NULL DEFAULT gen_salt('md5'), tags hstore NOT NULL CHECK (tags ? 'kind'), place earth);
CREATE TABLE bookings (room int NOT NULL, during tstzrange NOT NULL, EXCLUDE USING gist (room WITH =, during WITH &&));
"""


@pytest.fixture(scope="module")
def fifteen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database of PostgreSQL 15 with contrib."""
    with private_servers.fifteen(tmp_path_factory.mktemp("contrib")) as url:
        yield url


def test_columns_of_contrib_types_are_filled_with_repeated_values_and_as_keys(fifteen: str) -> None:
    unfilled = fill(
        fifteen,
        "; ".join(f"CREATE EXTENSION IF NOT EXISTS {name} CASCADE" for name in TYPES)
        + "".join(
            f'; CREATE TABLE "c {type_}" (a {type_} NOT NULL, b {type_})' for types in TYPES.values() for type_ in types
        )
        + "; CREATE TABLE k1 (a citext PRIMARY KEY); CREATE TABLE k2 (a isbn13 PRIMARY KEY, b ltree UNIQUE)",
    )
    assert unfilled == {}
    for type_ in (type_ for types in TYPES.values() for type_ in types):
        assert count(fifteen, f'"c {type_}"') == 20, type_
        assert 0 < count(fifteen, f'"c {type_}" WHERE b IS NULL') < 20, type_
        assert 1 < count(fifteen, f'(SELECT DISTINCT a::text FROM "c {type_}") d') < 20, type_
    assert (count(fifteen, "k1"), count(fifteen, "k2")) == (20, 20)


def test_a_schema_that_leans_on_contrib_is_filled(fifteen: str) -> None:
    assert fill(fifteen, TABLES) == {}
    assert (count(fifteen, "users"), count(fifteen, "bookings")) == (20, 20)


def test_the_rich_schema_is_filled_on_an_old_server_too(fifteen: str) -> None:
    ask(fifteen, "CREATE DATABASE rich TEMPLATE template0")
    url = fifteen.replace("/app?", "/rich?")
    assert url != fifteen
    assert set(fill(url, rich_schema.SOURCE)) == {"public.events"}
