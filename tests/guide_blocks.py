"""The blocks of the team's guide, as they are written, and its table of revisions. Runs nothing.

`python -m tests.guide_blocks` writes the table of revisions anew.
"""

import re
from pathlib import Path
from typing import NamedTuple

from app.migrations import history_files
from app.migrations.history import History

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "alembic/README.md"
BEGIN, END = "<!-- révisions : début -->", "<!-- révisions : fin -->"
REWRITE = ".venv/bin/python -m tests.guide_blocks"

WRONG, STAGING, CODE, DOCKER, FINAL, FAILS = (
    "à ne pas faire", "mise en scène", "code", "Docker", "sans retour", "échoue",
)  # fmt: skip
MARKS = frozenset({WRONG, STAGING, CODE, DOCKER, FINAL, FAILS})
BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n:]+?)(?: : (?P<value>[^\n]+?))? -->\n+)?```(?P<language>\w*)\n(?P<text>.*?)^```$"
    rf"|^<!-- {STAGING}\n(?P<staging>.*?)^-->$",
    re.M | re.S,
)
HEADING = re.compile(r"^#+ (.+)$", re.M)


class Block(NamedTuple):
    """A fenced block: what stands in the comment above it, and, under commands, what they are said to print."""

    line: int
    title: str
    language: str
    text: str
    mark: str = ""
    value: str = ""
    output: str | None = None

    @property
    def path(self) -> str | None:
        """The file that a block is, when its first line says so."""
        named = re.match(r"# ([\w/.]+\.(?:py|env)|\.env)\n", self.text)
        return named[1] if named and self.language != "bash" else None

    @property
    def is_revision(self) -> bool:
        return self.language == "python" and "def upgrade" in self.text

    @property
    def quoted(self) -> str:
        """The message that is expected, "" where a rule is named instead."""
        found = re.fullmatch("« (.+) »", self.value)
        return found[1] if found else ""


def read(guide: str) -> list[Block]:
    """The blocks in their order; a `text` block belongs to the commands above it."""
    blocks: list[Block] = []
    for found in BLOCK.finditer(guide):
        line = guide.count("\n", 0, found.end()) - found[0].count("\n") + 1
        title = ["", *HEADING.findall(BLOCK.sub("", guide[: found.start()]))][-1]
        if found["staging"] is not None:
            blocks.append(Block(line, title, "bash", found["staging"], STAGING))
        elif found["language"] == "text":
            assert blocks, f"line {line}: output of no command"
            assert (blocks[-1].language, blocks[-1].output) == ("bash", None), f"line {line}: output of no command"
            blocks[-1] = blocks[-1]._replace(output=found["text"])
        else:
            mark, value = found["mark"] or "", found["value"] or ""
            blocks.append(Block(line, title, found["language"], found["text"], mark, value))
    return blocks


def table(guide: str) -> str:
    """What stands between the markers."""
    return _parts(guide)[1]


def _parts(guide: str) -> tuple[str, str, str]:
    before, rest = guide.split(f"{BEGIN}\n")
    inside, after = rest.split(END)
    return f"{before}{BEGIN}\n", inside, f"{END}{after}"


def expected_table(root: Path) -> str:
    """One row for each revision of the history, oldest first: what its file says of it, and the tables it creates."""
    history = history_files.read(str(root)).history
    rows = "".join(_row(root, history, id_) for id_ in reversed(history.order()))
    return f"| Révision | Après | Ce qu'elle fait | Fichier |\n|---|---|---|---|\n{rows}"


def _row(root: Path, history: History, id_: str) -> str:
    revision = history[id_]
    name = Path(revision.path).name
    source = (root / "alembic/versions" / name).read_text(encoding="utf-8")
    does = re.search(r'^def upgrade\(\).*?\n    """(.+?)"""', source, re.M | re.S)
    parents = ", ".join(f"`{one}`" for one in revision.parents) or "aucune"
    return f"| `{id_}` | {parents} | {does[1] if does else revision.message} | [{name}](versions/{name}) |\n"


def main() -> None:
    """Write the table anew, in place."""
    before, _, after = _parts(GUIDE.read_text(encoding="utf-8"))
    GUIDE.write_text(before + expected_table(ROOT) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
