"""The images and the compose files, without an engine: what goes in, what is needed, and that it runs with no more."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import images
from tests.api.test_health import SERVES
from tests.clones import copy_tree
from tests.roads import version

ROOT = Path(__file__).resolve().parents[1]
COMPOSE, SCALE = ROOT / "docker-compose.yml", ROOT / "docker-compose.scale.yml"
SECRETS = [
    ".env", "envs/prod.local.env", "envs/.env", "app/.env", "app/core/.secret", "id_rsa", "backups/dev/dump/toc.dat",
    ".git/config", ".postgres/data/PG_VERSION", ".venv/pyvenv.cfg", "app/__pycache__/main.cpython-313.pyc",
    "alembic/versions/__pycache__/x.pyc", ".hypothesis/x", "notes.txt",
]  # fmt: skip


RESET = object()


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Knows the two tags that compose adds to YAML."""


Loader.add_constructor("!reset", lambda loader, node: RESET)
Loader.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))


def load(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader)


def scaled() -> Any:
    """Both files, as compose merges them."""
    merged, changes = load(COMPOSE), load(SCALE)
    for name, service in changes["services"].items():
        both = {**merged["services"][name], **service}
        merged["services"][name] = {key: value for key, value in both.items() if value is not RESET}
    return merged


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `docker build` is given: the tree, and beside it what a working copy gathers."""
    place = copy_tree(tmp_path_factory.mktemp("context"))
    for name in SECRETS:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("secret")
    return place


@pytest.mark.parametrize("document", [load(COMPOSE), scaled()], ids=["alone", "scaled"])
def test_the_compose_files_fit_their_schema(document: Any, tmp_path: Path) -> None:
    plain = tmp_path / "compose.json"
    plain.write_text(json.dumps(document))
    check = ["--builtin-schema", "vendor.compose-spec", str(plain)]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *check], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def services() -> Any:
    return load(COMPOSE)["services"]


def test_the_container_has_the_name_of_the_guide_and_no_more_rights_than_it_needs() -> None:
    api = services()["api"]
    assert api["container_name"] == "massacorp_api"
    assert (api["read_only"], api["cap_drop"], api["init"]) == (True, ["ALL"], True)
    assert "tmpfs" not in api
    assert "volumes" not in api
    assert api["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert "ports" not in services()["db"]


def test_replicas_share_neither_name_nor_port() -> None:
    api = scaled()["services"]["api"]
    assert "container_name" not in api
    assert api["ports"] == ["127.0.0.1::8000"]
    assert {**api, **{key: services()["api"][key] for key in ("container_name", "ports")}} == services()["api"]
    assert "ports: !override" in SCALE.read_text()


def test_the_patterns_of_dockerignore_are_read_as_docker_reads_them() -> None:
    rules = "*\n!app\n**/*.pyc\nenvs/*\n!envs/*.env\nenvs/*.local.env\n# app\n"
    ignored = {path: images.is_ignored(path, rules) for path in (
        "x", "app/main.py", "app/a/b.pyc", "app/b.pyc", "envs/a.env", "envs/a.local.env", "envs/a.txt", "envs/d/a.env",
    )}  # fmt: skip
    assert [path for path, out in ignored.items() if not out] == ["app/main.py", "envs/a.env"]


def test_the_image_holds_the_application_and_its_history_and_nothing_else(context: Path) -> None:
    held = set(images.contents(context, "api"))
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "app", "alembic", "envs"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    tracked = {name for name in listed.stdout.split() if (ROOT / name).is_file()}
    assert held == tracked - {"alembic/README.md"} | {"alembic.ini", "scripts/docker-entrypoint.sh"}
    assert {Path(name).parts[0] for name in held} == {"app", "alembic", "envs", "alembic.ini", "scripts"}


@pytest.mark.parametrize("stage", ["api", "ops", "packages", "ops-packages"])
def test_no_secret_and_no_test_goes_into_an_image(stage: str, context: Path) -> None:
    held = images.contents(context, stage)
    assert held
    assert [name for name, path in held.items() if path.read_bytes() == b"secret"] == []
    assert [name for name in held if name.startswith(("tests", ".")) or ".local." in name] == []


def test_the_programs_of_the_image_are_started_without_a_shell() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["scripts/docker-entrypoint.sh"]' in text
    assert (ROOT / "scripts/docker-entrypoint.sh").stat().st_mode & 0o111 == 0o111
    assert text.index("USER 10001:10001") < text.index("ENTRYPOINT [")


def test_every_python_of_the_image_is_one_that_the_project_supports() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert text.count("ARG PYTHON=") == 1
    assert "ARG PYTHON=3.1" in text


def test_the_image_needs_no_package_that_it_does_not_hold(context: Path, tmp_path: Path, database: str) -> None:
    """The entrypoint, the upgrade and the server, with the files and the packages of the image alone."""
    place = tmp_path / "image"
    variables = images.lay_out(context, "api", images.packages(), place)
    done = subprocess.run(
        ["scripts/docker-entrypoint.sh", "python", "-W", "error", "-c", SERVES],
        cwd=place, env={**variables, "DATABASE_URL": database}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "200\n[]\n"), done.stderr
    assert version(database) == ["e5a72b8c9d0f"]
    absent = "import importlib.util as u; print([n for n in ('pytest', 'invoke', 'rich', 'pip') if u.find_spec(n)])"
    listed = subprocess.run(["python", "-c", absent], env=variables, capture_output=True, text=True, check=True)
    assert listed.stdout == "[]\n"


def test_the_tasks_run_in_the_image_for_operators(context: Path, tmp_path: Path, migrated: str) -> None:
    place = tmp_path / "image"
    variables = images.lay_out(context, "ops", images.packages("ops"), place)
    for words, said in (["--list"], "db.upgrade"), (["db.status"], "at head"):
        done = subprocess.run(
            ["python", "-m", "invoke", *words],
            cwd=place, env={**variables, "DATABASE_URL": migrated}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, said in done.stdout) == (0, True), done.stderr
