"""The workflow for those who fork this: it fits its schema, runs what exists, and may do no more than it has to."""

import copy
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_readme import tasks

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = ROOT / ".github/workflows/ci.yml"
JOBS: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
PYTHONS, SERVERS = ["3.11", "3.12", "3.13", "3.14"], ["14", "15", "16", "17", "18"]


def steps() -> list[tuple[str, dict[str, Any]]]:
    return [(name, step) for name, job in JOBS.items() for step in job["steps"]]


def commands() -> list[str]:
    """Every command line that runs `inv`, without what follows it."""
    text = "\n".join(step["run"] for _, step in steps() if "run" in step)
    return [re.split(r" (?:\||>|&)", line)[0] for line in re.findall(r"\./scripts/inv[^\n]*", text)]


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_it_fits_its_schema(schema: str) -> None:
    check = ["-m", "check_jsonschema", "--builtin-schema", schema, str(WORKFLOW)]
    done = subprocess.run([sys.executable, *check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("line", commands())
def test_every_task_that_it_runs_exists_with_its_options(line: str) -> None:
    from tasks import namespace

    _, name, *words = shlex.split(re.sub(r"\$\{\{[^}]*\}\}", "18", line))
    assert name in tasks()
    known = {flag for argument in copy.deepcopy(namespace[name]).get_arguments() for flag in _flags(argument.names)}
    assert {word.split("=")[0] for word in words} <= known
    paths = [word.removeprefix("--only=") for word in words if word.startswith("--only=")]
    assert [path for path in " ".join(paths).split() if not (ROOT / path).exists()] == []


def _flags(names: tuple[str, ...]) -> set[str]:
    return {f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}" for name in names}


def test_it_runs_what_the_repository_itself_runs() -> None:
    ours = re.findall(r"^\./scripts/inv .*$", (ROOT / ".ci/run").read_text(), re.M)
    ran = {" ".join(line.split()[:2]) for line in commands()}
    assert {" ".join(line.split()[:2]) for line in ours} <= ran
    assert {"./scripts/inv db.roundtrip", "./scripts/inv db.plan"} <= ran


def test_every_supported_version_is_tried() -> None:
    assert JOBS["test"]["strategy"]["matrix"]["python"] == PYTHONS
    assert JOBS["postgres"]["strategy"]["matrix"]["postgres"] == SERVERS
    assert JOBS["postgres"]["env"]["SCRATCH_URL"].endswith("@127.0.0.1:5432/postgres")
    requires = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert requires is not None
    assert requires[1] == PYTHONS[0]


def test_it_may_read_and_one_job_may_comment() -> None:
    document = yaml.safe_load(WORKFLOW.read_text())
    assert document["permissions"] == {"contents": "read"}
    allowed = {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job}
    assert allowed == {"comment": {"pull-requests": "write"}}
    assert [step for name, step in steps() if name == "comment" and "run" in step] == []
    assert "secrets." not in WORKFLOW.read_text()
    assert "pull_request_target" not in WORKFLOW.read_text()


def test_actions_are_github_s_own_and_pinned_by_major() -> None:
    for _, step in steps():
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_no_text_of_a_pull_request_becomes_part_of_a_script() -> None:
    for _, step in steps():
        inside = re.findall(r"\$\{\{([^}]*)\}\}", step.get("run", "") + step.get("with", {}).get("script", ""))
        assert [one for one in inside if not one.strip().startswith("matrix.")] == []
