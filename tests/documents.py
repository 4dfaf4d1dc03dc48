"""What the documents of this repository name: links, headings, tasks, commands with their options. Judges nothing."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
FENCED = re.compile(r"^( *)```[^\n]*\n(.*?)^\1```$", re.M | re.S)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(<?([^)<>\s]+)>?\)")
HEADING = re.compile(r"^#+ (.+?)\s*$", re.M)
COMMAND = re.compile(
    r"(?<![\w./-])(?:(?:\./)?(?:scripts/)?inv|(?<!from )alembic|(?<!inv )(?:db|env)\.(?!py)[a-z]+)(?= |$)"
)
END_OF_COMMAND = frozenset({"&&", "||", "|", ";", ">", ">>", "<", "2>&1", "#", "...", "…"})


class Said(NamedTuple):
    """A command as a document has it: `inv` or `alembic`, what it is told to do, and the options given."""

    path: Path
    text: str
    program: str
    name: str
    options: tuple[str, ...]


@cache
def documents() -> tuple[Path, ...]:
    """Every Markdown file that git tracks, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(ROOT / name for name in sorted(set(listed.stdout.split("\0"))) if name and (ROOT / name).is_file())


def links(path: Path) -> list[str]:
    """The targets of the links, those in code left out."""
    return LINK.findall(SPAN.sub("", FENCED.sub("", path.read_text(encoding="utf-8"))))


def anchors(path: Path) -> set[str]:
    """What a link may have after its #, as GitHub makes it of the headings."""
    found: dict[str, int] = {}
    anchors: set[str] = set()
    for heading in HEADING.findall(FENCED.sub("", path.read_text(encoding="utf-8"))):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        anchors.add(f"{slug}-{found[slug]}" if slug in found else slug)
        found[slug] = found.get(slug, 0) + 1
    return anchors


def commands(path: Path) -> Iterator[Said]:
    """Every command of ours in code: in blocks, comments with staged commands, and spans."""
    text = path.read_text(encoding="utf-8")
    blocks = [found[2] for found in FENCED.finditer(text)]
    spans = SPAN.findall(FENCED.sub("", text))
    for line in [*(line for block in blocks for line in block.splitlines()), *spans]:
        for start in [found.start() for found in COMMAND.finditer(line)]:
            if said := _read(path, line[start:]):
                yield said


def _read(path: Path, text: str) -> Said | None:
    words = _words(text)
    program, rest = words[0].rpartition("/")[2], words[1:]
    if "." in program:
        return Said(path, text, "inv", program, _options(rest))
    before = list[str]()
    while rest and rest[0].startswith("-"):
        before.append(rest.pop(0))
        if before[-1] in {"-x", "-c", "-n"} and rest:
            rest.pop(0)
    name = rest[0] if rest else ""
    if not re.fullmatch(r"[a-z]+(\.[a-z]+)?", name):
        return Said(path, text, program, "", _options(before)) if before else None
    return Said(path, text, program, name, (*_options(before), *_options(rest[1:])))


def _words(text: str) -> list[str]:
    """The words of the first command; brackets around what may be left out are taken off."""
    text = re.sub(r"\[(-[^\]]*)\]", r"\1", text)
    try:
        words = shlex.split(text, comments=True)
    except ValueError:  # half of a sentence, such as a message that is cut off
        words = text.split()
    kept = list[str]()
    for word in words:
        if word in END_OF_COMMAND or (kept and COMMAND.fullmatch(word) and kept[0] not in {"inv", "./scripts/inv"}):
            break
        kept.append(word.rstrip(";,"))
        if word.endswith(";"):
            break
    return kept


def _options(words: list[str]) -> tuple[str, ...]:
    return tuple(word.split("=")[0] for word in words if re.match(r"--?[a-z]", word))
