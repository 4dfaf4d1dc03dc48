import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from app.migrations.revision import digest

ROOT = Path(__file__).resolve().parents[2]

MIGRATION = '''"""add users

Revision ID: d4cf1a3e5f7c
"""
from alembic import op
import sqlalchemy as sa

revision = "d4cf1a3e5f7c"


def upgrade() -> None:
    """Apply."""
    op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True))
    op.execute(f"COMMENT ON TABLE users IS {'it''s'!r:>{10}} " "of {}")
'''

# The same on every Python: changing one of these is changing the algorithm's number.
PINNED = {
    "a migration": MIGRATION,
    "f-strings": 'x = f"{{}}{a!r:>{w}} {a = }" "tail" f"{b:%Y}" f"" f"{c:}"',
    "constants": 'x = [1_000, 0x10, -0.0, 1e999, 1j, b"\\xff", ..., None, True, "\\ud800", u"é", 10**40]',
    "a number of 6,000 digits": "x = 0x" + "f" * 5000,
    "signatures": "@d\nasync def f(a: int = 1, /, *b, c='x', **k) -> None:\n    async with a as b, c: return await b",
    "match": "match v:\n    case {'a': 1, **r}: pass\n    case [1, *_] | P(x=None): pass",
    "classes and errors": "class C(B, metaclass=M):\n    x: int\ntry: pass\nexcept* E as e: raise X from e",
    "an invalid escape": 'x = "\\d"',
    "no syntax": "def upgrade(:",
    "nothing": "",
}


def interpreters() -> dict[str, str]:
    """Python 3.11 and newer by version: this one, those on PATH, those of pyenv. A shim of none is left out."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    paths = [which(f"python3.{minor}") for minor in range(11, 16)]
    paths += [str(path) for minor in range(11, 16) for path in versions.glob(f"3.{minor}.*/bin/python")]
    found: dict[str, str] = {}
    for path in [sys.executable, *(path for path in paths if path)]:
        told = subprocess.run([path, "-V"], capture_output=True, text=True, check=False)
        if told.returncode == 0:
            found.setdefault(told.stdout.strip(), path)
    return found


INTERPRETERS = interpreters()


def pinned_by(python: str) -> dict[str, str]:
    code = (
        "import json, sys; from app.migrations.revision import digest;"
        "print(json.dumps({k: digest(v) for k, v in json.load(sys.stdin).items()}))"
    )
    done = subprocess.run(
        [python, "-B", "-W", "error", "-c", code],
        input=json.dumps(PINNED),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    values: dict[str, str] = json.loads(done.stdout)
    return values


@pytest.mark.parametrize("python", INTERPRETERS.values(), ids=INTERPRETERS)
def test_the_values_hold_on_every_python(python: str) -> None:
    assert pinned_by(python) == VALUES


SAME = {
    "comments": "# licence\nx = 1  # why\n",
    "layout": "x = (\n    1\n)\n\n\n",
    "a docstring": '"""What it does."""\nx = 1\n',
    "a bare string between statements": 'x = 1\n"a note"\n',
    "windows line ends": "# a\r\nx = 1\r\n",
    "old line ends": "x = 1\r",
    "a byte order mark": "\ufeffx = 1\n",
    "a number's spelling": "x = 0x1\n",
}


@pytest.mark.parametrize("source", SAME.values(), ids=SAME)
def test_is_no_edit(source: str) -> None:
    assert digest(source) == digest("x = 1")
    assert digest(source.encode()) == digest("x = 1")


EDITS = {
    "another value": ("x = 1", "x = 2"),
    "another name": ("x = 1", "y = 1"),
    "text for a number": ("x = 1", "x = '1'"),
    "bytes for text": ("x = 'a'", "x = b'a'"),
    "true for one": ("x = True", "x = 1"),
    "a float for an int": ("x = 1", "x = 1.0"),
    "order": ("a(); b()", "b(); a()"),
    "a space in a string": ("x = 'a b'", "x = 'a  b'"),
    "where a list ends": ("f([a], b)", "f([a, b])"),
    "where a string ends": ("f('a', 'b')", "f('as1:b')"),
    "else for after": ("if a: b()\nelse: c()", "if a: b()\nc()"),
    "an f-string for text": ("x = '{a}'", "x = f'{a}'"),
    "a default": ("def f(a, b=1): pass", "def f(a=1, b=1): pass"),
    "a used string": ("x = 1", "x = 1\nf('note')"),
    "what a body does": ("def f(): 'doc'", "def f(): return 'doc'"),
}


@pytest.mark.parametrize(("before", "after"), EDITS.values(), ids=EDITS)
def test_is_an_edit(before: str, after: str) -> None:
    assert digest(before) != digest(after)
    assert digest(before).startswith("1:")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 'ab'", "x = 'a' 'b'"),
        ("x = u'a'", "x = 'a'"),
        ("x = f'{a}bc'", "x = f'{a}b' 'c' ''"),
        ("def f():\n    'doc'", "def f(): pass"),
        ("class C:\n    'doc'\n    x = 1", "class C: x = 1"),
        ("with (a as b, c as d): pass", "with a as b, c as d: pass"),
    ],
)
def test_spellings_of_one_thing_are_equal(one: str, other: str) -> None:
    assert digest(one) == digest(other)


def test_the_declared_encoding_decodes() -> None:
    latin = "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1")
    assert digest(latin) == digest("x = 'é'")


@pytest.mark.parametrize(
    "source",
    ["def f(:", "x = \0", "\ud800", b"\xff\xfe", b"# coding: no-such\n", "(" * 5000, "x = " + "9" * 5000],
    ids=["syntax error", "a null", "a surrogate", "no encoding", "unknown encoding", "deep nesting", "long number"],
)
def test_what_cannot_be_parsed_is_hashed_as_text(source: str | bytes) -> None:
    assert digest(source).startswith("text-1:")
    changed = source + " " if isinstance(source, str) else source + b" "
    assert digest(changed) != digest(source)


def test_a_deep_tree_is_written_without_recursion() -> None:
    assert digest("x = " + "a + " * 400 + "a").startswith("1:")


VALUES = {
    "a migration": "1:280f387d8d8633b616a03e065d5a09d5d2c2d13ccfb470a27bba011f4f39968f",
    "f-strings": "1:25ff4f6e31b273a5e43aa6d278af363b0d38b9ba69663334b676a018896f2fdf",
    "constants": "1:b11473ec8951cc4f7c8046b2c30dfcd8df168771d4f5a552671b929a081dbf93",
    "a number of 6,000 digits": "1:2f7c766a8bb1aa6790a28b994e7b46e619ded3e4e478f6cfff43097f1160d155",
    "signatures": "1:701c804a72414d11310ba28028949e5c990c4c230ec6c7a1ea530cb0570ab78c",
    "match": "1:d82b0ea51dc5c55d45d7a21e7c71bfea43c40d55e87e4a17e00e5ca4e9125360",
    "classes and errors": "1:657117af22413c0a4e49bc5a96dfe31edfd06caab6f9eca0527e5b4f569ca7e3",
    "an invalid escape": "1:22ac6d12651b1aef77c866ae58c4602556d276bebaf28160e973e0a1f460ecc5",
    "no syntax": "text-1:b1413154c83066e054fdadb0e14a0fe3981b94a1e4c4db56d9139f326aa0c18b",
    "nothing": "1:b5999633d806a4425694a2e389d4c42e99949638e4f3c7a2b793b0073e37c634",
}
