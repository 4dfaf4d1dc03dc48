"""Values of the types that are made of nothing else, as PostgreSQL reads them. Asks no server.

https://www.postgresql.org/docs/current/datatype.html
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

ENDLESS = 100_000
"""As many values as nobody will ask for."""
FIRST_DAY = date(2021, 1, 1)
FIRST_MOMENT = datetime(2021, 1, 1, 8)
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
LETTERS = 26
HEADER = 4
"""What PostgreSQL adds to the length in the modifier of varchar, char and numeric."""


class Supply(NamedTuple):
    """Values of a type: `nth` gives another one for each number below `size`, in ascending order where `ordered`.

    `special` are those at which code stumbles: empty, zero, negative, the largest.
    """

    nth: Callable[[int], str]
    size: int = ENDLESS
    special: tuple[str, ...] = ()
    ordered: bool = True


def chosen(values: Sequence[str], special: Sequence[str] = ()) -> Supply:
    """Return a supply of these values and no others."""
    return Supply(lambda k: values[k % len(values)], len(values), tuple(special), ordered=False)


def scalar(name: str, modifier: int) -> Supply | None:
    """Return values of a type known by its name, with the modifier of a column; None for one that is not known."""
    if name in SHAPED:
        return SHAPED[name](modifier)
    return PLAIN.get(name)


def _numeric(modifier: int) -> Supply:
    if modifier < 0:
        return Supply(lambda k: f"{k + 1}.25", special=("0", "-1.5", "99999999999999999999.999999"))
    precision = (modifier - HEADER) >> 16 & 0xFFFF
    scale = ((modifier - HEADER & 0x7FF) ^ 1024) - 1024
    whole = 10 ** max(scale, 0) if precision > scale + 2 else 1
    size = min((10**precision - 1) // whole, ENDLESS)

    def written(units: int) -> str:
        return f"{Decimal(units).scaleb(-scale):f}"

    def nth(k: int) -> str:
        return written((k + 1) * whole + (k * 25 % whole if k + 1 < size else 0))

    return Supply(nth, size, ("0", written(-whole), written(10**precision - 1)))


def _text(modifier: int) -> Supply:
    return text(modifier - HEADER if modifier >= 0 else None)


def text(length: int | None) -> Supply:
    """Return words of at most `length` characters; none is a number."""
    special = ("", "12", "O'Brien, été", "  spaces  ", "x" * 300)
    if length is None or length >= len("text 00001"):
        kept = special if length is None else tuple(dict.fromkeys(each[:length] for each in special))
        return Supply(lambda k: f"text {k + 1:05d}", special=kept)

    def nth(k: int) -> str:
        word = ""
        for _ in range(length - 1):
            word = ALPHABET[k % 36] + word
            k //= 36
        return ALPHABET[k % 36] + word

    shortened = dict.fromkeys(each.strip()[:length] for each in special)
    return Supply(nth, min(LETTERS * 36 ** (length - 1), ENDLESS), tuple(shortened), ordered=False)


def _padded(modifier: int) -> Supply:
    """Of char(n): what differs only in trailing spaces is the same."""
    return _text(modifier)._replace(special=("", "12"[: max(modifier - HEADER, 1)]))


def _bits(modifier: int) -> Supply:
    length = modifier if modifier > 0 else 1
    return Supply(lambda k: f"{k:0{length}b}", min(2**length, ENDLESS), ("0" * length, "1" * length))


def _some_bits(modifier: int) -> Supply:
    length = min(modifier, 20) if modifier > 0 else 20
    return Supply(lambda k: f"{k:0{length}b}", min(2**length, ENDLESS), ("",))


def _vector(modifier: int) -> Supply:
    length = modifier if modifier > 0 else 3
    return Supply(lambda k: f"[{','.join([str(k + 1), *['0.5'] * (length - 1)])}]", ordered=False)


def _sparse_vector(modifier: int) -> Supply:
    return Supply(lambda k: f"{{1:{k + 1}}}/{modifier if modifier > 0 else 3}", ordered=False)


def _geometry(modifier: int) -> Supply:
    """Of PostGIS: the modifier says which reference system and which shape."""
    system = (modifier & 0x1FFFFF00) >> 8 if modifier > 0 else 0
    prefix = f"SRID={system};" if system else ""
    shapes = {
        2: "LINESTRING({0} 0,{0} 1)",
        3: "POLYGON(({0} 0,{0} 1,{1} 1,{0} 0))",
        4: "MULTIPOINT(({0} 0))",
        5: "MULTILINESTRING(({0} 0,{0} 1))",
        6: "MULTIPOLYGON((({0} 0,{0} 1,{1} 1,{0} 0)))",
    }
    shape = shapes.get((modifier & 0xFC) >> 2 if modifier > 0 else 1, "POINT({0} 0)")
    return Supply(lambda k: prefix + shape.format(k % 80, k % 80 + 1), 80, ordered=False)


def _moment(k: int) -> str:
    return (FIRST_MOMENT + timedelta(days=k, minutes=k * 7 % 600)).isoformat(" ")


def _book(prefix: str, suffix: str = "") -> Supply:
    """Numbers with a check digit, as the extension isn wants them."""

    def nth(k: int) -> str:
        digits = f"{prefix}{k + 1:0{12 - len(prefix) - len(suffix)}d}{suffix}"
        odd = sum(int(digit) * (3 if i % 2 else 1) for i, digit in enumerate(digits))
        return f"{digits}{-odd % 10}"

    return Supply(nth, ordered=False)


def _whole(largest: int) -> Supply:
    return Supply(lambda k: str(k + 1), min(largest, ENDLESS), ("0", "-1", str(largest)))


MOMENTS = ("1970-01-01 00:00:00", "2024-02-29 12:00:00.5", "9999-12-31 23:59:59")
WORDS = text(None)
SHAPED: dict[str, Callable[[int], Supply]] = {
    "numeric": _numeric, "varchar": _text, "bpchar": _padded, "bit": _bits, "varbit": _some_bits, "vector": _vector,
    "halfvec": _vector, "sparsevec": _sparse_vector, "geometry": _geometry, "geography": _geometry,
}  # fmt: skip
PLAIN = {
    "int2": _whole(2**15 - 1),
    "int4": _whole(2**31 - 1),
    "int8": _whole(2**63 - 1),
    "float4": Supply(lambda k: f"{k + 1}.5", special=("0", "-1.5", "1e+30")),
    "float8": Supply(lambda k: f"{k + 1}.5", special=("0", "-1.5", "1e+100")),
    "money": Supply(lambda k: f"{k + 1}.50", special=("0", "-1.50", "92233720368547758.07")),
    "bool": chosen(("false", "true")),
    "text": WORDS,
    "citext": WORDS,
    "name": text(63),
    "char": chosen(ALPHABET),
    "refcursor": Supply(lambda k: f"cursor {k + 1:05d}"),
    "uuid": Supply(
        lambda k: f"{k + 1:08x}-1111-4111-8111-{k + 1:012x}", special=("00000000-0000-0000-0000-000000000000",)
    ),
    "bytea": Supply(lambda k: f"\\x{k + 1:08x}", special=("\\x", "\\x00ff")),
    "date": Supply(
        lambda k: (FIRST_DAY + timedelta(days=k)).isoformat(), special=("1970-01-01", "2024-02-29", "9999-12-31")
    ),
    "timestamp": Supply(_moment, special=MOMENTS),
    "timestamptz": Supply(lambda k: f"{_moment(k)}+00", special=tuple(f"{each}+00" for each in MOMENTS)),
    "time": Supply(lambda k: f"{k // 3600:02d}:{k // 60 % 60:02d}:{k % 60:02d}", 86400, ("00:00:00", "23:59:59")),
    "timetz": Supply(lambda k: f"{k // 3600:02d}:{k // 60 % 60:02d}:{k % 60:02d}+00", 86400, ("00:00:00+00",)),
    "interval": Supply(lambda k: f"{k + 1} days", special=("0", "-1 days", "1 year 2 mons 3 days 04:05:06")),
    "inet": Supply(lambda k: f"10.{k >> 16}.{k >> 8 & 255}.{k & 255}", special=("::1", "192.168.0.0/24")),
    "cidr": Supply(lambda k: f"10.{k >> 8 & 255}.{k & 255}.0/24", 65536, ("::1/128", "0.0.0.0/0")),
    "macaddr": Supply(lambda k: f"08:00:2b:{k >> 16:02x}:{k >> 8 & 255:02x}:{k & 255:02x}"),
    "macaddr8": Supply(lambda k: f"08:00:2b:01:02:{k >> 16:02x}:{k >> 8 & 255:02x}:{k & 255:02x}"),
    "json": Supply(lambda k: f'{{"n": {k + 1}}}', special=("{}", '{"a": [1, 2], "b": null}'), ordered=False),
    "jsonb": Supply(lambda k: f'{{"n": {k + 1}}}', special=("{}", '{"a": [1, 2], "b": null}'), ordered=False),
    "jsonpath": Supply(lambda k: f'$."a{k}"', ordered=False),
    "xml": Supply(lambda k: f"<a>{k + 1}</a>", ordered=False),
    "tsvector": Supply(lambda k: f"'word{k + 1}':1", special=("",), ordered=False),
    "tsquery": Supply(lambda k: f"'word{k + 1}'", special=("",), ordered=False),
    "point": Supply(lambda k: f"({k + 1},{k + 1})", special=("(0,0)", "(-1,-1)"), ordered=False),
    "line": Supply(lambda k: f"{{1,2,{k + 1}}}", ordered=False),
    "lseg": Supply(lambda k: f"[({k + 1},0),({k + 1},1)]", ordered=False),
    "box": Supply(lambda k: f"({k * 10 + 5},5),({k * 10},0)", ordered=False),
    "path": Supply(lambda k: f"(({k + 1},0),({k + 1},1))", ordered=False),
    "polygon": Supply(lambda k: f"(({k * 10},0),({k * 10 + 5},0),({k * 10},5))", ordered=False),
    "circle": Supply(lambda k: f"<({k * 10},0),2>", ordered=False),
    "pg_lsn": Supply(lambda k: f"0/{k + 1:X}", special=("0/0",)),
    "oid": Supply(lambda k: str(k + 1), special=("0",)),
    "xid": Supply(lambda k: str(k + 3), ordered=False),
    "xid8": Supply(lambda k: str(k + 3)),
    "cid": Supply(lambda k: str(k + 1), ordered=False),
    "tid": Supply(lambda k: f"({k},1)"),
    "int2vector": Supply(lambda k: f"1 {k % 32000}", 32000, ordered=False),
    "oidvector": Supply(lambda k: f"1 {k + 1}", ordered=False),
    "pg_snapshot": Supply(lambda k: f"{k + 1}:{k + 1}:", ordered=False),
    "txid_snapshot": Supply(lambda k: f"{k + 1}:{k + 1}:", ordered=False),
    "regclass": chosen([f"pg_catalog.pg_{each}" for each in ("class", "type", "proc", "index", "attribute", "enum")]),
    "regtype": chosen(["integer", "text", "date", "boolean", "numeric", "uuid"]),
    "regproc": chosen(["pg_catalog.now", "pg_catalog.version", "pg_catalog.pg_backend_pid"]),
    "regprocedure": chosen(["pg_catalog.lower(text)", "pg_catalog.upper(text)", "pg_catalog.version()"]),
    "regoper": chosen(["pg_catalog.||/", "pg_catalog.|/"]),
    "regoperator": chosen(["pg_catalog.+(integer,integer)", "pg_catalog.-(integer,integer)"]),
    "regnamespace": chosen(["pg_catalog", "information_schema"]),
    "regrole": chosen(["pg_monitor", "pg_read_all_data", "pg_signal_backend"]),
    "regcollation": chosen(['pg_catalog."C"', 'pg_catalog."POSIX"']),
    "regconfig": chosen(["pg_catalog.simple", "pg_catalog.english", "pg_catalog.french"]),
    "regdictionary": chosen(["pg_catalog.simple", "pg_catalog.english_stem"]),
    "aclitem": chosen(["=r/pg_monitor", "=w/pg_monitor", "=a/pg_monitor"]),
    "hstore": Supply(lambda k: f'"n"=>"{k + 1}"', special=("", '"a"=>NULL'), ordered=False),
    "ltree": Supply(lambda k: f"top.n{k + 1:05d}", special=("",)),
    "lquery": Supply(lambda k: f"top.n{k + 1}.*", ordered=False),
    "ltxtquery": Supply(lambda k: f"n{k + 1}", ordered=False),
    "cube": Supply(lambda k: f"({k + 1})"),
    "seg": Supply(lambda k: str(k + 1)),
    "query_int": Supply(lambda k: f"1&{k + 2}", ordered=False),
    "ean13": _book("400"),
    "isbn13": _book("978"),
    "isbn": _book("978"),
    "ismn13": _book("9790"),
    "ismn": _book("9790"),
    "issn13": _book("977", "00"),
    "issn": _book("977", "00"),
    "upc": _book("0"),
}
GUESSES = ("{0}", "a{0}", "[{0}]", "({0},{0})", "{{{0}}}", "2021-01-{0:02d}", "<{0}>", '{{"n": {0}}}', "0x{0:02x}")
"""What to try for a type that nobody knows."""
