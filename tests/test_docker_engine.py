"""The image and the compose files on a real Docker engine, where one answers; other tests say what they can without."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import entrypoints

ROOT = Path(__file__).resolve().parents[1]
FILES = ("-f", "docker-compose.yml", "-f", "docker-compose.scale.yml")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Composed(NamedTuple):
    """A project of compose with a name of this test's own."""

    name: str

    def run(self, *words: str, check: bool = True) -> str:
        command = ["docker", "compose", "--project-name", self.name, *FILES, *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def containers(self) -> list[str]:
        return self.run("ps", "--all", "--quiet", "api").split()


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def composed() -> Iterator[Composed]:
    """Two replicas that start together on an empty database."""
    for question in (["docker", "info"], ["docker", "compose", "version"]):
        if shutil.which("docker") is None or subprocess.run(question, capture_output=True, check=False).returncode:
            pytest.skip(f"no Docker engine: `{' '.join(question)}` does not answer")
    project = Composed(f"massacorp-test-{os.getpid()}")
    try:
        project.run("up", "--detach", "--build", "--scale", "api=2")
        yield project
    finally:
        project.run("down", "--volumes", "--timeout=30", check=False)


def ready(container: str) -> bool:
    ask = "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready')"
    return (
        subprocess.run(["docker", "exec", container, "python", "-c", ask], capture_output=True, check=False).returncode
        == 0
    )


def test_replicas_become_ready_and_alembic_runs_inside(composed: Composed) -> None:
    one, two = composed.containers()
    entrypoints.until(lambda: ready(one) and ready(two), within=120)
    docker("exec", one, "alembic", "upgrade", "head")
    assert "(head)" in docker("exec", one, "alembic", "current")


def test_a_container_is_nobody_and_can_write_nowhere(composed: Composed) -> None:
    one = composed.containers()[0]
    assert docker("exec", one, "id", "-u") == "10001"
    refused = subprocess.run(["docker", "exec", one, "touch", "/srv/massacorp/x"], capture_output=True, check=False)
    assert refused.returncode != 0
    assert docker("exec", one, "python", "-c", "import importlib.util as u; print(u.find_spec('pytest'))") == "None"


def test_a_container_stops_at_once_when_it_is_told(composed: Composed) -> None:
    one = composed.containers()[0]
    entrypoints.until(lambda: ready(one), within=120)
    docker("stop", "--time=20", one)
    assert docker("inspect", "--format={{.State.ExitCode}}", one) in {"0", "143"}  # not 137: killed
