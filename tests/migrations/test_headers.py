"""Headers in every style. What the module is bound to when Python runs it is the judge."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from alembic.script.base import Script
from alembic.util import to_tuple
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.migrations import bindings, header_values, headers
from app.migrations.header_scan import NAMES
from app.migrations.headers import Fault, Revision, parse

ROOT = Path(__file__).resolve().parents[2]
BODY = '\n\ndef upgrade() -> None:\n    op.execute("SELECT 1")\n\n\ndef downgrade() -> None:\n    pass\n'
WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in "revision")
OF_B = 'revision = "b"\ndown_revision = "a"\n'


def run(source: bytes) -> Revision | None:
    """What Alembic would get: the module is run, and its Script made. None where either fails."""
    module = ModuleType("x")
    try:
        exec(compile(source, "x.py", "exec", dont_inherit=True), module.__dict__)
        script = Script(module, module.revision, "x.py")
        parents, depends_on = (to_tuple(each, default=()) for each in (script.down_revision, script.dependencies))
    except Exception:  # noqa: BLE001
        return None
    reason = getattr(module, "irreversible", None)
    return Revision(script.revision, parents, depends_on, tuple(script._orig_branch_labels), "x.py", 0, reason)


def read(source: str | bytes) -> Revision | Fault | None:
    return parse("x.py", source if isinstance(source, bytes) else source.encode())


def facts(found: Revision) -> tuple[object, ...]:
    """What can be compared: a set has no order."""
    return (found.id, sorted(found.parents), sorted(found.depends_on), sorted(found.labels), found.irreversible)


READ = {
    "plain": OF_B,
    "annotated": 'revision: str = "b"\ndown_revision: str | None = "a"\n',
    "annotated with an import": 'from typing import Union as U\nrevision: str = "b"\ndown_revision: U[str] = "a"\n',
    "annotated as text": 'revision: "str" = "b"\ndown_revision: "str | None" = "a"\n',
    "in single quotes": "revision = 'b'\ndown_revision = 'a'\n",
    "in triple quotes": 'revision = """b"""\ndown_revision = \'\'\'a\'\'\'\n',
    "the other way round": 'down_revision = "a"\nrevision = "b"\n',
    "with comments": "# why\nrevision = 'b'  # this\n# that\ndown_revision = 'a' # 'c'\n",
    "after a docstring that looks like a header": '"""\nrevision = "x"\ndown_revision = "y"\n"""\n' + OF_B,
    "after strings put together": '"""x""" """\nrevision = "y"\n"""\n' + OF_B,
    "after a docstring with quotes inside": '""""x" ""y"" \'\'\' """\n' + OF_B,
    "after a docstring on one line with code": '"""x"""; y = 1\n' + OF_B,
    "before text that looks like a header": OF_B + 'x = """\nrevision = "x"\n"""\n',
    "on one line": 'revision = "b"; down_revision = "a"\n',
    "unpacked": 'revision, down_revision = "b", "a"\n',
    "unpacked from a list": '[revision, down_revision] = ("b", "a")\n',
    "chained": 'x = revision = "b"\ndown_revision = "a"\n',
    "in parentheses": 'revision = ("b")\ndown_revision = (\n    "a"\n)\n',
    "concatenated": 'revision = "" "b"\ndown_revision = "" + "a"\n',
    "from a constant": 'PARENT = "a"\nrevision = "b"\ndown_revision = PARENT\n',
    "as a raw string": 'revision = r"b"\ndown_revision = u"a"\n',
    "as an f-string": 'revision = f"b"\ndown_revision = f"a"\n',
    "with escapes": 'revision = "\\x62"\ndown_revision = "\\u0061"\n',
    "continued": 'revision = \\\n    "b"\ndown_revision \\\n = "a"\n',
    "with spaces about": 'revision="b"\ndown_revision\t=   "a"   \n',
    "without a last line end": OF_B.rstrip(),
    "with windows line ends": (OF_B + BODY).replace("\n", "\r\n"),
    "with old line ends": OF_B.replace("\n", "\r"),
    "with a form feed": "\f\n" + OF_B,
    "with a byte order mark": "\ufeff" + OF_B,
    "declared": "# -*- coding: utf-8 -*-\n# é\n" + OF_B,
    "declared as latin-1": b"# coding: latin-1\n# \xe9\n" + OF_B.encode(),
    "assigned again": 'revision = "x"\n' + OF_B,
    "assigned again behind": 'revision = "x"\ndown_revision = "a"\nx = [1]\nrevision = "b"\n',
    "after it was imported": "from x import revision\n" + OF_B,
    "behind a condition": "if x:\n    revision = down_revision = 'x'\n" + OF_B,
    "with functions that have the name": OF_B + "def f(revision=1):\n    revision = 2\n    global x\n    x = 1\n",
    "with a class that has the name": OF_B + "class T:\n    revision = 2\n    down_revision = 3\n",
    "with a function that is never called": OF_B + "def f():\n    global revision\n    exec('')\n    revision = 2\n",
    "with an import of everything": "from x import *\n" + OF_B + "branch_labels = depends_on = irreversible = None\n",
    "with an import of everything that is known": "from sqlalchemy import *\nfrom alembic.op import *\n" + OF_B,
    "with look-alike letters in a string": OF_B + f'x = "{WIDE} ﬁ ª"\n',
    "with an import of the future": "from __future__ import annotations\n" + OF_B,
    "with marks of an older Python": "revision = u'b'\ndown_revision = (u'a',)\n",
    "behind imports on several lines": "from typing import (\n    Any,\n    Union,\n)\n\n" + OF_B,
    "with SQL that speaks of it": OF_B + 'def upgrade():\n    op.execute("""\nUPDATE t SET revision = 1\n""")\n',
}  # fmt: skip


