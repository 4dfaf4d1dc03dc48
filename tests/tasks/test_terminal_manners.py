"""What the reading tasks do to a terminal of 80 columns, in colour and without: tables fit, and NO_COLOR is obeyed."""

import re
from collections.abc import Iterator

import pytest

from app.migrations import scratch, server
from app.migrations.graph_lines import columns
from tests.clones import ROOT, Clone, copy_tree
from tests.terminal import CONTROL, Terminal

pytestmark = pytest.mark.slow

WIDTH = 80
COLOUR = re.compile(r"\x1b\[(?:[0-9]+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9]+)*m")
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
HEAD, SESSIONS = "e5a72b8c9d0f", "a91f6d2c4b7e"
PENDING = "0123456789ab"
TABLES = ("db.history", "db.status", "db.journal", "db.backups", "env.list", "env.show docker")
LINES = ("db.verify", "db.plan", "env.check")
UNSTYLED = (
    "--list", "db.check", "db.current", "db.diagram --check", "db.doctor", "db.heads", "db.history --verbose",
    f"db.roundtrip --only={HEAD}", "db.upgrade --dry-run",
)  # fmt: skip
"""The tasks that only read: those that show a table, those that show some style, and those that may show none."""
PASTED = re.compile(r"^\s*(?:next: |-- |ALTER |CREATE |INSERT |UPDATE )")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, scratch_admin: str) -> Iterator[Clone]:
    """A clone whose database has a journal and a backup, and lacks two revisions, one with a very long title."""
    clone = Clone(copy_tree(tmp_path_factory.mktemp("manners") / "clone"))
    clone.remember(ROOT)
    with scratch.database(scratch_admin) as url:
        clone.environment |= {"SCRATCH_URL": scratch_admin, "DATABASE_URL": url, "APP_ENV": "docker"}
        path = clone.write_revision(
            PENDING, HEAD, "def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass"
        )
        path.write_text(path.read_text().replace('"""written_by_a_test"""', f'"""{"a very long title " * 8}"""'))
        clone.inv("db.upgrade", f"--to={SESSIONS}", "--no-verify")
        clone.inv("db.backup")
        yield clone
    server.stop_all(clone.folder)


def shown(clone: Clone, task: str, **changes: str) -> str:
    terminal = Terminal(clone, *task.split(), COLUMNS=str(WIDTH), **changes)
    assert terminal.end() in {0, 1}, terminal.shown
    return terminal.raw.decode()


def wide(text: str) -> list[str]:
    """Return the lines with columns that the terminal folds; sentences it may fold, and what is pasted stays whole."""
    lines = [line.rpartition("\r")[2] for line in CONTROL.sub("", text).replace("\r\n", "\n").split("\n")]
    long = [line for line in lines if columns(line) > WIDTH and not PASTED.match(line)]
    return [line for line in long if re.search(r"\S {2,}\S", line)]


def cut_apart(text: str) -> list[str]:
    """Return the lines of which more than the last column does not fit; that one is a title, a path or a sentence."""
    return [line for line in wide(text) if any(found.end() > WIDTH for found in re.finditer(r" {2,}(?=\S)", line))]


@pytest.mark.parametrize("task", TABLES)
def test_a_table_fits_the_terminal_and_obeys_no_color(seen: Clone, task: str) -> None:
    plain, styled = shown(seen, task, NO_COLOR="1"), shown(seen, task)
    assert COLOUR.findall(plain) == []
    assert ESCAPE.search(styled)
    assert (wide(plain), wide(styled)) == ([], [])


@pytest.mark.parametrize("task", LINES)
def test_a_report_fits_the_terminal_and_obeys_no_color(seen: Clone, task: str) -> None:
    plain, styled = shown(seen, task, NO_COLOR="1"), shown(seen, task)
    assert COLOUR.findall(plain) == []
    assert ESCAPE.search(styled)
    assert cut_apart(plain) == []


@pytest.mark.parametrize("task", UNSTYLED)
def test_what_needs_no_style_fits_the_terminal_and_obeys_no_color(seen: Clone, task: str) -> None:
    plain = shown(seen, task, NO_COLOR="1")
    assert COLOUR.findall(plain) == []
    assert cut_apart(plain) == []
