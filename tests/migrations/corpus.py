"""The corpus: revisions of which it is known what they do. Read from tests/corpus, written down as a project to judge.

A case is a file, or a folder of files that stand on each other; all stand on given.py. The docstring of a revision says
what has to be found of it, and one that says nothing must be found right. `# here` marks the line at fault.
"""

import ast
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).resolve().parents[1] / "corpus"
KINDS = ("bad", "good", "lossy")
EXPECTATION = re.compile(r"^(Result|Stage|Found|Error|Lost|Order): (.+)$", re.M)
HERE = "# here"
NOTHING = ("nothing",)
"""Said of what a revision loses; a docstring that says nothing about it leaves that open."""
ENV = """
from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
"""


class Expected(NamedTuple):
    """What has to be found of one revision; `found` are sentences such as "enum public.mood left behind"."""

    revision: str
    result: str
    stage: str | None
    found: tuple[str, ...]
    error: str | None
    line: int | None
    lost: tuple[str, ...]
    order_only: bool


class Case(NamedTuple):
    """One case: its files, what has to be found of each, and the SQL that it adds to given.sql."""

    name: str
    files: tuple[Path, ...]
    expected: tuple[Expected, ...]
    given: str

    @property
    def id(self) -> str:
        """The name as a sentence."""
        return self.name.replace("/", ": ").replace("_", " ")

    def write(self, folder: Path) -> Path:
        """Write the case as a project into `folder`; return that."""
        versions = folder / "migrations/versions"
        versions.mkdir(parents=True)
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = migrations\npath_separator = os\n")
        (folder / "migrations/env.py").write_text(ENV)
        for path in (FOLDER / "given.py", *self.files):
            shutil.copy(path, versions)
        (versions / "given.sql").write_text((FOLDER / "given.sql").read_text(encoding="utf-8") + self.given)
        return folder


def said(document: Mapping[str, Any]) -> Expected:
    """Return what the report of a roundtrip says of one revision, in the words of the corpus."""
    return Expected(
        document["revision"],
        document["result"],
        document["stage"],
        tuple(sorted(map(_words, document["differences"]))),
        document["error"],
        document["line"],
        tuple(sorted({".".join(filter(None, (one["table"], one["column"]))) for one in document["lost"]})) or NOTHING,
        document["column_order_only"],
    )


def is_spoken(document: Mapping[str, Any]) -> bool:
    """Tell whether the findings of a revision name each object that differs, and each says what to write instead."""
    findings = document["findings"]
    told = " ".join(one["message"] for one in findings)
    names = [difference["object"].split(" ON ")[0].rpartition(".")[2] for difference in document["differences"]]
    return all(name.strip('"') in told for name in names) and all(one["line"] and one["instead"] for one in findings)


def _words(difference: Mapping[str, Any]) -> str:
    subject = f"{difference['kind']} {difference['object']}"
    if difference["attribute"] is not None:
        return f"{subject} changed: {difference['attribute']}"
    return f"{subject} {'lost' if difference['after'] is None else 'left behind'}"


def cases(kind: str) -> list[Case]:
    """Return the cases of one kind, by name."""
    return [_case(f"{kind}/{path.stem}", path) for path in sorted((FOLDER / kind).iterdir()) if _is_case(path)]


def _is_case(path: Path) -> bool:
    return path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))


def _case(name: str, path: Path) -> Case:
    files = tuple(sorted(path.glob("*.py"))) if path.is_dir() else (path,)
    texts = [file.read_text(encoding="utf-8") for file in files]
    return Case(name, files, tuple(map(_expected, texts)), "".join(map(_given, texts)))


def _told(text: str) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for word, rest in EXPECTATION.findall(ast.get_docstring(ast.parse(text)) or ""):
        told.setdefault(word, []).append(rest)
    return told


def _expected(text: str) -> Expected:
    told = _told(text)
    stage, here = told.get("Stage", [None])[0], [at for at, line in enumerate(text.splitlines(), 1) if HERE in line]
    return Expected(
        str(_constant(text, "revision")),
        told.get("Result", ["ok" if stage is None else "failed"])[0],
        stage,
        tuple(sorted(told.get("Found", ()))),
        told.get("Error", [None])[0],
        here[0] if here else None,
        tuple(sorted(told.get("Lost", ()))),
        "Order" in told,
    )


def _given(text: str) -> str:
    return str(_constant(text, "GIVEN") or "")


def _constant(text: str, name: str) -> object:
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    return None
