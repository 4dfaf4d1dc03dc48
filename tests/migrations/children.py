"""Python in processes of its own, as other users, and where user namespaces are not allowed."""

import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.migrations.programs import Programs

ROOT = Path(__file__).resolve().parents[2]
SWITCHED_OFF = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
PRELUDE = """
import sys
from pathlib import Path
from app.migrations import cluster, postmaster, privilege, programs, server
root = Path(sys.argv[1])
major = cluster.version_of(root / ".postgres/data")
private = server.private_server(root, programs.find_server_programs("", major))._replace(durable=False)
"""
"""`private` is of the version of the data that are there; not durable, so that initdb does not wait for the disk."""
IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody").pw_uid


def start(
    code: str, *arguments: object, wrapped_in: Sequence[str] = (), stdin: int | None = None
) -> subprocess.Popen[str]:
    """Start Python on `PRELUDE` and `code`; the first of `arguments` is the root of its servers."""
    return subprocess.Popen(
        [*wrapped_in, sys.executable, "-c", PRELUDE + code, *map(str, arguments)],
        cwd=ROOT,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(child: subprocess.Popen[str]) -> str:
    """Return what the child printed; it has to end well."""
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, out + err
    return out.strip()


def as_ordinary_user(uid: int = NOBODY) -> list[str]:
    """The prefix of a command that has no rights of root's, and by default a name."""
    if not IS_ROOT:
        return []
    prefix = ["unshare", "--user", f"--map-user={uid}", f"--map-group={uid}"]
    if subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    return prefix


def start_without_namespaces(code: str, *arguments: object, wrapped_in: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start Python as a root with every uid, who may not make user namespaces: as in most containers."""
    if not IS_ROOT:
        pytest.skip("only root has other users")
    if subprocess.run(["unshare", "--user", "true"], check=False).returncode:
        return start(code, *arguments, wrapped_in=wrapped_in)
    prefix = ["unshare", "--user", "sh", "-c", 'read go; exec sh -c "$0" sh "$@"', SWITCHED_OFF, *wrapped_in]
    child = start(code, *arguments, wrapped_in=prefix, stdin=subprocess.PIPE)
    ours, theirs = Path("/proc/self/ns/user"), Path(f"/proc/{child.pid}/ns/user")
    await_condition(lambda: ours.readlink() != theirs.readlink())
    for kind in ("uid_map", "gid_map"):
        Path(f"/proc/{child.pid}/{kind}").write_text("0 0 4294967295\n")
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()
    return child


def copy_of_the_wheel(programs: Programs, folder: Path) -> Path:
    """Copy the programs, with the libraries that the wheel keeps beside them; return the folder of the programs."""
    package = programs.bin.parents[1]
    shutil.copytree(programs.bin.parent, folder / "package/pg", symlinks=True)
    shutil.copytree(package.with_name(package.name + ".libs"), folder / (package.name + ".libs"))
    return folder / "package/pg/bin"


def await_condition(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Poll `condition`; fail when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.002)
