"""The team's guide, alembic/README.md: all that it tells people to type works, in the order in which it stands."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.migrations import server
from app.migrations.checks import rules
from app.migrations.environment_file import KEYS
from app.migrations.programs import find_server_programs
from scripts.hooks import migrations
from tests import guide_blocks
from tests.clones import Clone, copy_tree
from tests.forked_commands import Forked
from tests.guide_blocks import Block
from tests.guide_reader import Reader, header, matches

ROOT = Path(__file__).resolve().parents[1]
GUIDE = guide_blocks.GUIDE.read_text(encoding="utf-8")
BLOCKS = guide_blocks.read(GUIDE)
PYTHON = [one for one in BLOCKS if one.language == "python"]
REVISIONS = [one for one in PYTHON if one.is_revision]


def named(block: Block) -> str:
    """The id of a test on one block."""
    return f"line {block.line}, {block.title}"


@pytest.fixture
def reader(tmp_path: Path, pg: int) -> Iterator[Reader]:
    clone = Clone(copy_tree(tmp_path / "clone"))
    clone.environment["PG_BIN"] = str(find_server_programs(major=pg).bin)
    places = {
        "postgresql://migrations@prod-db:5432/massacorp": "embedded:///production",
        "postgresql://migrations@preuves-db:5432/postgres": "embedded",
    }
    with Forked(tmp_path / "forked") as forked:
        yield Reader(clone, forked, places, pg)
    server.stop_all(clone.folder)


@pytest.mark.private
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_whoever_follows_the_guide_to_the_letter_gets_what_it_says(reader: Reader) -> None:
    for block in BLOCKS:
        if block.mark != guide_blocks.DOCKER:
            reader.follow(block)


LIES = {
    "another output": Block(1, "", "bash", "echo one\n", output="two\n"),
    "a line less": Block(2, "", "bash", "echo one; echo two\n", output="one\n"),
    "a failure": Block(3, "", "bash", "false\n"),
    "another exit code": Block(4, "", "bash", "exit 3\n", guide_blocks.CODE, "2"),
    "shown as wrong, and it works": Block(5, "", "bash", "true\n", guide_blocks.WRONG),
    "wrong for another reason": Block(6, "", "bash", "echo so; exit 1\n", guide_blocks.WRONG, "« not so »"),
    "a revision shown as wrong that goes up": Block(
        7, "", "python", "def upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n", guide_blocks.WRONG, "« no »"
    ),
    "a downgrade that leaves an index": Block(
        8, "", "python", "def upgrade():\n    op.create_index('x', 'users', ['name'])\n\n\ndef downgrade():\n    pass\n"
    ),
}


@pytest.mark.private
@pytest.mark.slow
def test_a_guide_that_says_what_is_not_so_is_noticed(reader: Reader) -> None:
    reader.bash("./scripts/inv db.upgrade --no-verify")
    for block in LIES.values():
        with pytest.raises(AssertionError, match=f"README.md:{block.line}"):
            reader.follow(block)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_blocks_on_docker_work_on_its_engine(reader: Reader) -> None:
    for question in (["docker", "info"], ["docker", "compose", "version"]):
        if shutil.which("docker") is None or subprocess.run(question, capture_output=True, check=False).returncode:
            pytest.skip(f"no Docker engine: `{' '.join(question)}` does not answer")
    try:
        for block in BLOCKS:
            if block.mark == guide_blocks.DOCKER:
                reader.follow(block)
    finally:
        reader.bash("docker compose down --volumes --timeout=30")


def test_every_comment_above_a_block_is_understood() -> None:
    assert {block.mark for block in BLOCKS} <= guide_blocks.MARKS | {""}
    assert {block.language for block in BLOCKS} <= {"bash", "env", "python", "tree"}
    commands = GUIDE.count("```bash\n") + GUIDE.count(f"<!-- {guide_blocks.STAGING}\n")
    assert sum(block.language == "bash" for block in BLOCKS) == commands
    assert sum(block.language == "python" for block in BLOCKS) == GUIDE.count("```python\n")


def test_what_commands_print_is_shown_and_not_only_hinted_at() -> None:
    for block in BLOCKS:
        assert block.output is None or set(block.output.split()) - {"…"}, f"line {block.line}"


def test_every_command_block_is_bash() -> None:
    for block in BLOCKS:
        if block.language == "bash":
            done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), f"line {block.line}"


@pytest.mark.parametrize("block", PYTHON, ids=named)
def test_a_python_block_is_a_file_or_a_whole_revision(block: Block) -> None:
    names = {node.name for node in ast.parse(block.text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert block.path or names >= {"upgrade", "downgrade"}


@pytest.mark.parametrize("block", REVISIONS, ids=named)
def test_the_checks_find_what_is_shown_as_wrong_and_nothing_else(block: Block) -> None:
    source = header("0123456789ab", "e5a72b8c9d0f", block.title) + block.text
    found = {one.rule for one in migrations.check({"alembic/versions/0123456789ab_x.py": source.encode()}, str(ROOT))}
    if block.mark != guide_blocks.WRONG:
        assert found == set()
    else:
        assert block.quoted or block.value in found & rules.NAMES, f"line {block.line}: {block.value}"


def test_the_table_of_revisions_is_that_of_the_history() -> None:
    assert guide_blocks.table(GUIDE) == guide_blocks.expected_table(ROOT), f"write it anew: {guide_blocks.REWRITE}"


def test_what_the_tree_of_files_names_is_there() -> None:
    (tree,) = (block.text for block in BLOCKS if block.language == "tree")
    folder = ""
    for line in tree.splitlines():
        name = line.split()[0]
        path = folder + name if line.startswith(" ") else name
        folder = name if not line.startswith(" ") else folder
        assert (ROOT / path).exists(), path
        assert (ROOT / path).is_dir() == name.endswith("/"), path


def test_every_key_of_an_environment_and_every_rule_named_is_explained() -> None:
    assert {key for key in KEYS if f"`{key}`" not in GUIDE} == set()
    section = GUIDE.split("## Bonnes pratiques")[1].split("\n## ")[0]
    named = set(re.findall(r"checks/(\w+)\.py", section))
    assert named <= {name.replace("-", "_") for name in rules.NAMES}


def test_the_table_of_environments_is_that_of_their_files() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (true|false) \| (\w+) \|$", GUIDE, re.M)
    files = {
        path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "envs").glob("*.env") if "." not in path.stem
    }
    assert {name for name, *_ in rows} == set(files)
    for name, protected, backup in rows:
        assert f"\nPROTECTED={protected}\n" in files[name]
        assert f"\nBACKUP={backup}\n" in files[name]


def test_the_messages_of_troubleshooting_are_those_of_the_code() -> None:
    """A message in the last table stands in the source as it is quoted, … being what differs."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app/migrations").rglob("*.py"))
    joined = re.sub(r'"\s*\n\s*f?"', "", sources)
    rows = GUIDE.split("### Les autres messages")[1]
    for message in re.findall(r"^\| `(.+?)` \|", rows, re.M):
        for piece in message.split("…"):
            assert piece.strip() in joined, message


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n\n", True),
        ("a …\n", "a 12 ms\n", True),
        ("…\nb\n", "b\n", True),
        ("…\nb\n", "x\ny\nb\n", True),
        ("a\n", "a\nb\n", False),
        ("a … c\n", "a\nb c\n", False),
        ("a.c\n", "abc\n", False),
    ],
    ids=["an empty line at the end", "something in a line", "no line", "several lines", "a line more",
         "an ellipsis in a line ends with it", "a dot is a dot"],
)  # fmt: skip
def test_printed_is_compared_with_what_the_guide_says(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same
