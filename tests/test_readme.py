"""The README lists every task, and no task that is not there."""

import copy
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TASK = re.compile(r"\b((?:db|env)\.[a-z]+|(?<=`)(?:test|lint|setup|bench|serve)(?=[ `]))")


@cache
def tasks() -> set[str]:
    listed = subprocess.run(
        [sys.executable, "-m", "invoke", "--list", "--list-format=json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    top = json.loads(listed.stdout)
    inner = {f"{one['name']}.{task['name']}" for one in top["collections"] for task in one["tasks"]}
    return inner | {task["name"] for task in top["tasks"]}


def test_the_table_of_tasks_is_complete_and_true() -> None:
    section = (ROOT / "README.md").read_text().split("## Tasks")[1].split("\n## ")[0]
    assert set(TASK.findall(section)) == tasks()


def test_every_task_has_one_sentence_and_help_for_each_argument() -> None:
    sys.path.insert(0, str(ROOT))
    from tasks import namespace

    for name in namespace.task_names:
        task = namespace[name]
        assert task.__doc__ is not None
        assert re.fullmatch(r"[A-Z][^\n]*\.", task.__doc__.strip().splitlines()[0]), name
        for argument in copy.deepcopy(task).get_arguments():  # it takes the help out of the task that is asked
            assert argument.help or argument.name == "positional", f"{name} {argument.name}"
