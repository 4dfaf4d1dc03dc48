"""The stand-ins do what typing and functools do; the originals are the judge."""

import copy
import functools
import pickle
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from app.migrations import lean
from app.migrations.headers import Fault, Revision

ROOT = Path(__file__).resolve().parents[2]


class Lean(lean.NamedTuple):
    """A point."""

    x: int
    y: str = "b"
    z: tuple[int, ...] = ()

    @property
    def twice(self) -> int:
        return 2 * self.x


class Original(typing.NamedTuple):
    """A point."""

    x: int
    y: str = "b"
    z: tuple[int, ...] = ()

    @property
    def twice(self) -> int:
        return 2 * self.x


SAME = {
    "what is given": lambda kind: tuple(kind(1, "c", (2,))),
    "defaults": lambda kind: tuple(kind(1)),
    "names": lambda kind: tuple(kind(z=(3,), x=1)),
    "fields by name": lambda kind: (kind(1).x, kind(1).y, kind(1).z, kind(1).twice),
    "a change": lambda kind: tuple(kind(1)._replace(y="d")),
    "a mapping": lambda kind: kind(1)._asdict(),
    "an iterable": lambda kind: tuple(kind._make([1, 2, 3])),
    "what it is written as": lambda kind: repr(kind(1)).partition("(")[2],
    "equality and order": lambda kind: (kind(1) == (1, "b", ()), kind(1) < kind(2), hash(kind(1))),
    "fields": lambda kind: (kind._fields, kind._field_defaults, kind.__match_args__),
    "documentation": lambda kind: kind.__doc__,
    "its base": lambda kind: kind.__mro__[1:],
    "a copy": lambda kind: tuple(copy.deepcopy(kind(1))),
    "a pickle": lambda kind: (tuple(loaded := pickle.loads(pickle.dumps(kind(1)))), type(loaded) is kind),
    "no dictionary": lambda kind: hasattr(kind(1), "__dict__"),
}  # fmt: skip


@pytest.mark.parametrize("look", SAME.values(), ids=SAME)
def test_a_named_tuple_is_as_the_original(look: typing.Callable[[typing.Any], object]) -> None:
    assert look(Lean) == look(Original)


@pytest.mark.parametrize(
    ("given", "named"),
    [((), {}), ((1, 2, 3, 4), {}), ((1,), {"w": 1}), ((1,), {"x": 1}), ((1, 2, 3), {"z": 1})],
    ids=["too few", "too many", "an unknown name", "one twice", "the last one twice"],
)
@pytest.mark.parametrize("kind", [Lean, Original])
def test_wrong_arguments_are_refused(kind: typing.Any, given: tuple[int, ...], named: dict[str, int]) -> None:
    with pytest.raises(TypeError):
        kind(*given, **named)


def test_a_field_that_is_not_there_cannot_be_changed_or_set() -> None:
    with pytest.raises((TypeError, ValueError)):
        Lean(1)._replace(w=1)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        Lean(1).x = 2  # type: ignore[misc]


@pytest.mark.parametrize("kind", [lean.cached_property, functools.cached_property], ids=["lean", "original"])
def test_a_property_is_computed_once_for_each_object(kind: typing.Any) -> None:
    computed = []

    class Thing:
        @kind  # type: ignore[untyped-decorator]
        def size(self) -> int:
            """How big."""
            computed.append(self)
            return len(computed)

    one, other = Thing(), Thing()
    assert (one.size, one.size, other.size) == (1, 1, 2)
    assert Thing.size.__doc__ == "How big."


def test_what_the_hooks_read_is_made_of_them() -> None:
    assert Revision("b", ("a",)) == ("b", ("a",), (), (), "", 1, None, "")
    assert Fault("x.py", 1, "r", "m", "i")._fields == ("path", "line", "rule", "message", "instead")


def test_the_hook_of_a_good_history_loads_none_of_what_takes_long() -> None:
    heavy = "{'typing', 're', 'enum', 'functools', 'collections', 'configparser', 'contextlib', 'subprocess', 'ast'}"
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from scripts.hooks import history\n"
        "for words in ([], ['--staged']): assert history.main(words) == 0\n"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_hook_of_a_good_revision_loads_little_more_than_the_parser() -> None:
    revision = min(path.relative_to(ROOT) for path in ROOT.glob("alembic/versions/*.py"))
    heavy = "{'typing', 'configparser', 'dataclasses', 'inspect', 'pathlib', 'subprocess', 'tokenize', 'json'}"
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from scripts.hooks import migrations\n"
        f"assert migrations.main(['--staged', {str(revision)!r}]) == 0; print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
