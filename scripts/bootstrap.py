"""Makes .venv, installs what requirements.lock pins, then becomes Invoke. Never changes anything else but .venv.lock.

scripts/inv starts it when the last installation is missing, unfinished or of another lock. Where packages come from is
the user's business (their pip configuration holds); where they go, and which, is decided here.
"""

import fcntl
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / REQUIREMENTS.name
AGAIN = f"{shlex.quote(str(ROOT / 'scripts' / 'inv'))} --list"

PIP = (str(PYTHON), "-I", "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check")
# No source distributions: building one downloads build tools that nothing pins.
INSTALL = (
    *PIP,
    "install",
    "--require-hashes",
    "--only-binary=:all:",
    "--no-user",
    "--compile",
    "--progress-bar=off",
    "--requirement",
    str(REQUIREMENTS),
)
KEPT_FROM_PIP = re.compile(
    "PIP_(CACHE_DIR|CERT|CLIENT_CERT|CONFIG_FILE|DEFAULT_TIMEOUT|EXTRA_INDEX_URL|FIND_LINKS|INDEX_URL"
    "|KEYRING_PROVIDER|NO_CACHE_DIR|NO_INDEX|PROXY|RETRIES|TIMEOUT|TRUSTED_HOST|USE_DEPRECATED|USE_FEATURE)"
)


class Symptom(NamedTuple):
    """What a program prints when it fails for one cause; {0} is what the pattern's group caught."""

    pattern: str
    message: str
    hint: str


# The first that matches wins: pip reports an index that it cannot reach as a package that does not exist.
SYMPTOMS = (
    Symptom(
        r"No space left on device",
        f"no space is left on the disk while filling {VENV}",
        f"df -h {shlex.quote(str(ROOT))}, make room, then {AGAIN}",
    ),
    Symptom(
        r"DO NOT MATCH THE HASHES[\s\S]*?\n\s+(\S+)[^\n]*:\n\s+Expected",
        "{0} is not the file that requirements.lock pins: the index offers another one under its name; nothing "
        "of it is installed",
        "pip config list, to see which index that is; or git checkout requirements.lock",
    ),
    Symptom(
        r"--require-hashes mode",
        "requirements.lock does not pin, with hashes, all that it needs",
        "uv pip compile --universal --python-version 3.11 --all-extras --generate-hashes pyproject.toml "
        "-o requirements.lock",
    ),
    Symptom(
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "the certificate of the package index is not trusted, so nothing was downloaded",
        f"PIP_CERT=/path/to/ca-bundle.pem {AGAIN}",
    ),
    Symptom(
        r"40[137] (?:Client )?Error",
        "the package index refuses to serve these credentials, or none",
        "pip config list, and correct the index-url",
    ),
    Symptom(
        r"Retrying \(|NewConnectionError|Connection(?:Error|Reset|Refused)|Timeout(?:Error)?|ProxyError|Max retries",
        "the package index cannot be reached, so .venv cannot be set up",
        f"check the network, the proxy and `pip config list`, then {AGAIN}",
    ),
    Symptom(
        r"No matching distribution found for (\S+)",
        f"the package index has no ready-made {{0}} for Python {sys.version_info[0]}.{sys.version_info[1]} "
        "on this machine",
        f"PYTHON=python3.12 {AGAIN}, or another version; `pip config list` shows the index",
    ),
    Symptom(
        r"contains the PATH separator",
        f"{ROOT} has a colon in its name, which no virtual environment can have",
        "move this folder to a name without a colon",
    ),
)


class SetupError(Exception):
    """Two lines for a person: what happened, and what to run next."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep the two lines."""
        self.message = message
        self.hint = hint
        super().__init__(message, hint)


