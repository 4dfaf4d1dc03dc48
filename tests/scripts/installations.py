"""Small repositories to try scripts/inv in: hand-made packages, a lock that pins one, an index that can be held up."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copy2, copytree
from typing import NamedTuple

from scripts import bootstrap
from tests.clones import ROOT, Done

FAKE_INVOKE = """
import json, os, sys
from invoke import VERSION
if "exit" in sys.argv:
    sys.exit(int(sys.argv[-1]))
print(json.dumps({"version": VERSION, "arguments": sys.argv[1:], "folder": os.getcwd(), "prefix": sys.prefix}))
"""


class Workshop(NamedTuple):
    """A folder of hand-made wheels, each of which is an Invoke that prints how it was called."""

    wheels: Path

    def pin(self, version: str, name: str = "invoke", requires: str = "") -> str:
        """The lines of a lock for that version, whose wheel is made if need be."""
        wheel = self.wheels / f"{name}-{version}-py3-none-any.whl"
        if not wheel.exists():
            information = f"{name}-{version}.dist-info"
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"
            with zipfile.ZipFile(wheel, "w") as archive:
                archive.writestr(f"{name}/__init__.py", f"VERSION = '{version}'\n")
                archive.writestr(f"{name}/__main__.py", FAKE_INVOKE)
                archive.writestr(f"{information}/METADATA", metadata)
                archive.writestr(
                    f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                )
                archive.writestr(f"{information}/RECORD", "")
        return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


class Installation:
    """A repository of scripts/inv, scripts/bootstrap.py and a lock, and the environment to run it in."""

    def __init__(self, root: Path, workshop: Workshop) -> None:
        self.root = root
        self.workshop = workshop
        self.inv = root / "scripts/inv"
        self.python = root / ".venv/bin/python"
        self.lock = root / "requirements.lock"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(workshop.wheels),
            "PYTHON": sys.executable,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": workshop.wheels.as_uri(),
        }

    @property
    def again(self) -> str:
        """The command that this repository's messages end with."""
        return bootstrap.AGAIN.replace(str(ROOT), str(self.root))

    def make(self) -> None:
        """Write the repository, without anything installed."""
        self.inv.parent.mkdir(parents=True)
        for name in ("inv", "bootstrap.py"):
            copy2(ROOT / "scripts" / name, self.inv.parent / name)
        self.lock.write_text(self.workshop.pin("1.0"))

    def copy(self, root: Path) -> "Installation":
        """Another repository, as installed as this one."""
        copytree(self.root, root, symlinks=True)
        return Installation(root, self.workshop)

    def use_index(self, url: str) -> None:
        """Take packages from the index at `url` only."""
        del self.environment["PIP_NO_INDEX"], self.environment["PIP_FIND_LINKS"]
        self.environment |= {"PIP_INDEX_URL": url, "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "1"}

    def start(self, *arguments: str, command: Sequence[str] = (), cwd: Path | None = None) -> subprocess.Popen[str]:
        """Start scripts/inv, or `command`, as the leader of a process group."""
        return subprocess.Popen(
            [*(command or [str(self.inv)]), *arguments],
            cwd=cwd or self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def run(self, *arguments: str, command: Sequence[str] = (), cwd: Path | None = None) -> Done:
        """Run scripts/inv, or `command`, to its end."""
        return finish(self.start(*arguments, command=command, cwd=cwd))


def finish(process: subprocess.Popen[str], seconds: float = 100) -> Done:
    """Wait for its end; a process that does not end in time is killed."""
    with process:
        try:
            out, err = process.communicate(timeout=seconds)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Done(process.returncode, out, err)


class Index(NamedTuple):
    """A package index that says when it is asked, and answers only when it is told to."""

    url: str
    asked: threading.Event
    answer: threading.Event


@contextmanager
def serve(wheels: Path) -> Iterator[Index]:
    """Run an index of the wheels in a folder."""
    asked, answer = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            answer.wait(60)
            wheel = wheels / self.path.rpartition("/")[2]
            links = "".join(f'<a href="/{file.name}">{file.name}</a>' for file in wheels.glob("*.whl"))
            body = wheel.read_bytes() if wheel.is_file() else f"<!DOCTYPE html><html>{links}</html>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream" if wheel.is_file() else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A killed pip hangs up on us."""

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Index(f"http://127.0.0.1:{server.server_port}/simple", asked, answer)
        answer.set()
        server.shutdown()
