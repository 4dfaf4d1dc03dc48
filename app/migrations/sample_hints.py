"""What the text of a condition gives away about the values that it accepts: its constants, and what is near them.

Nothing here understands a condition: the server judges every value. Never opens a connection.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice, pairwise
from json import dumps
from random import Random
from typing import NamedTuple

from app.migrations.sample_patterns import like, regular
from app.migrations.sample_scalars import HEADER, Supply
from app.migrations.sample_types import Type

TOKEN = re.compile(
    r"""(?P<string>[eE]?'(?:[^']|'')*') | (?P<name>"(?:[^"]|"")+"|[^\W\d][\w$]*) |
    (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)""",
    re.X,
)
NEXTVAL = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)$")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
LONGEST = 2000
"""Of a text that is made because a condition names a length."""
DAYS = (0, 1, -1, 7, 31, -365)
TEXTS = (
    "a", "A", "ab", "AB", "FR", "EUR", "fr_FR", "abc-123", "ABC123", "12345", "0", "Abc", "a@example.com",
    "https://example.com/a", "+33612345678", "2024-01-31", "12:30", "#a1b2c3", "a.b", "10.0.0.1", "1.0.0",
    "text/plain", "11111111-1111-4111-8111-111111111111", "/a/b", "{}", " a", "d41d8cd98f00b204e9800998ecf8427e",
)  # fmt: skip
NUMBERED = ("user{0}@example.com", "https://example.com/{0}", "+331234567{0}", "a{0}", "A{0}", "{0}", "2024-01-{0}")
SEVERAL = 21
"""More than a table gets rows: a key wants that many."""
WHOLE = {"int2": 2**15, "int4": 2**31, "int8": 2**63, "oid": 2**31}
FRACTIONAL = frozenset({"numeric", "float4", "float8", "money"})
SPECIAL = re.compile(r"[\\\[\](){}.*+?|^$]")


class Constants(NamedTuple):
    """The constants of a condition: strings, and everything that reads as a number."""

    texts: tuple[str, ...]
    numbers: tuple[Decimal, ...]


def mentioned(text: str, quoted: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns, given with their names as SQL, that the text of an expression names."""
    names = {token["name"] for token in TOKEN.finditer(text) if token["name"]}
    return tuple(name for name, written in quoted.items() if written in names)


def with_value(text: str, name: str) -> str:
    """Return the condition of a domain with `name` in the place of VALUE."""
    return TOKEN.sub(lambda token: name if token["name"] == "VALUE" else token[0], text)


def constants(texts: Iterable[str]) -> Constants:
    """Return the constants of all these conditions, each once, in the order of the text."""
    strings, numbers = dict[str, None](), dict[Decimal, None]()
    for token in (token for text in texts if "satisfies_hash_partition" not in text for token in TOKEN.finditer(text)):
        if token["string"]:
            written = token["string"][1:] if token["string"][0] in "eE" else token["string"]
            string = written[1:-1].replace("''", "'")
            strings[string.replace("\\\\", "\\") if written is not token["string"] else string] = None
            if NUMBER.fullmatch(string):
                numbers[Decimal(string)] = None
        elif token["number"]:
            numbers[Decimal(token["number"])] = None
    return Constants(tuple(strings), tuple(numbers))


def hints(type_: Type, modifier: int, inner: Supply | None, found: Constants, random: Random) -> list[str]:
    """Return values of a type that are, or are near, the constants; a value that the type does not take may occur."""
    if type_.name in WHOLE or type_.name in FRACTIONAL:
        made: Iterable[str] = _numbers(type_, modifier, found)
    elif type_.kind == "e":
        made = type_.labels
    elif type_.category == "S":
        made = _texts(modifier, found, random)
    elif type_.kind == "a":
        made = _arrays(type_, inner, found)
    elif type_.name in {"json", "jsonb"}:
        made = _documents(found)
    elif type_.name == "hstore":
        words = [dumps(text, ensure_ascii=False) for text in found.texts]
        made = (", ".join(f"{word}=>{value}" for word in words) for value in ("1", "a", '""', "NULL", *words))
    elif type_.category == "D":
        made = _days(type_, found)
    elif type_.kind in {"r", "m"}:
        made = _ranges(type_, found)
    else:
        made = (text for text in found.texts if type_.category != "B")
    return list(dict.fromkeys(made))


