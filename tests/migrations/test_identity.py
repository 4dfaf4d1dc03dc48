"""Whose database it is: decided on plain values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.migrations.identity import Facts, Identity, Standing, is_original, judge, namesake

FACTS = Facts("7001", 16385, "db.example", 5432, "app")
PROD = Identity("prod", True, FACTS, "2026-11-01 08:00 UTC")


@pytest.mark.parametrize(
    ("seen", "what"),
    [
        (FACTS, "the database itself"),
        (FACTS._replace(host="10.0.0.7", port=6432), "by another host name and port, through a pooler or a tunnel"),
        (FACTS._replace(database="app_renamed"), "under another name of the database"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_environment_may_go_on_changing(seen: Facts, what: str) -> None:
    verdict = judge("prod", PROD, seen)
    assert (verdict.standing, verdict.reason) == (Standing.OURS, "")
    assert verdict.allows_change
    assert verdict.protected


def test_nothing_recorded_lets_everybody_begin() -> None:
    verdict = judge("dev", None, FACTS)
    assert verdict.standing is Standing.UNRECORDED
    assert verdict.allows_change


def test_a_url_without_an_environment_is_nobodys_but_as_protected_as_the_database_says() -> None:
    verdict = judge("", PROD, FACTS)
    assert verdict.allows_change
    assert verdict.protected


@pytest.mark.parametrize(
    "seen",
    [
        FACTS._replace(system="7002"),
        FACTS._replace(oid=20000),
        FACTS._replace(system=None, host="laptop"),
        FACTS._replace(system=None, oid=20000),
    ],
    ids=["another initdb", "another oid", "no identifier and another host", "no identifier and another oid"],
)
def test_a_copy_is_nobodys_until_it_is_claimed(seen: Facts) -> None:
    own, other = judge("prod", PROD, seen), judge("dev", PROD, seen)
    assert (own.standing, other.standing) == (Standing.COPY, Standing.ANOTHERS_COPY)
    assert not own.allows_change
    assert not other.allows_change
    assert own.next.endswith("`inv env.claim --env=prod`")
    assert "inv env.claim --env=dev" in other.next


def test_another_environments_database_is_named_with_the_way_out() -> None:
    verdict = judge("dev", PROD, FACTS)
    assert verdict.standing is Standing.ANOTHERS
    assert not verdict.allows_change
    assert verdict.reason == ("this database is prod (recorded 2026-11-01 08:00 UTC), and the command works as dev")
    assert verdict.next == "--env=prod if prod is meant; if this is a snapshot of it, `inv env.claim --env=dev`"


def test_without_the_right_to_see_the_identifier_oid_and_host_have_to_do() -> None:
    blind = FACTS._replace(system=None)
    assert is_original(FACTS, blind)
    assert is_original(blind, FACTS)
    assert not is_original(FACTS, blind._replace(port=5433))


@given(st.builds(Facts, st.none() | st.just("7001"), st.just(1), st.just("h"), st.just(5432), st.sampled_from("ab")))
def test_no_other_name_ever_gets_a_recorded_database(seen: Facts) -> None:
    assert not judge("dev", PROD, seen).allows_change


def test_a_namesake_is_another_file_that_names_this_very_place() -> None:
    others = [("test", FACTS._replace(host="localhost")), ("prod", FACTS._replace(system=None, oid=0))]
    assert namesake(FACTS, others) == "prod"
    assert namesake(FACTS._replace(database="other"), others) is None