def main(arguments: Sequence[str]) -> int:
    """Install if need be, then replace this process by Invoke; returns an exit code only after a failure."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        ensure_installed()
        become_invoke(arguments)
    except SetupError as failure:
        return report(failure.message, failure.hint, 2)
    except KeyboardInterrupt:
        return report("the set-up of .venv was interrupted; the next run finishes it", AGAIN, 130)
    except OSError as failure:
        return report(*explain_os_error(failure), 2)


def become_invoke(arguments: Sequence[str]) -> NoReturn:
    """Replace this process, with the same words as scripts/inv does."""
    os.execv(PYTHON, [str(PYTHON), "-P", "-m", "invoke", "--search-root", str(ROOT), *arguments])  # noqa: S606


def ensure_installed() -> None:
    """Bring .venv up to requirements.lock, one process at a time. Raises SetupError, OSError, KeyboardInterrupt."""
    pinned = REQUIREMENTS.read_bytes()
    with exclusive(ROOT / ".venv.lock") as lock:
        usable = STAMP.exists() and is_usable(PYTHON)
        if not (usable and STAMP.read_bytes() == pinned):
            install(pinned, usable, lock)


@contextmanager
def exclusive(path: Path) -> Iterator[int]:
    """Hold the lock file `path`, waiting for whoever has it; the kernel releases it when its last holder dies."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            announce("another process is setting up .venv: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def install(pinned: bytes, usable: bool, lock: int) -> None:
    """Update a usable .venv, else make it anew; the stamp is off it from the first change to after the last."""
    version = ".".join(map(str, sys.version_info[:3]))
    if usable:
        announce("requirements.lock has changed: updating .venv, usually in seconds")
        # While something cannot be downloaded, .venv stays good for the lock that it was made from.
        run([*INSTALL, "--dry-run"], lock)
        STAMP.unlink()
    else:
        announce(f"setting up .venv with Python {version}, usually in less than a minute")
        STAMP.unlink(missing_ok=True)
        make_environment(lock)
    run(INSTALL, lock)
    if not is_usable(PYTHON, "invoke"):
        raise SetupError(
            "pip has put the packages elsewhere than in .venv, where Invoke is not to be found",
            "pip config list, and take out `target`, `prefix` or `root`",
        )
    unfinished = STAMP.with_suffix(".unfinished")
    unfinished.write_bytes(pinned)
    unfinished.replace(STAMP)


def make_environment(lock: int) -> None:
    """Make an empty .venv, of the Python behind all symbolic links.

    When the system's Python is upgraded, that leaves a dead link, which is noticed, and not a Python of another
    version, which would not see the packages.
    """
    base = str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
    try:
        from ensurepip import version  # noqa: F401, PLC0415
    except ImportError as error:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise SetupError(
            f"{base} comes without ensurepip, without which there are no virtual environments",
            f"apt-get install {package}, or name another Python: PYTHON=/path/to/python3 {AGAIN}",
        ) from error
    # In two steps, because venv does not pass on what ensurepip says when it fails.
    run([base, "-I", "-m", "venv", "--clear", "--without-pip", str(VENV)], lock)
    run([str(PYTHON), "-I", "-m", "ensurepip", "--default-pip"], lock)


def is_usable(python: Path, module: str = "pip") -> bool:
    """Whether `python` runs, is new enough and sees `module`, which a replaced Python of another version would not."""
    code = f"import sys, {module}; sys.exit(sys.version_info < (3, 11))"
    with suppress(OSError):
        return subprocess.run([python, "-I", "-c", code], capture_output=True, check=False).returncode == 0
    return False


def run(command: Sequence[str], lock: int) -> None:
    """Run `command` in silence. Raises SetupError with what its output means if it fails.

    It holds the lock too: when this process alone is killed, the next one waits for the orphan rather than fight it.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment(os.environ),
        pass_fds=[lock],
        process_group=0,
    ) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            stop(process)
            raise
    if process.returncode != 0:
        raise explain_failure(output, process.returncode)


def stop(process: subprocess.Popen[str]) -> None:
    """End the process group of `process`: politely, so that pip removes its temporary files, then for sure."""
    try:
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=5)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would change which Python, which packages or which folder is meant."""
    return {
        name: value
        for name, value in inherited.items()
        if not name.startswith(("PYTHON", "PIP_")) or KEPT_FROM_PIP.fullmatch(name)
    }


def explain_failure(output: str, code: int) -> SetupError:
    """What the output of a failed venv or pip means."""
    for pattern, message, hint in SYMPTOMS:
        if match := re.search(pattern, output):
            return SetupError(message.format(*match.groups()), hint)
    errors = re.findall(r"^ *error: *(.+)", output, re.IGNORECASE | re.MULTILINE) or output.split("\n")[-3:]
    tail = re.sub(r"//[^/@\s]+@", "//***@", " ".join(line.strip() for line in errors))
    return SetupError(
        f"setting up .venv failed with exit code {code}: {tail[-600:]}",
        f"rm -rf {shlex.quote(str(VENV))}, then {AGAIN}",
    )


def explain_os_error(error: OSError) -> tuple[str, str]:
    """What the operating system refused, and what can be done about it."""
    if isinstance(error, FileNotFoundError) and error.filename == str(REQUIREMENTS):
        return f"{REQUIREMENTS} is missing, which names what has to be installed", "git checkout requirements.lock"
    place = error.filename or VENV
    return f"{place}: {error.strerror}, so .venv cannot be set up", f"make {ROOT} writable, or use a clone that is"


def announce(message: str) -> None:
    """Say on stderr what is going on."""
    print(f"scripts/inv: {message}", file=sys.stderr, flush=True)


def report(message: str, hint: str, code: int) -> int:
    """Say on stderr what went wrong and what to do; returns `code`."""
    print(f"error: {message}\n  next: {hint}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