@pytest.mark.parametrize("source", READ.values(), ids=READ)
def test_a_header_is_read(source: str | bytes) -> None:
    found = read(source)
    assert isinstance(found, Revision), found
    assert (found.id, found.parents, found.path) == ("b", ("a",), "x.py")


SEVERAL = {
    "None": (),
    "()": (),
    "[]": (),
    "('a', 'c')": ("a", "c"),
    "(\n    'a',\n    'c',\n)": ("a", "c"),
    "['a', 'c']": ("a", "c"),
    "['a']": ("a",),
    "('a',)": ("a",),
    "('a')": ("a",),
    "'a', 'c'": ("a", "c"),
    "('a',  # why\n 'c')": ("a", "c"),
    "('a' 'b', 'c')": ("ab", "c"),
    "('a',) + ('c',)": ("a", "c"),
    "{'c', 'a'}": ("a", "c"),
    "('a', 'a')": ("a", "a"),
}


@pytest.mark.parametrize("name", ["down_revision", "depends_on", "branch_labels"])
@pytest.mark.parametrize("written", SEVERAL)
def test_several_are_read(name: str, written: str) -> None:
    found = read(f'revision = "b"\ndown_revision = None\n{name} = {written}\n')
    assert isinstance(found, Revision), found
    field = {"down_revision": "parents", "branch_labels": "labels"}.get(name, name)
    assert getattr(found, field) == SEVERAL[written]


def test_all_of_a_header_is_read() -> None:
    source = (
        '"""Add users\nand roles\n\nRevision ID: b\n"""\n\nfrom collections.abc import Sequence\n\n'
        'revision: str = "b"\ndown_revision: str | Sequence[str] | None = "a"\n'
        'branch_labels: str | Sequence[str] | None = ("core",)\ndepends_on = ["x"]\nirreversible = "rows go"\n'
    )
    assert read(source + BODY) == Revision("b", ("a",), ("x",), ("core",), "x.py", 9, "rows go", "Add users and roles")


