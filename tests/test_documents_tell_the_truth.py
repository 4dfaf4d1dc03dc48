"""Documents: every link leads somewhere, and every task, command and option that they name exists."""

import re
import sys
from collections.abc import Mapping
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from alembic.config import CommandLine
from invoke.parser.argument import Argument
from invoke.program import Program
from invoke.tasks import Task

from tests import documents
from tests.documents import ROOT, Said

DOCUMENTS = documents.documents()


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tasks() -> Mapping[str, frozenset[str]]:
    """The options of each task of `inv --list`, and under "" those of `inv` itself."""
    sys.path.insert(0, str(ROOT))
    from tasks import namespace

    names = [*namespace.task_names, *(name for name, one in namespace.collections.items() if one.default)]
    ours = {name: arguments(namespace[name]) for name in names} | {"": Program().core_args()}
    found = {
        name: frozenset(
            ("-" if len(each) == 1 else "--") + each.replace("_", "-") for one in given for each in one.names
        )
        for name, given in ours.items()
    }
    return {name: options | found[""] for name, options in found.items()}


def arguments(task: Task[Any]) -> list[Argument]:
    """Ask a copy: Invoke takes the help of each argument out of the task that is asked."""
    asked = copy(task)
    asked.help = dict(task.help)
    return asked.get_arguments()


@cache
def alembic_commands() -> Mapping[str, frozenset[str]]:
    """The options of each command of `alembic`, and under "" those of `alembic` itself."""
    parser = CommandLine().parser
    (commands,) = (one.choices for one in parser._actions if isinstance(one.choices, dict))
    own = frozenset(parser._option_string_actions)
    return {"": own} | {name: own | set(one._option_string_actions) for name, one in commands.items()}


def fault(said: Said) -> str:
    """What is not there, "" where all is."""
    known = alembic_commands() if said.program == "alembic" else tasks()
    if said.name not in known:
        return f"{said.program} has no {said.name}: {said.text}"
    missing = [one for one in said.options if one not in known[said.name]]
    return f"{said.program} {said.name} has no {', '.join(missing)}: {said.text}" if missing else ""


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    for link in documents.links(path):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert ROOT in target.resolve().parents, f"{link} leads out of the repository"
        assert not anchor or anchor in documents.anchors(target), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_command_named_exists_with_its_options(path: Path) -> None:
    assert [wrong for said in documents.commands(path) if (wrong := fault(said))] == []


def test_commands_are_found_in_the_documents() -> None:
    counts = {named(path): len(list(documents.commands(path))) for path in DOCUMENTS}
    assert counts["README.md"] > 50
    assert counts["alembic/README.md"] > 80


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("inv db.upgrade --to=+1 && inv db.status", ""),
        ("./scripts/inv db.status --check | cat", ""),
        ("alembic -x env=prod upgrade head --sql", ""),
        ("`db.plan [--to=head] [--sql]`", ""),
        ("DATABASE_URL=postgresql://... inv db.upgrade --env=prod", ""),
        ("inv --help db.upgrade", ""),
        ("inv db.upgrad", "inv has no db.upgrad"),
        ("inv db.upgrade --too=head", "inv db.upgrade has no --too"),
        ("x && inv db.status --chek", "inv db.status has no --chek"),
        ("alembic upgrad head", "alembic has no upgrad"),
        ("alembic history --indicate", "alembic history has no --indicate"),
        ("alembic -y upgrade head", "alembic upgrade has no -y"),
        ("`db.plan [--tu=head]`", "inv db.plan has no --tu"),
        ("inv test; inv lnit", "inv has no lnit"),
    ],
)
def test_what_does_not_exist_is_found(tmp_path: Path, line: str, wrong: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(line if line.startswith("`") else f"```bash\n{line}\n```\n")
    found = [fault(said).split(":")[0] for said in documents.commands(page) if fault(said)]
    assert found == ([wrong] if wrong else [])


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Bonnes pratiques, et qui y veille\n## `db.plan` & co\n```bash\n# a comment\n```\n## Twice\n## Twice\n"
    )
    assert documents.anchors(page) == {"bonnes-pratiques-et-qui-y-veille", "dbplan--co", "twice", "twice-1"}
