"""What `inv setup` advises for the completion of commands, in a real shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.tasks import setup

SOURCED = """
eval "$(inv --print-completion-script=bash)"
COMP_WORDS=("$1" "$2") COMP_CWORD=1
found=$(complete -p inv)
found=${found##*-F }
"${found%% *}" "$1" "$2" "$1"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(root: Path, command: str, word: str) -> list[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", SOURCED, "bash", command, word],
        cwd=root, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("command", ["inv", "./scripts/inv"])
def test_bash_completes_the_tasks_of_a_collection(root: Path, command: str) -> None:
    found = completed(root, command, "db.d")
    assert {"db.diagram", "db.doctor", "db.downgrade"} <= set(found)
    assert all(name.startswith("db.d") for name in found)


@pytest.mark.parametrize(("shell", "file"), setup.SHELLS.items())
def test_the_advice_is_for_the_shell_of_the_user_and_names_inv(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str, file: str
) -> None:
    monkeypatch.setenv("SHELL", f"/bin/{shell}")
    setup._say_completion()
    said = capsys.readouterr().out
    assert f"inv --print-completion-script={shell}" in said
    assert f"add to {file}:" in said
    printed = subprocess.run(
        [sys.executable, "-m", "invoke", f"--print-completion-script={shell}"],
        capture_output=True,
        text=True,
        check=True,
    )
    completes = printed.stdout + said.rpartition("\n  ")[2]
    assert "complete --command inv --wraps invoke" in completes or "invoke inv" in completes
