"""Makes the data folder of a private server with initdb, and tells one that is whole. Never removes databases.

https://www.postgresql.org/docs/current/app-initdb.html
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from app.migrations import privilege
from app.migrations.errors import ConfigurationError
from app.migrations.privilege import Account
from app.migrations.programs import Programs

MAKING = ".making-"
SHELL_SPEAKS = re.compile(r"[$`\"\\\n]")
"""What initdb hands to a shell between double quotes: the path of its programs."""


def is_made(data: Path) -> bool:
    """Tell whether there is something at `data`; an empty folder is nothing, a link that leads nowhere is something."""
    return data.is_symlink() or (data.exists() and (not data.is_dir() or any(data.iterdir())))


def version_of(data: Path) -> int | None:
    """Return the major version of the data folder, or None when it is not one."""
    try:
        return int((data / "PG_VERSION").read_text().split(".")[0])
    except (OSError, ValueError):
        return None


def make(data: Path, programs: Programs, account: Account, durable: bool, lock: int) -> None:
    """Make a data folder at `data`; it appears there only when it is complete.

    `data` becomes a link into the state folder when `account` cannot live beside it. initdb inherits `lock`, so that
    nobody clears up under one whose command was killed. Raises ConfigurationError with what initdb said.
    """
    clear_leftovers(data)
    if account.owner == data.parent.stat().st_uid:
        _initialise(data, programs, account, durable, lock)
        return
    home = Path(tempfile.mkdtemp(dir=privilege.state_folder(), prefix="data-"))
    home.chmod(0o711)
    try:
        _initialise(home / "data", programs, account, durable, lock)
        _without_empty_folder(data)
        data.symlink_to(home / "data")
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise


def clear_leftovers(data: Path) -> None:
    """Remove what an initdb that was killed left beside `data`. Only to be called under the lock."""
    for leftover in data.parent.glob(f"{data.name}{MAKING}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def remove(data: Path) -> None:
    """Remove a scratch server's data folder, wherever it is."""
    if data.is_symlink():
        shutil.rmtree(data.resolve().parent, ignore_errors=True)
        data.unlink()
    elif data.is_dir():
        shutil.rmtree(data)
    else:
        data.unlink(missing_ok=True)


def _initialise(data: Path, programs: Programs, account: Account, durable: bool, lock: int) -> None:
    maker = privilege.initdb_account(account)
    making = Path(tempfile.mkdtemp(dir=data.parent, prefix=data.name + MAKING))
    try:
        _own(making, maker)
        _with_plain_path(programs, lambda plain: _initdb(making, plain, maker, durable, lock))
        if maker != account:
            for folder, _, files in os.walk(making):
                for path in (Path(folder), *(Path(folder, file) for file in files)):
                    _own(path, account)
        _without_empty_folder(data)
        making.rename(data)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _own(path: Path, account: Account) -> None:
    if account.uid is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _without_empty_folder(data: Path) -> None:
    if data.is_dir():
        data.rmdir()


def _with_plain_path(programs: Programs, use: Callable[[Programs], None]) -> None:
    """Call `use` with the programs, or with a copy of them where a shell would misread their path."""
    if not SHELL_SPEAKS.search(str(programs.bin)):
        use(programs)
        return
    with tempfile.TemporaryDirectory(prefix="pg-programs-") as folder:
        Path(folder).chmod(0o755)
        use(privilege.copy_programs(programs, Path(folder, "copy")))


def _initdb(making: Path, programs: Programs, account: Account, durable: bool, lock: int) -> None:
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if programs.major >= 17 else []
    sync = [] if durable else ["--no-sync"]
    command = [programs.path("initdb"), "--pgdata", str(making), "--username=postgres", "--auth=trust"]
    command += ["--encoding=UTF8", "--locale=C", *locale, *sync]
    done = account.run(command, making.parent, pass_fds=[lock])
    if done.returncode:
        raise ConfigurationError(
            f"initdb cannot make a data folder in {making.parent}: {_cause(done.stdout)}",
            f"look at the free space and the rights there: df -h {making.parent}; ls -ld {making.parent}",
        )


def _cause(output: str) -> str:
    """Return the line in which initdb, or the server that it ran, says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if re.search(r"\b(FATAL|PANIC|error):|could not|cannot", line)]
    return (told or lines or ["it was killed and said nothing"])[0]
