"""The tracked environment files, as they are in this repository."""

from pathlib import Path

import pytest
from decouple import RepositoryEnv

from app.migrations.environments import KEYS, Backup, load, names, parse

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("dev", "test", "docker", "staging", "prod")


def test_there_are_five() -> None:
    assert tuple(names(ROOT)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_file_has_every_key_in_the_same_order_below_a_comment(name: str) -> None:
    text = (ROOT / "envs" / f"{name}.env").read_text()
    entries = parse(text, name)
    assert tuple(entries) == KEYS
    lines = text.splitlines()
    assert all(lines[entry.line - 2].startswith("# ") for entry in entries.values())
    assert {key: entry.value for key, entry in entries.items()} == RepositoryEnv(ROOT / "envs" / f"{name}.env").data


@pytest.mark.parametrize(
    ("name", "url", "protected", "backup", "scratch_url"),
    [
        ("dev", "embedded:///massacorp", False, Backup.NEVER, "embedded"),
        ("test", "embedded:///massacorp_test", False, Backup.NEVER, "embedded"),
        ("docker", "", False, Backup.NEVER, "embedded"),
        ("staging", "", True, Backup.ALWAYS, None),
        ("prod", "", True, Backup.PROVEN, None),
    ],
)
def test_says(tmp_path: Path, name: str, url: str, protected: bool, backup: Backup, scratch_url: str | None) -> None:
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / f"{name}.env").write_bytes((ROOT / "envs" / f"{name}.env").read_bytes())
    environment = load(tmp_path, name, {}, need_url=False)
    assert (environment.database_url, environment.protected) == (url, protected)
    assert (environment.backup, environment.scratch_url) == (backup, scratch_url)


@pytest.mark.parametrize("name", NAMES)
def test_the_comments_are_the_same_but_for_the_first(name: str) -> None:
    def comments(of: str) -> list[str]:
        return [line for line in (ROOT / "envs" / f"{of}.env").read_text().splitlines() if line.startswith("#")][1:]

    assert comments(name) == comments("dev")
