"""Other parents for a revision file: in every style that files are written in, and not a byte more than that."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.migrations.errors import ConfigurationError
from app.migrations.header_edit import reparented
from app.migrations.headers import Revision, parse
from app.migrations.revision import digest

PATH = "alembic/versions/f1_x.py"
FILE = '''"""add a column

Revision ID: f1
Revises: {revises}
Create Date: 2026-01-01 (it revises: nothing else)
"""
from alembic import op  # Revises: p

revision = "f1"
{assignment}
branch_labels = None
depends_on = None


def upgrade():
    op.execute("UPDATE t SET down_revision = 'p'")
    down_revision = "p"
'''
STYLES = {
    "double quotes": ('down_revision = "p"', 'down_revision = "m1"'),
    "single quotes": ("down_revision = 'p'", "down_revision = 'm1'"),
    "triple quotes": ('down_revision = """p"""', 'down_revision = "m1"'),
    "a prefix": ("down_revision = u'p'", "down_revision = 'm1'"),
    "an annotation": ('down_revision: str = "p"', 'down_revision: str = "m1"'),
    "a long annotation": (
        'down_revision: Union[str, Sequence[str], None] = "p"',
        'down_revision: Union[str, Sequence[str], None] = "m1"',
    ),
    "no spaces": ("down_revision='p'", "down_revision='m1'"),
    "a comment": ('down_revision = "p"  # the parent p', 'down_revision = "m1"  # the parent p'),
    "brackets": ('down_revision = ("p")', 'down_revision = ("m1")'),
    "brackets over lines": ('down_revision = (\n    "p"  # p\n)', 'down_revision = (\n    "m1"  # p\n)'),
    "a tuple of one": ('down_revision = ("p",)', 'down_revision = ("m1",)'),
    "a list of one": ("down_revision = [ 'p' ]", "down_revision = [ 'm1' ]"),
    "a bare tuple": ('down_revision = "p",', 'down_revision = "m1"'),
    "a sum": ('down_revision = "p" + ""', 'down_revision = "m1"'),
    "two literals": ('down_revision = "p" ""', 'down_revision = "m1"'),
    "another name": ('parent = "p"\ndown_revision = parent', 'parent = "p"\ndown_revision = "m1"'),
    "twice": ('down_revision = None\ndown_revision = "p"', 'down_revision = None\ndown_revision = "m1"'),
    "unpacked": ('down_revision, other = "p", "q"', 'down_revision, other = "m1", "q"'),
    "several names": ('down_revision = was = "p"', 'down_revision = was = "m1"'),
    "a semicolon": ('x = "é"; down_revision = "p"; y = 1', 'x = "é"; down_revision = "m1"; y = 1'),
}


@pytest.mark.parametrize(("before", "after"), STYLES.values(), ids=STYLES)
def test_the_parent_is_exchanged_in_the_style_of_the_file(before: str, after: str) -> None:
    source = FILE.format(revises="p", assignment=before).encode()
    wanted = FILE.format(revises="m1", assignment=after).encode()
    assert reparented(PATH, source, ["m1"]).decode() == wanted.decode()


@pytest.mark.parametrize(
    ("before", "revises", "parents", "after", "says"),
    [
        ("None", "", ["m1"], '"m1"', " m1"),
        ('"p"', " p", [], "None", ""),
        ('"p"', " p", ["m1", "m2"], '("m1", "m2")', " m1, m2"),
        ("['p']", " p", ["m1", "m2"], "['m1', 'm2']", " m1, m2"),
        ('("p", "q")', " p, q", ["m1"], '"m1"', " m1"),
        ("('p', 'q')", " p, q", ["p", "m1"], "('p', 'm1')", " p, m1"),
        ('(\n    "p",\n    "q",\n)', " ('p', 'q')", ["q"], '"q"', " q"),
        ("{'p', 'q'}", " p, q", ["m1"], "'m1'", " m1"),
    ],
    ids=["none to one", "one to none", "one to two", "a list", "two to one", "one of two", "over lines", "a set"],
)
def test_there_may_be_more_or_fewer_parents_afterwards(
    before: str, revises: str, parents: list[str], after: str, says: str
) -> None:
    source = FILE.replace(" {revises}", revises).format(assignment=f"down_revision = {before}")
    wanted = FILE.replace(" {revises}", says).format(assignment=f"down_revision = {after}")
    assert reparented(PATH, source.encode(), parents).decode() == wanted


@pytest.mark.parametrize(
    "revises",
    ["p and what came before it", "see the ticket"],
)
def test_a_sentence_after_revises_stays(revises: str) -> None:
    source = FILE.format(revises=revises, assignment='down_revision = "p"').encode()
    assert f"Revises: {revises}\n".encode() in reparented(PATH, source, ["m1"])


def test_the_line_may_end_the_docstring_or_be_wrong_or_absent() -> None:
    for docstring, wanted in [
        ('"""x\nRevises: p"""', '"""x\nRevises: m1"""'),
        ("'''x\n  Revises:   p  \n'''", "'''x\n  Revises:   m1  \n'''"),
        ('"""x\nRevises: stale\n"""', '"""x\nRevises: m1\n"""'),
        ('"""x"""', '"""x"""'),
        ('r"""x\nRevises:\n"""', 'r"""x\nRevises: m1\n"""'),
        ("", ""),
        ("# Revises: p", "# Revises: p"),
    ]:
        rest = "\nrevision = 'f1'\ndown_revision = {}\n"
        source = (docstring + rest.format("'p'")).encode()
        assert reparented(PATH, source, ["m1"]).decode() == wanted + rest.format("'m1'")


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        lambda text: f"# -*- coding: latin-1 -*-\n{text}".encode("latin-1"),
        lambda text: f"#!/usr/bin/env python\n# vim: fileencoding=cp1252\n{text}".encode("cp1252"),
        lambda text: text.replace("\n", "\r\n", 3).encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: text.replace("\n\n\n", "\n\f\n").encode(),
    ],
    ids=["UTF-8", "CRLF", "BOM", "BOM and CRLF", "latin-1", "cp1252", "mixed ends", "no last end", "form feed"],
)  # fmt: skip
def test_line_ends_encodings_and_marks_stay(encode: Callable[[str], bytes]) -> None:
    text = FILE.replace("add a column", "colonne ajoutée").replace(
        "{assignment}", "é = 'é'; down_revision = '{revises}'"
    )
    before, after = (encode(text.format(revises=name)) for name in ("p", "m1"))
    assert reparented(PATH, before, ["m1"]) == after


def test_nothing_to_change_changes_nothing() -> None:
    source = FILE.format(revises="stale", assignment='down_revision = "p"').encode()
    assert reparented(PATH, source, ["p"]) is source


@pytest.mark.parametrize(
    "assignment",
    ["down_revision = f('p')", "if True:\n    down_revision = 'p'", "", "<<<<<<< HEAD\ndown_revision = 'p'\n>>>>>>> x"],
    ids=["computed", "conditional", "absent", "conflict markers"],
)
def test_what_cannot_be_read_is_refused_with_what_to_write(assignment: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        reparented(PATH, FILE.format(revises="p", assignment=assignment).encode(), ["m1"])
    assert raised.value.message.startswith(PATH)
    assert raised.value.message.endswith("; nothing was changed")
    assert raised.value.hint == 'write down_revision = "m1" at the left margin, and the same command again'


def test_a_parent_that_two_names_share_through_a_list_is_not_exchanged_by_guess() -> None:
    source = FILE.format(revises="p", assignment="down_revision = 'p'\nfor down_revision in ['p']: pass")
    with pytest.raises(ConfigurationError):
        reparented(PATH, source.encode(), ["m1"])


def test_the_edited_file_has_another_digest_and_everything_else_is_the_same_tree() -> None:
    source = FILE.format(revises="p", assignment='down_revision = "p"').encode()
    edited = reparented(PATH, source, ["m1"])
    assert digest(edited) != digest(source)
    assert reparented(PATH, edited, ["p"]) == source


NAMES = st.text("abcdef0123456789_", min_size=1, max_size=12)
PARENTS = st.lists(NAMES, max_size=3, unique=True)


@given(PARENTS, PARENTS, st.sampled_from(["'", '"']), st.sampled_from(["\n", "\r\n"]), st.text("é #=,\t", max_size=5))
def test_any_parents_give_any_others_and_come_back(
    before: list[str], after: list[str], quote: str, end: str, extra: str
) -> None:
    value = repr(tuple(before) if len(before) > 1 else before[0] if before else None).replace("'", quote)
    text = FILE.format(revises=", ".join(before), assignment=f"down_revision = {value}  # {extra}").replace("\n", end)
    source = text.encode()
    edited = reparented(PATH, source, after)
    read, was = parse(PATH, edited), parse(PATH, source)
    assert isinstance(read, Revision)
    assert isinstance(was, Revision)
    assert read == was._replace(parents=tuple(after))
    assert edited.count(b"\n") == source.count(b"\n")
    assert sum(a != b for a, b in zip(edited.splitlines(), source.splitlines(), strict=True)) <= 2
    ast.parse(edited)


def test_the_revisions_of_this_repository_can_be_moved_and_moved_back(root: Path) -> None:
    for path in sorted((root / "alembic/versions").glob("*.py")):
        source = path.read_bytes()
        found = parse(path.name, source)
        assert isinstance(found, Revision)
        assert reparented(path.name, reparented(path.name, source, ["x", "y"]), found.parents) == source
