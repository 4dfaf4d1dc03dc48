"""Values of enums, arrays, ranges, composites and domains, made of those of simpler types. Asks no server.

https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from app.migrations.sample_scalars import Supply, chosen, scalar


class Check(NamedTuple):
    """A condition as the server wrote it down, and the columns that it reads; a domain's reads VALUE."""

    name: str
    text: str
    columns: tuple[str, ...]


class Type(NamedTuple):
    """A type. `kind` is pg_type.typtype, "a" for arrays; `inner` the type of elements, bounds, or below a domain."""

    oid: int
    name: str
    written: str
    kind: str
    category: str
    inner: int
    modifier: int
    not_null: bool
    delimiter: str
    labels: tuple[str, ...]
    attributes: tuple[tuple[int, int], ...]
    checks: tuple[Check, ...]


Types = Mapping[int, Type]
Other = Callable[[Type, int], Supply | None]
"""What has to be asked of the server: values of a domain with checks, and of a type that nobody knows."""


def supply(oid: int, modifier: int, types: Types, other: Other) -> Supply | None:
    """Return values of a type; None where none can be had."""
    type_ = types[oid]
    if type_.kind == "e":
        return chosen(type_.labels) if type_.labels else None
    if type_.kind == "d":
        return other(type_, modifier) if type_.checks else supply(type_.inner, type_.modifier, types, other)
    if type_.kind == "c":
        return _composite(type_, types, other)
    if type_.kind in MADE_OF_ONE:
        inner = supply(type_.inner, modifier if type_.kind == "a" else -1, types, other)
        return inner and MADE_OF_ONE[type_.kind](inner, type_)
    return scalar(type_.name, modifier) or other(type_, modifier)


def base(oid: int, modifier: int, types: Types) -> tuple[Type, int]:
    """Return what stands below all domains, and its modifier."""
    type_ = types[oid]
    while type_.kind == "d":
        type_, modifier = types[type_.inner], type_.modifier
    return type_, modifier


def domains(oid: int, types: Types) -> list[Type]:
    """Return the domains of a type, the outermost first."""
    found = []
    while types[oid].kind == "d":
        found.append(types[oid])
        oid = types[oid].inner
    return found


def _array(inner: Supply, type_: Type) -> Supply:
    def written(*elements: str) -> str:
        return "{" + type_.delimiter.join(_escaped(each) for each in elements) + "}"

    def nth(k: int) -> str:
        return written(inner.nth(k), *([inner.nth(0)] if k % 2 else []))

    return Supply(nth, inner.size, ("{}", *(written(each) for each in inner.special[:2])), ordered=False)


def _range(inner: Supply, _: Type) -> Supply:
    """Ranges that do not overlap; the special ones do."""
    if not inner.ordered:
        return Supply(lambda k: _bounds("[", inner.nth(k), inner.nth(k), "]"), inner.size, ("empty",), ordered=False)
    special = ("empty", _bounds("[", inner.nth(0), None, ")"), _bounds("[", inner.nth(0), inner.nth(3), ")"))
    return Supply(lambda k: _bounds("[", inner.nth(2 * k), inner.nth(2 * k + 1), ")"), inner.size // 2, special)


def _multirange(inner: Supply, _: Type) -> Supply:
    return Supply(lambda k: f"{{{inner.nth(k)}}}", inner.size, ("{}",), ordered=False)


def _composite(type_: Type, types: Types, other: Other) -> Supply | None:
    parts = [supply(oid, modifier, types, other) for oid, modifier in type_.attributes]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    size = max((part.size for part in known), default=1)

    def nth(k: int) -> str:
        return "(" + ",".join(_escaped(part.nth(k % part.size)) for part in known) + ")"

    bare = all(not types[oid].not_null for oid, _ in type_.attributes)
    return Supply(nth, size, ("(" + "," * (len(known) - 1) + ")",) if bare else (), ordered=False)


def _bounds(opening: str, lower: str | None, upper: str | None, closing: str) -> str:
    return opening + ",".join("" if each is None else _escaped(each) for each in (lower, upper)) + closing


def _escaped(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


MADE_OF_ONE: dict[str, Callable[[Supply, Type], Supply]] = {"a": _array, "r": _range, "m": _multirange}
