"""A clone whose commands are forked from a process that has run one already: they cost no more than their work.

`python -m tests.warm` is that process. It runs in the clone, with the clone's code, and holds no connection.
"""

import gc
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import forks
from tests.clones import Clone, Done

WARMING = ("db.upgrade",)


class Warm(Clone):
    """A clone, and the port of the process that runs its commands. HALT_PORT among the `changes` loads `halts`."""

    def __init__(self, folder: Path, environment: Mapping[str, str], port: int) -> None:
        super().__init__(folder)
        self.environment = dict(environment)
        self.port = port

    def fork(self, module: str, *arguments: str, ok: bool, changes: Mapping[str, str], cwd: str = ".") -> Done:
        with TemporaryDirectory() as folder, socket.create_connection(("127.0.0.1", self.port)) as line:
            request = [module, arguments, str(self.folder / cwd), {**self.environment, **changes}, folder]
            line.sendall(json.dumps(request).encode() + b"\n")
            answer = line.makefile().readline()
            out, err = ((Path(folder) / name).read_text() for name in ("out", "err"))
        return self._checked(Done(int(answer), out, err), arguments, ok)


@contextmanager
def warm(clone: Clone, url: str) -> Iterator[Warm]:
    """Start that process, with an upgrade of the empty database `url`; the block ends it and all that it runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.warm"],
        cwd=clone.folder,
        env={**clone.environment, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        try:
            yield Warm(clone.folder, clone.environment, int(process.stdout.readline()))
        finally:
            os.killpg(process.pid, signal.SIGKILL)


class _Handler(socketserver.StreamRequestHandler):
    """Runs one command. The server has forked for it already; this process waits for the end of the command's own."""

    def handle(self) -> None:
        module, arguments, folder, environment, output = json.loads(self.rfile.readline())
        pid = os.fork()
        if pid == 0:
            _become(module, arguments, folder, environment, Path(output))
        _, status = os.waitpid(pid, 0)
        self.wfile.write(f"{os.waitstatus_to_exitcode(status)}\n".encode())


class _Server(socketserver.ForkingTCPServer):
    """Takes all that comes at once. With Python's queue of five the kernel drops the rest: it comes minutes later."""

    request_queue_size = 128


def _become(module: str, arguments: list[str], folder: str, environment: dict[str, str], output: Path) -> None:
    """Run the command and end this process, without a way back into the server's code."""
    code = 0
    try:
        if "HALT_PORT" in environment:
            os.environ.update(environment)
            __import__("halts")
        forks.become(module, arguments, folder, environment, output)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:  # noqa: BLE001 -- the caller's code must not run on
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Warm up, print the port, then run what comes in until killed."""
    from invoke.program import Program

    with redirect_stdout(StringIO()):
        Program().run(["inv", *WARMING], exit=False)
    gc.freeze()  # else the first collection of each fork copies all that is loaded
    with _Server(("127.0.0.1", 0), _Handler) as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    serve()
