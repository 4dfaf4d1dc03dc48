"""Every command of the team's guide, on a real database: plain `alembic` as it is written, and its `inv` twin."""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from app.migrations.journal import TABLES
from tests.clones import Clone, Done

BASE, TENANTS, SESSIONS, HEAD = "c3bee0e2b93b", "d4cf1a3e5f7c", "a91f6d2c4b7e", "e5a72b8c9d0f"
Say = Callable[[str], Done]


def revision_of(url: str) -> str | None:
    with create_engine(url).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def tables_of(url: str) -> set[str]:
    with create_engine(url).connect() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version", *TABLES}


def as_written(url: str) -> str:
    """The URL as people write it: without the name of the driver."""
    return url.replace("postgresql+psycopg2://", "postgresql://")


@pytest.fixture(params=["alembic", "inv"])
def say(request: pytest.FixtureRequest, clone: Clone, database: str) -> Say:
    """Say the same thing to plain alembic or to its twin; both are told the database by DATABASE_URL alone."""
    if request.param == "alembic":
        clone.environment["DATABASE_URL"] = as_written(database)
        return lambda line: clone.alembic(*shlex.split(line))
    clone.environment["APP_ENV"] = "docker"
    clone.environment["DATABASE_URL"] = as_written(database)
    return lambda line: clone.inv(*twin(shlex.split(line)))


def twin(words: list[str]) -> list[str]:
    """`upgrade +1` is `db.upgrade --to=+1`, `merge -m text a b` is `db.merge -m text --revisions=a --revisions=b`.

    A stamp by `inv` has to be forced where the schema is not at the revision.
    """
    command, rest = words[0], words[1:]
    if command in {"upgrade", "downgrade", "stamp"}:
        rest = [f"--to={rest[0]}", *(["--force", "--yes"] if command == "stamp" else [])]
    if command == "merge":
        rest = [*rest[:2], *(f"--revisions={each}" for each in rest[2:])]
    return [f"db.{command}", *(word for word in rest if word != "--indicate-current")]


def test_upgrade_takes_head_a_revision_and_a_number_of_steps(say: Say, database: str) -> None:
    say("upgrade d4cf1a3e5f7c")
    assert (revision_of(database), tables_of(database)) == (TENANTS, {"tenants", "users"})
    say("upgrade +1")
    assert revision_of(database) == SESSIONS
    say("upgrade head")
    assert revision_of(database) == HEAD
    say("upgrade head")
    assert revision_of(database) == HEAD


def test_downgrade_takes_a_step_a_revision_and_base(say: Say, database: str) -> None:
    say("upgrade head")
    say("downgrade -1")
    assert revision_of(database) == SESSIONS
    say("downgrade d4cf1a")
    assert tables_of(database) == {"tenants", "users"}
    say("downgrade base")
    assert (revision_of(database), tables_of(database)) == (None, set())
    say("upgrade head")
    assert revision_of(database) == HEAD


def test_current_and_history_show_where_the_database_is(say: Say) -> None:
    assert HEAD not in say("current").out
    say("upgrade a91f6d2c4b7e")
    assert SESSIONS in say("current").out
    marked = next(line for line in say("history --indicate-current").out.splitlines() if "(current)" in line)
    assert f"{SESSIONS} (current)" in marked
    assert "Create Date: 2024-02-12" in say("history -v").out


def test_heads_names_the_newest_revision(say: Say) -> None:
    assert say("heads").out.split()[:2] == [HEAD, "(head)"]


def test_stamp_records_a_revision_and_runs_nothing(say: Say, database: str) -> None:
    say("stamp a91f6d2c4b7e")
    assert (revision_of(database), tables_of(database)) == (SESSIONS, set())
    say("stamp head")
    assert revision_of(database) == HEAD


def test_a_new_revision_has_the_header_of_the_guide_and_runs(say: Say, clone: Clone, database: str) -> None:
    say("upgrade head")
    say('revision -m "description de la \\"migration\\""')
    (path,) = set(clone.versions.glob("*description_de_la*.py"))
    source = path.read_text()
    new = path.name.split("_")[0]
    assert re.search(rf"^Revision ID: {new}\nRevises: {HEAD}\nCreate Date: 20\d\d-", source, re.M)
    assert '"""Applique la migration."""' in source
    assert "def downgrade() -> None:" in source
    say("upgrade head")
    assert revision_of(database) == new


def test_a_generated_revision_holds_what_the_models_have_more(say: Say, clone: Clone, database: str) -> None:
    say("upgrade head")
    model = clone.folder / "app/models/user.py"
    model.write_text(model.read_text() + "    phone: Mapped[str | None] = mapped_column(Text)\n")
    say("revision --autogenerate -m add_users_phone")
    (path,) = clone.versions.glob("*_add_users_phone.py")
    source = path.read_text()
    assert 'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))' in source
    assert 'op.drop_column("users", "phone")' in source
    assert len(re.findall(r"^    op\.", source, re.M)) == 2
    say("upgrade head")
    say("downgrade -1")
    say("upgrade head")
    assert revision_of(database) == path.name.split("_")[0]


