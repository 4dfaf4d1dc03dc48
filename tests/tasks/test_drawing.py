"""The pictures: docs/schema.md is what the history builds, and db.history draws it."""

import re

import pytest

from tests.clones import Clone, Done
from tests.terminal import Terminal

HEAD, SESSIONS = "e5a72b8c9d0f", "a91f6d2c4b7e"
TITLE = "a title that is far too long for a terminal of eighty columns, whatever stands before it on the line"


@pytest.fixture
def forked(clone: Clone, migrated: str) -> Clone:
    """Two branches above the head, one of them with a way back that is barred and a long title, and a merge."""
    clone.environment |= {"DATABASE_URL": migrated, "APP_ENV": "docker"}
    nothing = "def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass"
    clone.write_revision("0000000000b1", HEAD, nothing)
    path = clone.write_revision("0000000000b2", HEAD, f'irreversible = "gone"\n\n\n{nothing}')
    path.write_text(path.read_text().replace('"""written_by_a_test"""', f'"""{TITLE}"""'))
    path = clone.write_revision("0000000000c0", "", nothing)
    path.write_text(path.read_text().replace('= ""', '= ("0000000000b1", "0000000000b2")'))
    return clone


def page(clone: Clone, *words: str, ok: bool = True) -> Done:
    return clone.inv("db.diagram", *words, ok=ok)


def test_the_page_in_the_repository_is_up_to_date(clone: Clone) -> None:
    done = page(clone, "--check")
    assert done.out == "docs/schema.md is up to date\n"


@pytest.mark.slow
def test_a_page_that_is_not_up_to_date_is_named_and_then_written(clone: Clone, forked: Clone) -> None:
    path = forked.folder / "docs/schema.md"
    before = path.read_bytes()
    done = page(clone, "--check", ok=False)
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[-2:] == [
        "error: docs/schema.md does not show what the history builds now; nothing was written",
        "  next: inv db.diagram",
    ]
    assert path.read_bytes() == before
    assert page(clone).out == "wrote docs/schema.md\n"
    assert '    r_0000000000c0["0000000000c0 (head)<br/>written_by_a_test"]' in path.read_text().splitlines()
    assert page(clone).out == "docs/schema.md is up to date\n"
    done = page(clone, "--check", "--out=other.md", ok=False)
    assert done.err.splitlines()[-2:] == [
        "error: other.md is not there; nothing was written",
        "  next: inv db.diagram --out=other.md",
    ]
    done = page(clone, "--out=no/folder.md", ok=False)
    assert (done.code, done.err.splitlines()[-1]) == (2, "  next: inv db.diagram --out=FILE")


def test_the_history_is_drawn_in_full_where_nobody_looks(forked: Clone) -> None:
    out = forked.inv("db.history").out.splitlines()
    assert out[0] == "● 0000000000c0 (head)  written_by_a_test"
    assert out[1] == "├─╮"
    assert set(out[2:4]) == {"● │ 0000000000b1  written_by_a_test", f"│ ● 0000000000b2 (irreversible)  {TITLE}"}
    assert out[4:6] == ["├─╯", f"● {HEAD} (current)  add_sessions_updated_at"]
    assert len(out) == 9


def test_the_history_is_drawn_with_plain_characters_where_there_are_no_others(forked: Clone) -> None:
    path = next(forked.versions.glob("0000000000b1*"))
    path.write_text(path.read_text().replace('"""written_by_a_test"""', '"""créé"""'))
    out = forked.run("-m", "invoke", "db.history", changes={"PYTHONIOENCODING": "ascii"}).out
    assert out.isascii()
    assert "* | 0000000000b1  cr??\n" in out


def test_a_title_is_cut_on_a_terminal_alone(forked: Clone) -> None:
    terminal = Terminal(forked, "db.history", COLUMNS="80")
    assert terminal.end() == 0
    lines = terminal.shown.splitlines()
    assert max(map(len, lines)) == 80
    (cut,) = [line for line in lines if "0000000000b2" in line]
    assert re.search(r"a title that is far too long .*…$", cut)
    assert "\x1b[" in terminal.raw.decode()


def test_an_unknown_revision_of_the_database_is_told(forked: Clone) -> None:
    forked.inv("db.upgrade", "--to=0000000000c0", "--no-verify")
    for path in forked.versions.glob("0000000000*"):
        path.unlink()
    done = forked.inv("db.history")
    assert done.err == "note: the database is at 0000000000c0, which is not in this checkout\n"
    assert "(current)" not in done.out
    assert SESSIONS in done.out