def _numbers(type_: Type, modifier: int, found: Constants) -> Iterator[str]:
    whole = type_.name in WHOLE
    scale = 0 if whole else 2
    limit = Decimal(WHOLE.get(type_.name, 10**15))
    if type_.name == "numeric" and modifier >= HEADER:
        scale = ((modifier - HEADER & 0x7FF) ^ 1024) - 1024
        limit = Decimal(10) ** (((modifier - HEADER) >> 16 & 0xFFFF) - scale)
    step = Decimal(1).scaleb(-scale)
    ordered = sorted({*found.numbers, *(-number for number in found.numbers)})
    near = [number + shift for number in found.numbers for shift in (0, step, -step, 1, -1, 10)]
    middles = [(low + high) / 2 for low, high in pairwise(ordered)]
    products = [one * other for one in found.numbers[:4] for other in found.numbers[:4]]
    for number in (*near, *middles, *products, *(number * 2 for number in ordered)):
        value = number.quantize(step) if abs(number) < limit else limit
        if abs(value) < limit:
            yield f"{value:f}"


def _texts(modifier: int, found: Constants, random: Random) -> Iterator[str]:
    longest = modifier - HEADER if modifier >= HEADER else LONGEST
    lengths = sorted({int(n) + more for n in found.numbers if n == int(n) and n <= LONGEST for more in (-1, 0, 1)})
    made = [*found.texts]
    for text in found.texts:
        if "%" in text or "_" in text:
            made += [like(text, random) for _ in range(8)]
        if SPECIAL.search(text):
            made += [regular(text, random) for _ in range(24)]
        made += [text.upper(), text.lower(), f"{text}a", f"a{text}", f"a{text}b.cd"]
    shortest = list(dict.fromkeys(made))
    made += [(text * length)[:length] for length in lengths if length > 0 for text in (*shortest[:3], "a", "Ab", "12")]
    made += [*TEXTS, ""]
    for k in range(10, 10 + SEVERAL):
        made += [f"{text}{k}" for text in found.texts] + [f"a{k}{text}" for text in found.texts]
        made += [text.format(k) for text in NUMBERED]
    yield from (text for text in made if len(text) <= longest)


def _arrays(type_: Type, inner: Supply | None, found: Constants) -> Iterator[str]:
    values = [dumps(text) for text in found.texts if not text.startswith("{")]
    values += [f"{n:f}" for n in found.numbers]
    yield "{}"
    yield from (text for text in found.texts if text.startswith("{"))
    for value in values:
        yield f"{{{value}}}"
    for one, other in pairwise(values):
        yield f"{{{one}{type_.delimiter}{other}}}"
    sizes = sorted({int(n) + more for n in found.numbers if 0 <= n <= 100 for more in (-1, 0, 1)} | {1, 2, 3})
    if inner is not None:
        for size in (size for size in sizes if size > 0):
            quoted = (f'"{inner.nth(k % inner.size)}"'.replace("\\", "\\\\") for k in range(size))
            yield "{" + type_.delimiter.join(quoted) + "}"


def _documents(found: Constants) -> Iterator[str]:
    yield from ("{}", "[]", "[1]", '["a"]', "1", '"a"', "true", "null", '{"a": 1}', '[{"a": 1}]')
    words = [text for text in found.texts if not text.startswith(("{", "[", "$"))]
    numbers = [int(n) if n == int(n) else float(n) for n in found.numbers]
    values: list[object] = [1, "a", [], {}, True, None, *numbers[:3], *words[:6]]
    for value in values:
        yield dumps(dict.fromkeys(words, value))
        yield from (dumps({word: value}) for word in words[:6])
    for text in (text for text in found.texts if text.startswith("{") and ":" not in text):
        yield dumps(dict.fromkeys((word.strip('" ') for word in text[1:-1].split(",")), 1))
    yield from (dumps(list(islice((1, 2, 3, 4, 5, 6, 7, 8), int(n)))) for n in found.numbers if 0 <= n <= 8)
    yield from (text for text in found.texts if text.startswith(("{", "[")))


def _days(type_: Type, found: Constants) -> Iterator[str]:
    yield from found.texts
    for day in (day for text in found.texts for day in DAY.finditer(text)):
        start = date(*map(int, day.groups()))
        for shift in DAYS:
            shifted = start + timedelta(days=shift) if date(2, 1, 1) < start < date(9990, 1, 1) else start
            yield shifted.isoformat() + ("" if type_.name == "date" else " 10:00:00")


def _ranges(type_: Type, found: Constants) -> Iterator[str]:
    brace = "{{{}}}" if type_.kind == "m" else "{}"
    yield from found.texts
    days = sorted(day[0] for text in found.texts for day in DAY.finditer(text))
    numbers = sorted({*found.numbers, *(n + 10 for n in found.numbers), *(n - 10 for n in found.numbers)})
    for bounds in (days, [f"{n:f}" for n in numbers] if not days else []):
        for low, high in pairwise(bounds):
            yield brace.format(f"[{low},{high})")
        for one in bounds:
            yield from (brace.format(f"[{one},)"), brace.format(f"(,{one})"), brace.format(f"[{one},{one}]"))
