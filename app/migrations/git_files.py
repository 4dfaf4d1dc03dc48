"""Runs git and returns what it says: few processes, none of them waiting for anybody. Changes nothing.

Always in the folder of this process, because a hook's GIT_DIR and GIT_INDEX_FILE may be relative to it.
"""

from __future__ import annotations

import os

from app.migrations.lean import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


class Running(NamedTuple):
    """A git that was started: its process (0 once it has ended), and the end of the pipe that it writes into."""

    pid: int
    descriptor: int
    written: bytes | None = None

    def answer(self) -> bytes | None:
        """Wait for the end, and return what was written; None where git was not content."""
        if not self.pid:
            return self.written
        with open(self.descriptor, "rb", buffering=0) as pipe:  # noqa: PTH123 -- there is no path
            written = pipe.readall()
        _, status = os.waitpid(self.pid, 0)
        return None if status else written


def start(*words: str, without: str = "") -> Running | None:
    """Start git, less one variable, without waiting for it; None where there is none.

    subprocess takes longer to load than git to run.
    """
    variables = environment()
    variables.pop(without, None)
    if not hasattr(os, "posix_spawnp"):
        return _ended(words, variables)
    reading, writing = os.pipe()
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, writing, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    try:
        return Running(os.posix_spawnp("git", ["git", *words], variables, file_actions=actions), reading)
    except OSError:
        os.close(reading)
        return None
    finally:
        os.close(writing)


def _ended(words: Sequence[str], variables: Mapping[str, str]) -> Running | None:
    """Run git to its end where it cannot be started the quick way: on Windows."""
    import subprocess  # noqa: PLC0415 -- see `start`

    try:
        done = subprocess.run(
            ["git", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=variables, check=False,
        )  # fmt: skip
    except OSError:
        return None
    return Running(0, -1, None if done.returncode else done.stdout)


def environment() -> dict[str, str]:
    """Return the variables of every git here: a path is no pattern, and nothing is written on the way."""
    return {**os.environ, "GIT_LITERAL_PATHSPECS": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def ask(*words: str, without: str = "") -> bytes | None:
    """Run git, less one variable, to its end; return what it wrote, None where it was not content or is not there."""
    running = start(*words, without=without)
    return running.answer() if running else None


def word(*words: str) -> str:
    """Run git to its end, and return the one line that it wrote; "" where it was not content."""
    return (ask(*words) or b"").decode("utf-8", "replace").strip()


def complaint(*words: str) -> str:
    """Run git again for what it complains about, on one line."""
    import subprocess  # noqa: PLC0415 -- see `start`

    try:
        done = subprocess.run(
            ["git", *words], capture_output=True, check=False, stdin=subprocess.DEVNULL, env=environment()
        )
    except OSError as error:
        return f"git: {error.strerror}"
    lines = done.stderr.decode("utf-8", "replace").split("\n")
    return lines[0].removeprefix("fatal: ") or f"it ended with {done.returncode}"


def blobs(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Read objects, all of them by one process; one that is not there (a partial clone, offline) is left out."""
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return
    import subprocess  # noqa: PLC0415 -- it feeds and reads at the same time, and the usual commit reads no object

    done = subprocess.run(
        ["git", "cat-file", "--batch"],
        input="".join(f"{name}\n" for name in wanted).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        check=False,
    )
    output, at = done.stdout, 0
    while at < len(output):
        end = output.index(b"\n", at)
        name, _, rest = output[at:end].decode().partition(" ")
        kind, _, size = rest.partition(" ")
        at = end + 1
        if kind == "blob":
            yield name, output[at : at + int(size)]
            at += int(size) + 1


def records(answer: bytes | None) -> Sequence[bytes]:
    """Return the records of an answer to `-z`; none where there was none."""
    return [line for line in answer.split(b"\0") if line] if answer else []
