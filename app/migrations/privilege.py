"""Who runs a PostgreSQL program when we are root, whom it refuses. Never changes the permissions of what is not ours.

A user namespace, in which root's own processes bear another number, needs nothing at all. Where it is not allowed
(many containers), an unprivileged uid does it: its data lives in a state folder, for it cannot pass our folders.
https://www.postgresql.org/docs/current/postgres-user.html
"""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from app.migrations.errors import ConfigurationError
from app.migrations.programs import WHEEL, Programs

STATE_NAME = "massacorp-postgres"
STATE_PLACES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 -- the owner of what is found there is checked
FIRST_UID, LAST_UID = 55432, 65533
LEFT_OUT = shutil.ignore_patterns("include", "*.a", "pkgconfig")


class Account(NamedTuple):
    """Who runs a program: `prefix` goes before its command line; `uid` is switched to, None stays what we are."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None

    @property
    def owner(self) -> int:
        """Return the uid, as we see it, of what the program makes."""
        return os.geteuid() if self.uid is None else self.uid

    @property
    def gid(self) -> int:
        """Return the group that goes with the uid."""
        try:
            return pwd.getpwuid(self.owner).pw_gid
        except KeyError:
            return self.owner

    def run(
        self,
        command: Sequence[str],
        folder: Path,
        output: int = subprocess.PIPE,
        errors: int = subprocess.STDOUT,
        pass_fds: Sequence[int] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` in `folder`, in a session of its own, untouched by Ctrl-C. Raises OSError if it cannot."""
        switched = self.uid is not None
        return subprocess.run(
            [*self.prefix, *command],
            check=False,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            errors="replace",
            extra_groups=[] if switched else None,
            group=self.gid if switched else None,
            pass_fds=pass_fds,
            start_new_session=True,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            stdout=output,
            text=True,
            user=self.uid,
        )


def choose(folder: Path, programs: Programs) -> Account:
    """Choose who runs the server whose data is, or will be, in `folder`: the owner of that, unless this is root.

    Costs a process or two; nothing is made or changed.
    """
    uid, owner = os.geteuid(), folder.stat().st_uid
    if uid == 0 and owner != 0:
        return Account(uid=owner)
    if uid != 0 and _has_name(uid):
        return Account()
    number = _named_uid()
    confined = Account(("unshare", "--user", f"--map-user={number}", f"--map-group={number}"))
    if can_do(confined, 'test -x "$1" && cd "$2" && test -w .', programs.path("postgres"), str(folder)):
        return confined
    if uid != 0:
        return Account()  # initdb will say that it misses a name
    spare = Account(uid=_spare_uid())
    if not can_do(spare, "true"):
        raise ConfigurationError(
            "PostgreSQL refuses to run as root, who may neither make a user namespace nor act as another user here",
            "run the same command as an ordinary user",
        )
    return spare


def can_do(account: Account, shell_test: str, *paths: str) -> bool:
    """Tell by trying whether `account` can be had, and whether `shell_test` holds for it and its `paths`."""
    try:
        return account.run(["sh", "-c", shell_test, "sh", *paths], Path("/")).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def initdb_account(account: Account) -> Account:
    """Return who runs initdb for `account`: it insists on a uid that has a name, which the spare one has not."""
    if account.uid is None or _has_name(account.uid):
        return account
    return account._replace(uid=_named_uid())


def reachable_programs(account: Account, programs: Programs) -> Programs:
    """Return the programs, or a copy of them in the state folder when `account` cannot reach them where they are."""
    if account.uid is None or can_do(account, 'test -x "$1"', programs.path("postgres")):
        return programs
    made = programs.bin.joinpath("postgres").stat()
    key = sha256(os.fsencode(f"{programs.bin}\0{made.st_mtime_ns}\0{made.st_size}")).hexdigest()[:12]
    return copy_programs(programs, state_folder() / f"programs-{programs.major}-{key}")


def copy_programs(programs: Programs, copy: Path) -> Programs:
    """Copy the installation around `programs.bin` into the folder `copy`, if that is not there; return the copy.

    It is readable by all, and there only when complete. The wheel keeps shared libraries two folders above its
    installations. Raises ConfigurationError where an installation is not of one piece, as those of distributions.
    """
    installation = programs.bin.parent
    if not (installation / "share").is_dir() or installation == Path("/usr"):
        raise ConfigurationError(
            f"the server's user cannot reach {programs.bin}, and such an installation cannot be copied",
            "PG_BIN=FOLDER (one that every user can reach, or none) and the same command again",
        )
    copied = programs._replace(bin=copy / "package" / installation.name / programs.bin.name)
    if copy.is_dir():
        return copied
    making = Path(tempfile.mkdtemp(dir=copy.parent, prefix=".making-"))
    try:
        shutil.copytree(installation, making / "package" / installation.name, symlinks=True, ignore=LEFT_OUT)
        for libraries in installation.parents[1].glob(f"{WHEEL}.libs"):
            shutil.copytree(libraries, making / libraries.name, symlinks=True)
        (making / "package").chmod(0o755)
        making.chmod(0o755)
        with suppress(OSError):  # another command was faster
            making.rename(copy)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return copied


def state_folder() -> Path:
    """Return root's folder that every user may pass, made on first use. Raises ConfigurationError."""
    for folder in (place / STATE_NAME for place in STATE_PLACES):
        with suppress(OSError):
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                folder.chmod(0o711)
            status = folder.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not status.st_mode & 0o022:
                return folder
    raise ConfigurationError(
        "root may make no user namespace here, and no state folder in " + " or ".join(map(str, STATE_PLACES)),
        "run the command as an ordinary user, or allow user namespaces",
    )


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False


def _named_uid() -> int:
    """Return the number of an unprivileged user that exists: nobody, as a rule."""
    with suppress(KeyError):
        return pwd.getpwnam("nobody").pw_uid
    return next((user.pw_uid for user in pwd.getpwall() if user.pw_uid), LAST_UID)


def _spare_uid() -> int:
    """Return a number that no user bears, and that this container knows."""
    spare = (uid for uid in range(FIRST_UID, LAST_UID) if not _has_name(uid) and _is_mapped(uid))
    return next(spare, _named_uid())


def _is_mapped(uid: int) -> bool:
    for kind in ("uid_map", "gid_map"):
        with suppress(OSError):
            ranges = [line.split() for line in Path("/proc/self", kind).read_text().splitlines()]
            if not any(int(first) <= uid < int(first) + int(count) for first, _, count in ranges):
                return False
    return True
