import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.migrations import child
from app.migrations.child import ChildFailed
from tests.migrations.children import ROOT, await_condition

SLEEPER = 'echo $$ > "$0/leader"; sh -c "echo \\$\\$ > \\"$0/worker\\"; exec sleep 600" & wait; wait'
OURS = "import sys; from app.migrations import child; child.run(['sh', '-c', sys.argv[1], sys.argv[2]], {})"


def start(folder: Path) -> "subprocess.Popen[bytes]":
    """Start a process that runs a child with a worker, as pg_dump has them; both are at work when this returns."""
    process = subprocess.Popen([sys.executable, "-c", OURS, SLEEPER, str(folder)], cwd=ROOT, stderr=subprocess.PIPE)
    await_condition(lambda: all((folder / n).exists() and (folder / n).read_text() for n in ("leader", "worker")))
    return process


def pids(folder: Path) -> list[int]:
    return [int((folder / name).read_text()) for name in ("leader", "worker")]


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_the_child_and_its_workers_end_with_us(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path)
    process.send_signal(number)
    process.communicate(timeout=30)
    await_condition(lambda: all(is_gone(pid) for pid in pids(tmp_path)))


def test_a_child_that_does_not_hear_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(child, "ENDS_WITHIN", 0.3)
    script = f"trap '' TERM; echo $$ > '{tmp_path}/leader'; echo begun >&2; while :; do sleep 1; done"
    with pytest.raises(KeyboardInterrupt):
        child.run(["sh", "-c", script], {}, interrupt)
    pid = int((tmp_path / "leader").read_text())
    await_condition(lambda: is_gone(pid))


def test_lines_of_stderr_are_heard_and_errors_are_kept() -> None:
    heard: list[str] = []
    script = "echo 'pg_x: reading' >&2; echo 'pg_x: error: no way: a=b' >&2; echo 'DETAIL:  far' >&2; exit 3"
    with pytest.raises(ChildFailed) as caught:
        child.run(["sh", "-c", script], {}, heard.append)
    assert heard == ["pg_x: reading", "pg_x: error: no way: a=b", "DETAIL:  far"]
    assert (caught.value.code, caught.value.told) == (3, "no way: a=b; DETAIL:  far")


def test_a_child_killed_by_somebody_else_is_told_by_its_signal() -> None:
    with pytest.raises(ChildFailed) as caught:
        child.run(["sh", "-c", "kill -9 $$"], {})
    assert caught.value.told.endswith("it was ended by signal 9")


def test_a_child_that_ends_well_leaves_nothing_running() -> None:
    child.run(["sh", "-c", "exit 0"], {})
    mine = [p for p in Path("/proc").iterdir() if p.name.isdigit() and _parent(p) == os.getpid()]
    assert [p for p in mine if "exec 3<&0" in _line(p)] == []


def test_memory_does_not_grow_with_what_the_child_says(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from app.migrations import child\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: child.run(['sh', '-c', 'yes \"pg_x: error: x\" | head -c 10000000 >&2; exit 1'], {})\n"
        "except child.ChildFailed as error: kept = len(error.said)\n"
        "print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    kept, grown = map(int, done.stdout.split())
    assert (kept, grown < 5000) == (child.ERRORS_KEPT, True)


def test_the_environment_reaches_the_child_and_its_messages_are_english(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setenv("LANGUAGE", "fr")
    child.run(["sh", "-c", 'echo "$PGPASSWORD $LC_ALL $LANGUAGE" >&2'], {"PGPASSWORD": "s3cret"}, heard.append)
    assert heard == ["s3cret C C"]


def _parent(place: Path) -> int:
    try:
        return int((place / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _line(place: Path) -> str:
    try:
        return (place / "cmdline").read_text()
    except OSError:
        return ""
