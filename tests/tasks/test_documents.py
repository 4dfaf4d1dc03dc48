"""The documents of `--json`: one on stdout, with exactly the keys that docs/json.md lists."""

import json
import re
from typing import Any

import pytest

from tests.clones import Clone

ENTRY = [
    "id",
    "revision",
    "action",
    "started_at",
    "duration_ms",
    "os_user",
    "os_host",
    "database_user",
    "git_commit",
    "git_dirty",
    "environment",
    "road",
    "digest",
    "detail",
]


@pytest.fixture
def answer(clone: Clone, database: str) -> Any:
    """What a task answers about a database that was upgraded two steps by `inv` and one by plain alembic."""
    clone.environment |= {"DATABASE_URL": database, "APP_ENV": "docker"}
    clone.inv("db.upgrade", "--to=+2")
    clone.alembic("upgrade", "+1")
    return lambda *words: json.loads(clone.inv(*words, "--json").out)


def test_each_document_has_its_shape(answer: Any, root: Any) -> None:
    status = answer("db.status")
    assert list(status) == [
        "environment",
        "protected",
        "database",
        "server",
        "identity",
        "revisions",
        "heads",
        "state",
        "pending",
        "half_applied",
        "migration_running",
        "last_change",
        "last_backup",
        "next",
    ]
    assert status["identity"] == {"environment": "docker", "standing": "ours", "reason": None}
    assert (status["revisions"], status["state"]) == (["a91f6d2c4b7e"], "behind")
    assert status["pending"] == [{"revision": "e5a72b8c9d0f", "title": "add_sessions_updated_at"}]
    assert status["next"] == "inv db.upgrade --env=docker"
    assert list(status["last_change"]) == ENTRY
    assert status["last_backup"] is None

    assert answer("db.current") == {
        "environment": "docker",
        "revisions": [{"revision": "a91f6d2c4b7e", "head": False}],
    }
    assert answer("db.heads") == {"heads": [{"revision": "e5a72b8c9d0f", "title": "add_sessions_updated_at"}]}

    history = answer("db.history")
    assert (history["environment"], history["current"]) == ("docker", ["a91f6d2c4b7e"])
    assert history["revisions"][1] == {
        "revision": "a91f6d2c4b7e",
        "title": "add_sessions",
        "down_revisions": ["d4cf1a3e5f7c"],
        "path": "alembic/versions/a91f6d2c4b7e_add_sessions.py",
        "head": False,
        "current": True,
    }

    entries = answer("db.journal", "--limit=2")["entries"]
    assert [(row["revision"], row["action"], row["road"]) for row in entries] == [
        ("a91f6d2c4b7e", "upgrade", "alembic"),
        ("d4cf1a3e5f7c", "upgrade", "inv"),
    ]
    assert [list(row) for row in entries] == [ENTRY, ENTRY]
    assert re.fullmatch(r"1:[0-9a-f]{64}", entries[0]["digest"])

    page = (root / "docs/json.md").read_text()
    for key in {*status, *ENTRY, *status["identity"], *history["revisions"][0]}:
        assert f"`{key}`" in page or f'"{key}"' in page, key
