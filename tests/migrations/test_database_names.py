import re
from datetime import datetime, timedelta, timezone

import pytest

from app.migrations import database_names

AT = datetime(2026, 11, 22, 20, 1, 55, tzinfo=timezone(timedelta(hours=1)))
TOKEN = "0123456789abcdef"
NAMES = ["app", "MassaCorp", "été", 'a "quoted" name', "x" * 63, "é" * 31, "é" * 30 + "abc", "a.b*c(", "a b\\c", ""]


def test_a_kept_database_bears_the_time_in_utc() -> None:
    assert database_names.kept("MassaCorp", AT) == "MassaCorp_before_20261122T190155Z"


@pytest.mark.parametrize("name", NAMES)
def test_every_name_fits_and_is_recognised(name: str) -> None:
    for made in (database_names.kept(name, AT), database_names.built(name, TOKEN)):
        assert database_names.fits(made)
        assert database_names.set_aside(made)
    assert re.search(database_names.built_pattern(name), database_names.built(name, TOKEN))


def test_a_long_name_is_cut_between_two_characters() -> None:
    assert database_names.kept("é" * 31, AT) == "é" * 19 + "_before_20261122T190155Z"


@pytest.mark.parametrize("name", ["app", "app_before", "app_before_2026", "app_before_20261122T190155Z_x", "restoring"])
def test_another_name_is_not_taken_for_one_of_a_restore(name: str) -> None:
    assert not database_names.set_aside(name)


@pytest.mark.parametrize("name", ["app", "app2_restoring_0123456789abcdef", "app_restoring_0123456789abcdef_x"])
def test_what_was_built_for_another_database_is_not_taken_for_ours(name: str) -> None:
    assert not re.search(database_names.built_pattern("app"), name)


@pytest.mark.parametrize("name", ["", "x" * 64, "é" * 32, "a\0b"])
def test_what_is_too_long_or_empty_does_not_fit(name: str) -> None:
    assert not database_names.fits(name)
