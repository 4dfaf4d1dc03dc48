"""`inv serve`: the application on the environment's own database, until Ctrl-C."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.migrations import server
from tests.clones import Clone
from tests.migrations.chains import ask


@contextmanager
def serving(clone: Clone, *words: str, **changes: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run `inv serve`; yields the process and the address that it has said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "invoke", "serve", "--port=0", *words],
        cwd=clone.folder,
        env={**clone.environment, **changes},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"serving on (http://\S+);", said)
        assert found, said + process.communicate()[1]
        yield process, found[1]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def probe(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{address}/health/ready", timeout=30) as answer:
            return answer.status, json.load(answer)["standing"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["standing"]


@pytest.mark.slow
def test_it_starts_the_private_database_and_sees_it_upgraded_stopped_and_started(clone: Clone) -> None:
    with serving(clone) as (process, address):
        assert probe(address) == (503, "no revision applied, 4 revisions pending")
        clone.inv("db.upgrade")
        assert probe(address) == (200, "at head")
        server.stop_all(clone.folder)
        assert probe(address) == (503, "unreachable: no socket")
        clone.inv("db.status")
        assert probe(address) == (200, "at head")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, "ended\n")
        assert "not ready: no revision applied, 4 revisions pending\n  next: inv db.upgrade --env=dev\n" in err
        assert "Traceback" not in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_signal_ends_it_in_order(number: signal.Signals, code: int, clone: Clone, migrated: str) -> None:
    with serving(clone, "--env=docker", DATABASE_URL=migrated) as (process, address):
        assert probe(address) == (200, "at head")
        process.send_signal(number)
        assert process.communicate(timeout=30)[1] == ""
        assert process.returncode == code
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert ask(migrated, f"{sessions} AND backend_type = 'client backend'") == [(0,)]


def test_a_port_that_is_taken_is_named(clone: Clone, migrated: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = clone.inv("serve", "--env=docker", f"--port={port}", ok=False, DATABASE_URL=migrated)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"error: cannot listen on 127.0.0.1, port {port}: Address already in use; nothing is served\n"
        "  next: inv serve --port=0 takes a free port; --host=127.0.0.1 is this machine alone\n"
    )


def test_a_history_that_is_not_whole_is_not_served(clone: Clone, migrated: str) -> None:
    clone.write_revision("0123456789ab", "gone", "def upgrade(): ...\n\n\ndef downgrade(): ...")
    done = clone.inv("serve", "--env=docker", ok=False, DATABASE_URL=migrated)
    assert done.code == 2
    assert "revision 0123456789ab names gone, which is not there; nothing is served" in done.err
