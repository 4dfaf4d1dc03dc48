"""scripts/inv when all goes well: first runs, later runs from anywhere, changed locks, several at once."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.clones import ROOT, copy_tree
from tests.scripts.conftest import FirstRun
from tests.scripts.installations import Index, Installation, Workshop, finish

pytestmark = pytest.mark.slow

ANNOUNCED = "scripts/inv: setting up .venv with Python"
UPDATING = "scripts/inv: requirements.lock has changed: updating .venv, usually in seconds\n"
WAITING = "scripts/inv: another process is setting up .venv: waiting for it\n"


def test_it_is_short_and_can_be_executed() -> None:
    inv = ROOT / "scripts/inv"
    assert len(inv.read_text().splitlines()) < 40
    assert os.access(inv, os.X_OK)
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_a_first_run_installs_says_so_once_and_becomes_invoke(first_run: FirstRun) -> None:
    root, done = first_run.installation.root, first_run.done
    assert done.err.startswith(ANNOUNCED)
    assert done.err.count("\n") == 1
    assert done.code == 0
    said = json.loads(done.out)
    assert said["prefix"] == str(root / ".venv")
    assert said["arguments"] == ["--search-root", str(root), "a b", "*"]
    assert sorted(path.name for path in root.iterdir()) == [".venv", ".venv.lock", "requirements.lock", "scripts"]


def test_packages_are_compiled_even_where_python_is_told_not_to(first_run: FirstRun) -> None:
    compiled = ".venv/lib/python3*/site-packages/invoke/__pycache__/__main__.*.pyc"
    assert list(first_run.installation.root.glob(compiled))


def test_a_second_run_is_silent_and_needs_neither_network_nor_packages(installed: Installation) -> None:
    installed.environment = {"PATH": os.environ["PATH"], "PIP_INDEX_URL": "http://127.0.0.1:1"}
    done = installed.run("hello")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["arguments"][2:] == ["hello"]


def test_a_second_run_adds_less_than_a_tenth_of_a_second(first_run: FirstRun) -> None:
    installation = first_run.installation
    plain = [str(installation.python), "-m", "invoke"]
    ours = min(seconds(installation, []) for _ in range(7))
    assert ours - min(seconds(installation, plain) for _ in range(7)) < 0.1


def seconds(installation: Installation, command: Sequence[str]) -> float:
    start = time.perf_counter()
    assert installation.run(command=command).code == 0
    return time.perf_counter() - start


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["{root}/scripts/inv"], id="by its full name"),
        pytest.param(["links/absolute"], id="through a link to its full name"),
        pytest.param(["links/relative"], id="through a relative link"),
        pytest.param(["links/folder/inv"], id="through a link to its folder"),
        pytest.param(["links/twice"], id="through a link to a link"),
        pytest.param(["env", "PATH=links:{path}", "twice"], id="found on the PATH"),
        pytest.param(["sh", "links/twice"], id="as an argument of sh"),
        pytest.param(["dash", "links/twice"], id="as an argument of dash"),
        pytest.param(["bash", "--posix", "links/twice"], id="as an argument of bash"),
        pytest.param(["busybox", "sh", "links/twice"], id="as an argument of busybox"),
        pytest.param(["env", "PYTHONHOME=/nowhere", "links/relative"], id="with PYTHONHOME"),
    ],
)
def test_it_can_be_started_from_anywhere(first_run: FirstRun, tmp_path: Path, words: list[str]) -> None:
    installation = first_run.installation
    if "/" not in words[0] and shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} here")
    (tmp_path / "invoke.py").write_text("raise SystemExit('the wrong invoke')")
    links = tmp_path / "links"
    links.mkdir()
    (links / "absolute").symlink_to(installation.inv)
    (links / "relative").symlink_to(os.path.relpath(installation.inv, links.resolve()))
    (links / "folder").symlink_to(installation.inv.parent)
    (links / "twice").symlink_to("relative")
    command = [word.format(root=installation.root, path=os.environ["PATH"]) for word in words]
    done = installation.run(command=command, cwd=tmp_path)
    assert done.err == ""
    said = json.loads(done.out)
    assert said["folder"] == str(tmp_path)
    assert said["arguments"] == ["--search-root", str(installation.root)]


def test_started_within_its_own_folder_by_name_alone(first_run: FirstRun) -> None:
    installation = first_run.installation
    done = installation.run(command=["sh", "inv"], cwd=installation.inv.parent)
    assert json.loads(done.out)["arguments"] == ["--search-root", str(installation.root)]


def test_another_scripts_folder_on_cdpath_is_not_taken(installed: Installation, tmp_path: Path) -> None:
    (tmp_path / "elsewhere/scripts").mkdir(parents=True)
    installed.environment["CDPATH"] = str(tmp_path / "elsewhere")
    done = installed.run(command=["scripts/inv"])
    assert json.loads(done.out)["arguments"] == ["--search-root", str(installed.root)]


@pytest.mark.parametrize("code", [0, 1, 5, 130])
def test_the_exit_code_is_that_of_invoke(first_run: FirstRun, code: int) -> None:
    assert first_run.installation.run("exit", str(code)).code == code


def test_a_changed_lock_updates_in_place_and_once(installed: Installation) -> None:
    installed.lock.write_text(installed.workshop.pin("2.0"))
    done = installed.run()
    assert (done.code, done.err, json.loads(done.out)["version"]) == (0, UPDATING, "2.0")
    assert installed.run().err == ""


def test_two_updates_at_once_install_once(installed: Installation, index: Index) -> None:
    installed.lock.write_text(installed.workshop.pin("2.0"))
    installed.use_index(index.url)
    one = installed.start()
    assert index.asked.wait(30)
    two = installed.start()
    wait_for_line(two, WAITING)
    index.answer.set()
    assert [json.loads(finish(process).out)["version"] for process in (one, two)] == ["2.0", "2.0"]


def wait_for_line(process: subprocess.Popen[str], line: str) -> None:
    assert process.stderr is not None
    assert process.stderr.readline() == line


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_first_run_and_then_two_at_once_in_a_fresh_clone(tmp_path: Path) -> None:
    clone = Installation(copy_tree(tmp_path / "clone"), Workshop(tmp_path))
    clone.environment = dict(os.environ)
    killed = clone.start("--list")
    poll(lambda: len(list(clone.root.glob(".venv/lib/python3*/site-packages/*.dist-info"))) > 4)
    os.kill(killed.pid, signal.SIGKILL)
    assert finish(killed).code == -signal.SIGKILL
    assert not (clone.root / ".venv/requirements.lock").exists()
    done = [finish(process, 300) for process in [clone.start("--list"), clone.start("--list")]]
    assert [run.code for run in done] == [0, 0], done
    assert all("db.upgrade" in run.out for run in done)
    assert sum(ANNOUNCED in run.err for run in done) == 1
    assert clone.run("--list").err == ""


def poll(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
