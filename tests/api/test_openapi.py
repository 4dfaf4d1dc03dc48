"""The application keeps what its OpenAPI document promises, as schemathesis tries it from outside."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.serving import served

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("away", [False, True], ids=["ready", "the database is away"])
def test_the_document_is_kept(away: bool, migrated: str, tmp_path: Path) -> None:
    """In a process of its own: the plugin of pytest is off, and its warnings are not ours."""
    with served("postgresql+psycopg2://nobody@127.0.0.1:1/nowhere" if away else migrated) as app:
        address = f"http://127.0.0.1:{app.port}/openapi.json"
        options = [
            "--max-examples=10",
            "--phases=examples,coverage,fuzzing",
            "--generation-database=none",
            "--no-color",
        ]
        if away:
            options.append("--exclude-checks=not_a_server_error")
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "run", address, *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,  # it leaves a folder where it runs
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