def test_the_title_is_the_same_from_the_scan_and_the_tree() -> None:
    source = ('"""\n    Add users\n      and roles\n   \n    Revision ID: b\n"""\n' + OF_B).encode()
    assert headers._scanned("x.py", source) == header_values.read("x.py", source)
    assert isinstance(found := parse("x.py", source), Revision)
    assert found.message == "Add users and roles"


UNREADABLE = {
    "labels that are imported": ("from x import branch_labels\n" + OF_B, 1, "branch_labels is imported from elsewhere"),
    "imported": ("from x import revision\ndown_revision = None\n", 1, "revision is imported from elsewhere"),
    "computed": ('revision = "b"\ndown_revision = parent()\n', 2, "down_revision is computed"),
    "an f-string": ('\nrevision = f"b{x}"\ndown_revision = None\n', 2, "revision is an f-string with placeholders"),
    "a name": ('revision = "b"\ndown_revision = PARENT\n', 2, "down_revision is PARENT, which is not assigned here"),
    "conditional": (OF_B + 'if x:\n    down_revision = "c"\n', 4, "down_revision is assigned where it depends"),
    "tried": ('try:\n    revision = "b"\nexcept E:\n    pass\ndown_revision = "a"\n', 2, "revision is assigned where"),
    "deleted": (OF_B + "del revision\n", 3, "revision is assigned where"),
    "added to": ('revision = "b"\ndown_revision = ()\ndown_revision += ("a",)\n', 3, "down_revision is assigned where"),
    "a list that grows": ('revision = "b"\ndown_revision = ["a"]\ndown_revision.append(1)\n', 3, "is a list that"),
    "a list with two names": ('revision = "b"\nx = down_revision = ["a"]\n', 2, "down_revision is computed"),
    "a loop": (OF_B + "for revision in 'xy': pass\n", 3, "revision is assigned where"),
    "a function": (OF_B + "def revision(): pass\n", 3, "revision is assigned where"),
    "an exception": (OF_B + "try: f()\nexcept E as revision: pass\n", 4, "revision is assigned where"),
    "a walrus": (OF_B + "x = (revision := 'c')\n", 3, "revision is computed"),
    "a pattern": (OF_B + "match x:\n    case {**revision}: pass\n", 4, "revision is assigned where"),
    "everything imported": (OF_B + "from x import *\n", 3, "revision may be one of the names of an `import *`"),
    "everything imported, and no labels": ("from x import *\n" + OF_B, 1, "branch_labels may be one of the names"),
    "globals": (OF_B + "globals().update(x)\n", 3, "revision may be set by code that names it indirectly"),
    "a function that is called": (OF_B + "def f():\n    global revision\n    revision = 1\nf()\n", 1, "revision may"),
    "a decorated function": (OF_B + "@g\ndef f():\n    global revision\n    revision = 'c'\n", 1, "revision may be"),
    "a lambda": (OF_B + "(lambda: globals().update(x))()\n", 3, "revision may be set"),
    "a module's own getattr": (OF_B + "def __getattr__(name): return 'x'\n", 1, "revision may be set"),
    "look-alike letters": (OF_B + f"{WIDE} = f()\n", 3, "revision is computed"),
    "a class that is global": (OF_B + "class C:\n    global revision\n    revision = 'c'\n", 4, "revision is assigned"),
    "code behind a form feed": (OF_B + "def f():\n    pass\n    \frevision = g()\n", 5, "revision is computed"),
    "code behind a string": (OF_B + 'x = """\n"""; revision = f()\n', 4, "revision is computed"),
    "an irreversible of unknown reason": (OF_B + "irreversible = why()\n", 3, "irreversible is computed"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "line", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_value_that_cannot_be_read_is_a_fault(source: str, line: int, message: str) -> None:
    found = read(source)
    assert isinstance(found, Fault), found
    assert (found.path, found.line, found.rule) == ("x.py", line, "unreadable-header")
    assert found.message.startswith(message) or message in found.message


def test_a_fault_says_what_to_write() -> None:
    assert read('revision = "b"\ndown_revision = parent()\n') == Fault(
        "x.py",
        2,
        "unreadable-header",
        "down_revision is computed: the history cannot be read",
        'write the parent out, once and at the left margin: down_revision = "...", ("...", "...") or None',
    )


WRONG = {
    "no id": ("x = 1\n", "not-a-revision"),
    "an empty file": ("", "not-a-revision"),
    "no parent": ('revision = "b"\n', "not-a-revision"),
    "None for an id": ("revision = None\ndown_revision = None\n", "wrong-header"),
    "an empty id": ('revision = ""\ndown_revision = None\n', "wrong-header"),
    "bytes": ('revision = b"b"\ndown_revision = None\n', "wrong-header"),
    "a number": ("revision = 12\ndown_revision = None\n", "wrong-header"),
    "a number of 6,000 digits": (f"revision = 0x{'f' * 6000}\ndown_revision = None\n", "wrong-header"),
    "a tuple for an id": ('revision = ("b",)\ndown_revision = None\n', "wrong-header"),
    "an id with an illegal character": ('revision = "b-1"\ndown_revision = None\n', "wrong-header"),
    "an empty parent": ('revision = "b"\ndown_revision = ""\n', "wrong-header"),
    "None among parents": ('revision = "b"\ndown_revision = (None, "a")\n', "wrong-header"),
    "a mapping of parents": ('revision = "b"\ndown_revision = {"a": 1}\n', "unreadable-header"),
    "a flag for a reason": (OF_B + "irreversible = True\n", "wrong-header"),
    "an empty reason": (OF_B + "irreversible = ''\n", "wrong-header"),
    "half a file": (OF_B.replace('"a"', '"a'), "syntax-error"),
    "conflict markers": ("<<<<<<< HEAD\n" + OF_B + "=======\n>>>>>>> x\n", "syntax-error"),
    "conflict markers behind": (OF_B + "<<<<<<< HEAD\n", "syntax-error"),
    "a null": (OF_B + "\0", "syntax-error"),
    "an unknown encoding": ("# coding: no-such\n" + OF_B, "syntax-error"),
    "deep nesting": ("x = " + "(" * 5000, "syntax-error"),
    "a long sum": ("revision = " + "+".join(['"a"'] * 20000), "syntax-error"),
}


@pytest.mark.parametrize(("source", "rule"), WRONG.values(), ids=WRONG)
def test_what_alembic_stops_at_is_a_fault(source: str, rule: str) -> None:
    found = read(source)
    assert isinstance(found, Fault), found
    assert found.rule == rule


@pytest.mark.parametrize("source", [b"\xff\xfe" + OF_B.encode("utf-16-le"), OF_B.encode() + b"x = '\xe9'\n"])
def test_bytes_that_are_no_text_are_a_fault(source: bytes) -> None:
    assert isinstance(found := read(source), Fault)
    assert found.rule == "syntax-error"


@pytest.mark.parametrize(
    "name", ["__init__.py", "__init__x.py", ".#x.py", "x.pyc", "README", "x.py~", "sub/__init__.py"]
)
def test_a_name_that_alembic_passes_over_is_none(name: str) -> None:
    assert parse(name, OF_B.encode()) is None


@pytest.mark.parametrize("name", [".hidden.py", "#x.py", "x y.py", "é.py", "sub/x.py"])
def test_any_other_name_is_loaded(name: str) -> None:
    assert isinstance(parse(name, OF_B.encode()), Revision)


def test_an_old_file_has_its_id_in_its_name() -> None:
    assert parse("v/1a2b3c.py", b"down_revision = None\n") == Revision("1a2b3c", path="v/1a2b3c.py")
    assert isinstance(parse("v/1a2b3c_x.py", b"down_revision = None\n"), Fault)


def test_modules_known_by_name_export_no_header() -> None:
    for name in bindings.WITHOUT_HEADERS:
        module = import_module(name)
        exported = getattr(module, "__all__", None) or [each for each in vars(module) if not each.startswith("_")]
        assert set(NAMES).isdisjoint(exported), name


NAME = st.sampled_from(NAMES)
TEXT = st.sampled_from(["a", "b", "c0ffee", "", "é", "a-b", "#", "'", "ﬁ"])
LITERAL = st.one_of(
    TEXT.map(repr),
    TEXT.map(lambda text: f'"""{text}"""'),
    TEXT.map(lambda text: f"({text!r})"),
    TEXT.map(lambda text: f"r{text!r}"),
    TEXT.map(lambda text: f"f{text!r}"),
    TEXT.map(lambda text: f"u{text!r}"),
    TEXT.map(lambda text: f"(u{text!r},)"),
    st.sampled_from(
        ["None", "()", "[]", "1", "b'x'", "f()", "other", "None or 'x'", "'a' 'b'", "'a' + 'b'", '"a\\\nb"']
    ),
    st.lists(TEXT, max_size=3).map(repr),
    st.lists(TEXT, max_size=3).map(lambda texts: repr(tuple(texts))),
    st.lists(TEXT, max_size=3).map(lambda texts: "(\n" + "".join(f"    {text!r},  # x\n" for text in texts) + ")"),
    st.sets(TEXT, min_size=1, max_size=3).map(lambda texts: "{" + ", ".join(map(repr, texts)) + "}"),
)
PLAIN = st.builds(
    lambda name, note, value, end: f"{name}{note} = {value}{end}",
    NAME,
    st.sampled_from(["", ": str", ": str | None", ": 'str'", "\t", " \\\n"]),
    LITERAL,
    st.sampled_from(["\n", "\n", "  # 'x'\n", "; pass\n", " ;\n"]),
)
ODD = st.one_of(
    st.builds(lambda name, value: f"if True:\n    {name} = {value}\n", NAME, LITERAL),
    st.builds(lambda name, value: f"if False:\n    {name} = {value}\n", NAME, LITERAL),
    st.builds(lambda name, value: f"try:\n    {name} = {value}\nexcept Exception:\n    pass\n", NAME, LITERAL),
    st.builds(lambda one, two, value: f"{one}, {two} = {value}, {value}\n", NAME, NAME, LITERAL),
    st.builds(lambda one, two, value: f"{one} = {two} = {value}\n", NAME, NAME, LITERAL),
    st.builds(lambda one, two: f"{one} = {two}\n", NAME, NAME),
    st.builds(lambda name, value: f"{name} += {value}\n", NAME, LITERAL),
    st.builds(lambda name, value: f"print(end=str({name} := {value})[:0])\n", NAME, LITERAL),
    st.builds(lambda name, value: f"other = {value}\n", NAME, LITERAL),
    st.builds(lambda name: f"{name}.append('z')\n", NAME),
    st.builds(lambda name: f"del {name}\n", NAME),
    st.builds(lambda name: f"for {name} in 'xy': pass\n", NAME),
    st.builds(lambda name: f"from os import name as {name}\n", NAME),
    st.builds(lambda name, value: f"def g():\n    global {name}\n    {name} = {value}\n", NAME, LITERAL),
    st.builds(lambda name, value: f"class C:\n    {name} = {value}\n", NAME, LITERAL),
    st.builds(lambda name, value: f"globals()[{name!r}] = {value}\n", NAME, LITERAL),
    st.builds(lambda name, value: f"def f():\n    return {value}\n", NAME, LITERAL),
    st.builds(lambda name, value: f'x = """\n{name} = {value}\n"""\n', NAME, LITERAL),
    st.builds(lambda name, value: f'"""\n{name} = {value}\n"""\n', NAME, LITERAL),
    st.builds(lambda name, value: f"\f{name} = {value}\n", NAME, LITERAL),
    st.sampled_from([
        "g()\n", "import os\n", "from os import (\n    path,\n)\n", "from os.path import *\n", "# x\n", "\n",
        "def upgrade():\n    revision = 2\n", "def upgrade(x=(revision := 'q')): pass\n", "@g\ndef h(): pass\n",
        f"{WIDE} = 'w'\n", "exec('revision = 1')\n", "'x' 'y'\n", '"""x"""; revision = "p"\n', '"""d"""\n',
        "r'''d'''\n", "from __future__ import annotations\n", "from os import (path, sep)  # x\n", "import os; g()\n",
        "from os import path as revision\n", "import os.path as down_revision, sys\n", "def revision_(): pass\n",
        "from os import (\n  sep as revision\n)\n", "def f(a, *, b: str) -> None: pass\n", "from sys import (argv\n",
        "def f(a) -> (revision := 1): pass\n", "def f(): return (\ndef_)\n", "u'x'\n", "from os import path \\\n",
        "execute()\n", "exec ('revision = 1')\n", "# coding: latin-1\n", "# coding: utf-8\n", "'''x\n", '"x\n',
        "def __getattr__(n): return 'm'\n", "x = lambda: (revision := 1)\n", "def upgrade(): \\\n  pass\n",
        "def f(): x = '''\nrevision = 1\n'''\n", "#\\\n", "def k():\n    \f\n", "vars()['revision'] = 'v'\n",
    ]),
)  # fmt: skip
SOURCE = st.lists(st.one_of(PLAIN, PLAIN, ODD), min_size=1, max_size=9).map("".join)
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r"])


def check(source: bytes) -> bool:
    """Read a file and run it; tell whether both gave an answer, which has to be the same."""
    found, ran = read(source), run(source)
    scanned = headers._scanned("x.py", source)
    assert scanned is None or scanned == header_values.read("x.py", source) or ran is None
    if ran is None or not isinstance(found, Revision):
        return False
    assert facts(found) == facts(ran)
    return True


@settings(max_examples=300, deadline=None)
@given(SOURCE, ENDS)
@example(OF_B + "def g():\n    global revision\n    revision = 'c'\ng()\n", "\n")
def test_never_another_answer_than_running_it_gives(source: str, ends: str) -> None:
    check((OF_B + source).replace("\n", ends).encode())
    check(source.replace("\n", ends).encode())


REAL = [path.read_bytes() for path in sorted((ROOT / "alembic/versions").glob("*.py"))]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(REAL), st.data())
def test_a_real_file_with_a_piece_changed_gives_no_wrong_answer(source: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, min(len(source), start + 40)))
    piece = data.draw(
        st.one_of(st.binary(max_size=6), st.sampled_from([b'"""', b"\\", b"\n", b"\r", b"\f", b"(", b"#"]))
    )
    check(source[:start] + piece + source[end:])


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_no_bytes_make_it_raise(source: bytes) -> None:
    assert isinstance(read(source), (Revision, Fault))
    assert isinstance(read(OF_B.encode() + source), (Revision, Fault))
    assert isinstance(read(source + OF_B.encode()), (Revision, Fault))


def test_a_huge_file_is_read() -> None:
    rows = "    op.execute('INSERT INTO t VALUES (1)')\n" * 20_000
    assert isinstance(read(f"{OF_B}\n\ndef upgrade():\n{rows}"), Revision)
    assert isinstance(read('"""' + "x" * 2_000_000), Fault)
    assert isinstance(read("\n" * 1_000_000 + '"' * 1_000_000), Fault)


def test_the_usual_styles_need_no_syntax_tree() -> None:
    names = [
        "plain", "annotated", "annotated with an import", "with comments", "with windows line ends", "declared",
        "after a docstring that looks like a header", "with an import of the future", "with marks of an older Python",
        "behind imports on several lines",
    ]  # fmt: skip
    for source in [*(str(READ[name]).encode() for name in names), *REAL]:
        assert headers._scanned("x.py", source) is not None


def test_a_usual_history_is_read_without_loading_the_parser() -> None:
    slow = ("ast", "dataclasses", "inspect", "pathlib", "tokenize")
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from app.migrations.history_files import read;"
        f"print(read({str(ROOT)!r}).faults, {set(slow)!r} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert re.sub(r"\s", "", done.stdout) == "()set()"
