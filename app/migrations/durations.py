"""Lengths of time, written as PostgreSQL writes them. Never reads a clock."""

import re
from datetime import timedelta
from fractions import Fraction

UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
LONGEST = timedelta(milliseconds=2**31 - 1)
ACCEPTED = "0, or a number with one of the units us, ms, s, min, h, d, such as 250ms or 10min"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", re.A)


def parse_duration(text: str) -> timedelta:
    """Return the length of time, in whole milliseconds; raises ValueError with the end of a sentence.

    The units are those of https://www.postgresql.org/docs/current/config-setting.html, case included. Unlike there
    a bare number is refused, as 10 could mean 10 ms or 10 s, and so is what would round to 0, which means "no limit".
    """
    found = _DURATION.fullmatch(text.strip())
    if not found or (found[2] not in UNITS and text.strip() != "0"):
        raise ValueError(f'is "{text}"; accepted: {ACCEPTED}')
    microseconds = Fraction(found[1]) * UNITS.get(found[2], 0)
    if microseconds > LONGEST // timedelta(microseconds=1):
        raise ValueError(f'is "{text}"; accepted: at most {render_duration(LONGEST)} (24.8 days)')
    milliseconds = round(microseconds / 1000)
    if microseconds and not milliseconds:
        raise ValueError(f'is "{text}", less than a millisecond; accepted: {ACCEPTED}')
    return timedelta(milliseconds=milliseconds)


def render_duration(duration: timedelta) -> str:
    """Return the text that PostgreSQL and `parse_duration` read, in the largest unit that needs no fraction."""
    microseconds = duration // timedelta(microseconds=1)
    for unit, size in reversed(UNITS.items()):
        if microseconds and microseconds % size == 0:
            return f"{microseconds // size}{unit}"
    return "0"
