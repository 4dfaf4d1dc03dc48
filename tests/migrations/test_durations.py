from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.migrations.durations import LONGEST, parse_duration, render_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("250ms", 0.25),
        ("5s", 5),
        ("1.5min", 90),
        ("2h", 7200),
        ("1d", 86400),
        ("1500us", 0.002),
        ("10 min", 600),
    ],
)
def test_reads_what_postgresql_reads(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "10", "5S", "5 m", "1h30min", "-5s", "ms", "1e3s", "inf", "٣s", "10us", "25d", "0.1us", "5 s x"]
)
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="accepted: "):
        parse_duration(text)


@given(st.timedeltas(timedelta(0), LONGEST))
def test_what_is_rendered_reads_back(duration: timedelta) -> None:
    whole = duration // timedelta(milliseconds=1) * timedelta(milliseconds=1)
    assert parse_duration(render_duration(whole)) == whole
