"""The same view as servers before and from 16 on write it."""

import pytest

from app.migrations.catalog import Catalog, Difference
from app.migrations.deparsing import is_only_written_differently

OLDER = " SELECT users.id,\n    users.name\n   FROM public.users\n  WHERE users.active;"
NEWER = " SELECT id,\n    name\n   FROM public.users\n  WHERE active;"


def same(before: str, after: str, versions: tuple[int, int] = (18, 15), kind: str = "view") -> bool:
    one = Difference(kind, "public.v", "definition", before, after)
    return is_only_written_differently(one, *(Catalog({}, {}, version) for version in versions))


def test_tables_before_columns_are_no_difference_whichever_side_is_the_older() -> None:
    assert same(NEWER, OLDER)
    assert same(OLDER, NEWER, (15, 16))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NEWER, OLDER.replace("users.name", "users.email")),
        (NEWER, OLDER.replace("users.active", "NOT users.active")),
        (NEWER, OLDER.replace("public.users", "audit.users")),
        (NEWER, OLDER + " x"),
        ("SELECT a.id", "SELECT b.id"),
        ("SELECT 'a'", "SELECT 'b.a'"),
    ],
    ids=["another column", "another condition", "another table", "more", "of another table", "another text"],
)
def test_anything_else_is_one(before: str, after: str) -> None:
    assert not same(before, after)


def test_servers_that_write_alike_are_compared_as_they_write() -> None:
    assert not same(NEWER, OLDER, (18, 16))
    assert not same(NEWER, OLDER, kind="function")
