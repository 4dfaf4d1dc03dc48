"""Where the socket of a private server is reached, and the URL that says so. Never opens a connection.

The server itself listens on `.` (its data folder), so no path of it is ever too long; only clients need a path that
fits into a socket address. https://www.postgresql.org/docs/current/runtime-config-connection.html
"""

import os
import stat
import sys
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from app.migrations.errors import ConfigurationError

PORT = 5432
NAME = f".s.PGSQL.{PORT}"
LIMIT = 103 if sys.platform == "darwin" else 107
"""The bytes of the longest path that sun_path holds, its closing zero not counted."""


def socket_folder(data: Path) -> Path:
    """Return the folder by which clients reach the socket in `data`.

    This is `data` itself, or, where its path is too long or holds a comma (a list of hosts, to libpq), a symbolic
    link to it in XDG_RUNTIME_DIR or the temporary folder, made when it is not there. Raises ConfigurationError when
    somebody else made that link.
    """
    real = os.path.realpath(data)
    if _usable(real):
        return Path(real)
    name = "pg-" + sha256(os.fsencode(real)).hexdigest()[:16]
    link = next((path for path in (folder / name for folder in _short_folders()) if _usable(str(path))), None)
    if link is None:
        raise ConfigurationError(
            f"the path of {real} is too long for a socket, and so is that of {tempfile.gettempdir()}",
            "TMPDIR=/tmp and the same command again",
        )
    _point(link, real)
    return link


def database_url(data: Path, name: str) -> str:
    """Return the URL of the database `name` on the server in `data`; its port is named because of PGPORT."""
    host = quote(str(socket_folder(data)))
    return f"postgresql+psycopg2://postgres@/{quote(name, safe='')}?host={host}&port={PORT}"


def _usable(folder: str) -> bool:
    try:
        return len(folder.encode()) + 1 + len(NAME) <= LIMIT and "," not in folder
    except UnicodeEncodeError:  # a file name that is not UTF-8 does not fit into a URL
        return False


def _short_folders() -> list[Path]:
    folders = [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 -- the link in it is checked
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    with suppress(OSError):
        if runtime and os.stat(runtime).st_uid == os.geteuid():  # noqa: PTH116
            folders.insert(0, Path(runtime))
    return folders


def _point(link: Path, real: str) -> None:
    """Make `link` a symbolic link of ours to `real`; sticky folders keep others from replacing it afterwards."""
    try:
        with suppress(FileNotFoundError):
            status = link.lstat()
            if not stat.S_ISLNK(status.st_mode) or status.st_uid != os.geteuid():
                raise ConfigurationError(
                    f"{link} should be our link to the socket in {real}, but belongs to uid {status.st_uid}",
                    f"find out who made it and remove it: ls -ld {link}",
                )
            if os.readlink(link) == real:  # noqa: PTH115 -- bytes that are not UTF-8 compare as they are
                return
            link.unlink(missing_ok=True)
        with suppress(FileExistsError):  # another command of ours made it just now
            link.symlink_to(real)
    except OSError as error:
        raise ConfigurationError(
            f"cannot make {link}, the short way to the socket in {real}: {error.strerror}",
            "TMPDIR=FOLDER (one that can be written) and the same command again",
        ) from error
