"""scripts/inv when something is wrong: two lines that say what, the right exit code, and a next run that works."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import bootstrap
from tests.scripts.installations import Index, Installation, Workshop, finish
from tests.scripts.test_bootstrap import ANNOUNCED, UPDATING, WAITING, poll, wait_for_line

pytestmark = pytest.mark.slow

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def bare(tmp_path: Path) -> Installation:
    """A clone in which nothing has run yet."""
    installation = Installation(tmp_path / "clone", Workshop(tmp_path))
    installation.make()
    return installation


def lines(message: str, hint: str) -> str:
    return f"error: {message}\n  next: {hint}\n"


def test_no_python_at_all(bare: Installation, tmp_path: Path) -> None:
    bare.environment = {"PATH": str(tmp_path / "empty")}
    done = bare.run()
    hint = f"install it, or name one that is elsewhere: PYTHON=/path/to/python3 {bare.inv}"
    assert (done.code, done.err) == (2, lines("Python 3.11 or newer is needed; found none on PATH", hint))


def test_every_python_that_will_not_do_is_named(bare: Installation, tmp_path: Path) -> None:
    programs = {"python3": "echo 3.9.2; exit 1", "python3.12": "echo no such version >&2; exit 127"}
    folder = fake_pythons(tmp_path / "bin", programs)
    bare.environment = {"PATH": str(tmp_path / "bin"), "PYTHON": "python3.10"}
    found = f"{folder}/python3 (3.9.2), {folder}/python3.12 (does not run)"
    done = bare.run()
    assert done.code == 2
    assert done.err.splitlines()[0] == f"error: Python 3.11 or newer is needed; found {found}"


def test_a_python_that_will_not_do_is_passed_over(bare: Installation, tmp_path: Path) -> None:
    programs = {"python3": "echo 3.10.9; exit 1", "python3.13": "case $1 in -E) echo 3.13.1 ;; -I) echo $2 $3 ;; esac"}
    bare.environment = {"PATH": str(fake_pythons(tmp_path / "bin", programs))}
    assert bare.run("hello").out == f"{bare.root}/scripts/bootstrap.py hello\n"


def fake_pythons(folder: Path, programs: dict[str, str]) -> Path:
    folder.mkdir()
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return folder


def test_a_missing_lock_file(bare: Installation) -> None:
    bare.lock.unlink()
    done = bare.run()
    message = f"{bare.lock} is missing, which names what has to be installed"
    assert (done.code, done.err) == (2, lines(message, "git checkout requirements.lock"))


def in_a_mount_namespace(installation: Installation, mount: str) -> list[str]:
    """The command that runs scripts/inv after mounting something that only it sees; $1 is the root."""
    unshare = ["unshare", "--map-root-user", "--mount", "sh", "-euc"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*unshare, "mount -t tmpfs none /mnt"], check=False).returncode
    ):
        pytest.skip("no mount namespaces here")
    return [*unshare, f'{mount}\ncd "$1"\nexec scripts/inv', "sh", str(installation.root)]


def test_a_read_only_folder(bare: Installation) -> None:
    mount = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"'
    done = bare.run(command=in_a_mount_namespace(bare, mount))
    message = f"{bare.root}/.venv.lock: Read-only file system, so .venv cannot be set up"
    assert (done.code, done.err) == (2, lines(message, f"make {bare.root} writable, or use a clone that is"))


@pytest.mark.parametrize("size", ["8k", pytest.param("1m", marks=pytest.mark.slow)])
def test_a_full_disk(bare: Installation, size: str) -> None:
    (bare.root / ".venv").mkdir()
    done = bare.run(command=in_a_mount_namespace(bare, f'mount -t tmpfs -o size={size} none "$1/.venv"'))
    message = f"no space is left on the disk while filling {bare.root}/.venv"
    assert done.code == 2
    assert done.err.partition("\n")[2] == lines(message, f"df -h {bare.root}, make room, then {bare.again}")


def test_a_python_without_ensurepip(bare: Installation, tmp_path: Path) -> None:
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    module = subprocess.check_output([base, "-c", "import ensurepip; print(ensurepip.__path__[0])"], text=True).strip()
    (tmp_path / "empty").mkdir()
    done = bare.run(command=in_a_mount_namespace(bare, f'mount --bind "{tmp_path}/empty" "{module}"'))
    message = f"{base} comes without ensurepip, without which there are no virtual environments"
    hint = f"apt-get install python{VERSION}-venv, or name another Python: PYTHON=/path/to/python3 {bare.again}"
    assert done.code == 2
    assert done.err.partition("\n")[2] == lines(message, hint)


@pytest.mark.parametrize("failure", ["wrong hash", "no such version", "unreachable index", "incomplete lock"])
def test_a_lock_that_cannot_be_installed_leaves_the_last_one_working(installed: Installation, failure: str) -> None:
    last, next_one = installed.lock.read_text(), installed.workshop.pin("2.0")
    installed.workshop.pin("1.0", name="other")
    needy = installed.workshop.pin("3.0", requires="Requires-Dist: other\n")
    lock, message, hint = {
        "wrong hash": (
            f"{next_one[:-8]}0000000\n",
            "invoke==2.0 is not the file that requirements.lock pins: the index offers another one under its name; "
            "nothing of it is installed",
            "pip config list, to see which index that is; or git checkout requirements.lock",
        ),
        "no such version": (
            next_one.replace("2.0", "9.0"),
            f"the package index has no ready-made invoke==9.0 for Python {VERSION} on this machine",
            f"PYTHON=python3.12 {installed.again}, or another version; `pip config list` shows the index",
        ),
        "unreachable index": (
            next_one,
            "the package index cannot be reached, so .venv cannot be set up",
            f"check the network, the proxy and `pip config list`, then {installed.again}",
        ),
        "incomplete lock": (
            needy,
            "requirements.lock does not pin, with hashes, all that it needs",
            "uv pip compile --universal --python-version 3.11 --all-extras --generate-hashes pyproject.toml "
            "-o requirements.lock",
        ),
    }[failure]
    installed.lock.write_text(lock)
    if failure == "unreachable index":
        installed.use_index("http://127.0.0.1:1/simple")
    done = installed.run()
    assert (done.code, done.out, done.err) == (2, "", UPDATING + lines(message, hint))
    installed.lock.write_text(last)
    assert installed.run().err == ""


def test_a_failure_of_an_unknown_kind_shows_the_words_of_pip(installed: Installation, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("not a configuration")
    installed.environment["PIP_CONFIG_FILE"] = str(tmp_path / "pip.conf")
    installed.lock.write_text(installed.workshop.pin("2.0"))
    error, hint = installed.run().err.splitlines()[1:]
    assert error.startswith("error: setting up .venv failed with exit code ")
    assert "pip.conf" in error
    assert hint == f"  next: rm -rf {installed.root}/.venv, then {installed.again}"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "certificate of the package index"),
        ("WARNING: 401 Error, Credentials not correct for http://x/", "refuses to serve these credentials"),
        ("Error: Refusing to create a venv in a:b because it contains the PATH separator :.", "has a colon"),
        ("ERROR: HTTP error 500 at https://me:secret@host/simple", "500 at https://***@host/simple"),
    ],
)
def test_what_pip_and_venv_print_is_understood(output: str, words: str) -> None:
    assert words in bootstrap.explain_failure(output, 1).message


def test_ctrl_c_while_a_dead_python_is_replaced(installed: Installation) -> None:
    kill_python(installed)
    interrupted = installed.start()
    poll(installed.python.exists)
    os.killpg(interrupted.pid, signal.SIGINT)
    done = finish(interrupted)
    message = "the set-up of .venv was interrupted; the next run finishes it"
    assert done.err.startswith(ANNOUNCED)
    assert (done.code, done.err.partition("\n")[2]) == (130, lines(message, installed.again))
    assert not (installed.root / ".venv/requirements.lock").exists()


@pytest.mark.slow
def test_two_runs_at_once_replace_a_dead_python_once(installed: Installation) -> None:
    kill_python(installed)
    both = [finish(process) for process in [installed.start(), installed.start()]]
    assert [json.loads(run.out)["version"] for run in both] == ["1.0", "1.0"]
    assert sum(run.err.startswith(ANNOUNCED) for run in both) == 1
    assert sum(WAITING in run.err for run in both) == 1


def kill_python(installation: Installation) -> None:
    """What an upgrade of the system's Python does."""
    installation.python.unlink()
    installation.python.symlink_to("/nowhere/python3")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_update_stops_pip_and_leaves_the_last_one_working(
    installed: Installation, index: Index, number: signal.Signals
) -> None:
    last = installed.lock.read_text()
    installed.lock.write_text(installed.workshop.pin("2.0"))
    installed.use_index(index.url)
    interrupted = installed.start()
    assert index.asked.wait(30)
    interrupted.send_signal(number)
    assert finish(interrupted).code == 130
    with (installed.root / ".venv.lock").open() as held_by_pip_too:
        fcntl.flock(held_by_pip_too, fcntl.LOCK_EX | fcntl.LOCK_NB)
    installed.lock.write_text(last)
    done = installed.run()
    assert (done.err, json.loads(done.out)["version"]) == ("", "1.0")


def test_the_pip_of_a_killed_update_is_waited_for(installed: Installation, index: Index) -> None:
    installed.lock.write_text(installed.workshop.pin("2.0"))
    installed.use_index(index.url)
    killed = installed.start()
    assert index.asked.wait(30)
    killed.kill()
    assert finish(killed).code == -signal.SIGKILL
    following = installed.start()
    wait_for_line(following, WAITING)
    index.answer.set()
    assert json.loads(finish(following).out)["version"] == "2.0"