def test_two_heads_are_merged(say: Say, clone: Clone, database: str) -> None:
    empty = "def upgrade() -> None: ...\n\n\ndef downgrade() -> None: ..."
    clone.write_revision("abc123", HEAD, empty)
    clone.write_revision("def456", HEAD, empty)
    say('merge -m "merge_branches" abc123 def456')
    (path,) = clone.versions.glob("*_merge_branches.py")
    assert re.search(r"down_revision.*= \(\"abc123\", \"def456\"\)", path.read_text())
    say("upgrade head")
    assert revision_of(database) == path.name.split("_")[0]


def test_check_finds_no_difference_between_models_and_head(clone: Clone, database: str) -> None:
    url = as_written(database)
    clone.alembic("upgrade", "head", DATABASE_URL=url)
    assert "No new upgrade operations detected." in clone.alembic("check", DATABASE_URL=url).out


def test_the_script_is_printed_without_a_database(clone: Clone) -> None:
    script = clone.alembic("upgrade", "head", "--sql", APP_ENV="prod").out
    assert script.index("CREATE TABLE tenants") < script.index("CREATE TABLE sessions")
    assert script.count("BEGIN;") == script.count("COMMIT;") == 4
    assert "DROP TABLE users" in clone.alembic("downgrade", f"{HEAD}:base", "--sql").out
    assert not (clone.folder / ".postgres/data").exists()


@pytest.fixture
def clone_with_dotenv(clone: Clone, database: str) -> Clone:
    (clone.folder / ".env").write_text(f"# mine\nDATABASE_URL={as_written(database)}\n")
    return clone


def test_dotenv_is_read_by_both_without_being_sourced(clone_with_dotenv: Clone, database: str) -> None:
    clone_with_dotenv.alembic("upgrade", "+2")
    assert revision_of(database) == TENANTS
    clone_with_dotenv.inv("db.upgrade")
    assert revision_of(database) == HEAD


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["source .env", "set -a; source .env; set +a"], ids=["sourced", "exported"])
def test_sourcing_dotenv_first_changes_nothing(clone_with_dotenv: Clone, database: str, prefix: str) -> None:
    clone = clone_with_dotenv
    program = f"import subprocess, sys; sys.exit(subprocess.call(['bash', '-c', {prefix!r} + '; ' + sys.argv[1]]))"
    clone.run("-c", program, f"{shlex.quote(sys.executable)} -m alembic upgrade head", changes={})
    assert revision_of(database) == HEAD
    clone.run("-c", program, f"{shlex.quote(sys.executable)} -m invoke db.downgrade --to=base", changes={})
    assert revision_of(database) is None


def test_with_nothing_said_both_use_the_private_server_of_dev(clone: Clone) -> None:
    try:
        assert "done: dev is at e5a72b8c9d0f (at head)" in clone.inv("db.upgrade").out
        assert f"{HEAD} (head)" in clone.alembic("current").out
        clone.alembic("downgrade", "-1")
        assert f"revision     {SESSIONS}" in clone.inv("db.status").out
    finally:
        assert "stopped" in clone.inv("db.stop").out


@pytest.mark.slow
def test_a_hundred_thousand_users_go_up_and_down(clone: Clone, database: str) -> None:
    engine = create_engine(database)
    url = as_written(database)
    clone.alembic("upgrade", SESSIONS, DATABASE_URL=url)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO tenants (name, slug) SELECT 'T' || n, 't' || n FROM generate_series(1, 100) n")
        )
        connection.execute(
            text(
                "INSERT INTO users (tenant_id, email, password_hash) "
                "SELECT 1 + n % 100, 'user' || n || '@example.org', 'x' FROM generate_series(1, 100000) n"
            )
        )
        connection.execute(
            text("INSERT INTO sessions (user_id, token_hash, expires_at) SELECT id, md5(id::text), now() FROM users")
        )
    clone.alembic("upgrade", "head", DATABASE_URL=url)
    with engine.connect() as connection:
        filled = connection.scalar(text("SELECT count(*) FROM sessions WHERE updated_at IS NOT NULL"))
    clone.alembic("downgrade", SESSIONS, DATABASE_URL=url)
    with engine.connect() as connection:
        kept = connection.scalar(text("SELECT count(*) FROM users JOIN sessions ON users.id = user_id"))
    assert (filled, kept) == (100_000, 100_000)
    clone.alembic("downgrade", "base", DATABASE_URL=url)
    assert tables_of(database) == set()


def test_the_table_of_revisions_of_the_guide_is_in_the_history(clone: Clone) -> None:
    names = sorted(path.name for path in Path(clone.versions).glob("*.py"))
    assert names == [
        f"{SESSIONS}_add_sessions.py",
        f"{BASE}_initial_schema.py",
        f"{TENANTS}_add_tenants_users.py",
        f"{HEAD}_add_sessions_updated_at.py",
    ]
