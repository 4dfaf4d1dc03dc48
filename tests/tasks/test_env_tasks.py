"""env.list, env.show, env.check and env.claim, as a person runs them."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.pool import NullPool

from app.core.engine import make_engine
from app.migrations import checkup, postmaster, runner, survey
from app.migrations.checkup import State
from app.migrations.environment_sources import sources
from app.migrations.environments import entries, load
from app.migrations.survey import Surveyor
from tests.clones import Clone
from tests.migrations.test_guard import owner, record
from tests.roads import ask, by_task, journal, target
from tests.tasks.test_protection import type_at_the_question

HEAD = "e5a72b8c9d0f"
PASSWORD = "corr3ct-h0rse"


def local(clone: Clone, name: str, url: str) -> None:
    """Name the database of an environment in its local file."""
    path = ".env" if name == "dev" else f"envs/{name}.local.env"
    (clone.folder / path).write_text(f"DATABASE_URL={url}\n")


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        yield int(listening.getsockname()[1])


def by_name(document: dict[str, Any]) -> dict[str, Any]:
    return {row["environment"]: row for row in document["environments"]}


def surveyor(root: Path, **process: str) -> Surveyor:
    return Surveyor(root, process, lambda url: make_engine(url, NullPool))


# env.list


def test_list_shows_every_environment(clone: Clone, migrated: str, silent: int) -> None:
    record(migrated, "prod", protected=True)
    local(clone, "prod", migrated)
    for name in ("docker", "staging", "test"):
        local(clone, name, f"postgresql://me:{PASSWORD}@127.0.0.1:{silent}/app")
    done = clone.inv("env.list", NO_COLOR="1")
    lines = done.out.splitlines()
    assert " ".join(lines[0].split()) == "name protected backup reachable revision pending last run identity"
    assert [line.split() for line in lines[1:]] == [
        ["dev", "no", "never", "not", "running"],
        ["test", "no", "never", "timeout"],
        ["docker", "no", "never", "timeout"],
        ["staging", "yes", "always", "timeout"],
        ["prod", "yes", "proven", "yes", HEAD, "0", "prod"],
    ]
    assert all(len(line) <= 80 for line in lines)
    assert "\x1b" not in done.out
    assert PASSWORD not in done.out + done.err
    assert not (clone.folder / ".postgres/data").exists()


def test_list_as_a_document(clone: Clone, migrated: str) -> None:
    by_task(clone.folder, target(migrated), "downgrade", "-1")
    local(clone, "docker", migrated)
    local(clone, "staging", migrated)
    rows = by_name(json.loads(clone.inv("env.list", "--json", DATABASE_URL="").out))
    assert list(rows) == ["dev", "test", "docker", "staging", "prod"]
    docker, staging, prod = rows["docker"], rows["staging"], rows["prod"]
    assert list(docker) == [
        "environment", "protected", "backup", "database", "reachable", "problem", "detail",
        "revisions", "state", "pending", "last_change", "identity",
    ]  # fmt: skip
    assert (docker["reachable"], docker["pending"], docker["state"]) == (True, 1, "behind")
    assert docker["last_change"]["action"] == "downgrade"
    assert docker["identity"] == {"environment": "docker", "standing": "ours", "reason": None}
    assert staging["identity"]["standing"] == "another's"
    assert (prod["reachable"], prod["problem"], prod["protected"], prod["backup"]) == (
        False,
        "no address",
        True,
        "proven",
    )


def test_list_offline_asks_nobody(clone: Clone, silent: int) -> None:
    local(clone, "docker", f"postgresql://me:{PASSWORD}@127.0.0.1:{silent}/app")
    out = clone.inv("env.list", "--offline").out
    assert f'docker  no        never  database "app" on 127.0.0.1:{silent} as user "me"' in out
    assert PASSWORD not in out


def test_list_goes_on_past_a_faulty_file_and_a_conflict(clone: Clone) -> None:
    (clone.folder / "envs/test.env").write_text("what is this\n")
    rows = survey.at_once(
        ["dev", "test", "prod"], (one := surveyor(clone.folder, DATABASE_URL="postgresql://h/app")).look, one.late
    )
    assert [row.problem for row in rows] == ["conflict", "faulty file", ""]
    assert rows[0].environment is not None


def test_five_that_are_silent_take_as_long_as_one(clone: Clone, silent: int) -> None:
    names = ["dev", "test", "docker", "staging", "prod"]
    for name in ("docker", "staging", "prod"):
        local(clone, name, f"postgresql://127.0.0.1:{silent}/app")
    for name in ("dev", "test"):
        path = clone.folder / f"envs/{name}.env"
        path.write_text(path.read_text().replace("embedded:///massacorp", f"postgresql://127.0.0.1:{silent}/app"))
    one = surveyor(clone.folder)._replace(script=runner.history(clone.folder))
    began = time.monotonic()
    assert [row.problem for row in survey.at_once(names, one.look, one.late)] == ["timeout"] * 5
    assert time.monotonic() - began < 3 * survey.CONNECT_TIMEOUT


def test_one_that_hangs_is_given_up() -> None:
    def look(name: str) -> str:
        if name == "slow":
            time.sleep(60)
        return name

    assert survey.at_once(["slow", "quick"], look, lambda name: f"{name} was late", 0.5) == ["slow was late", "quick"]


def test_a_bug_in_a_thread_is_not_lost() -> None:
    def look(name: str) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        survey.at_once(["a"], look, look)


# env.show


def test_show_says_where_each_value_comes_from(clone: Clone) -> None:
    local(clone, "prod", f"postgresql://me:{PASSWORD}@db.example/app")
    done = clone.inv("env.show", "prod", LOCK_TIMEOUT="2s", COLUMNS="120", SCRATCH_URL="")
    rows = {line.split()[0]: line.split()[1:] for line in done.out.splitlines()}
    assert rows["DATABASE_URL"] == ["postgresql+psycopg2://me:***@db.example/app", "envs/prod.local.env:1"]
    assert rows["LOCK_TIMEOUT"] == ["2s", "the", "process", "environment"]
    assert rows["PROTECTED"] == ["true", "envs/prod.env:8"]
    assert rows["SCRATCH_URL"] == ["none", "default"]
    assert PASSWORD not in done.out + done.err


def test_show_takes_the_name_as_an_option_too_and_answers_in_json(clone: Clone) -> None:
    document = json.loads(clone.inv("env.show", "--env=dev", "--json").out)
    assert document["environment"] == "dev"
    assert document["keys"][0] == {
        "key": "DATABASE_URL", "value": "embedded:///massacorp", "source": "envs/dev.env:5",
    }  # fmt: skip


def test_the_local_file_comes_before_the_shared_one(clone: Clone) -> None:
    (clone.folder / "envs/prod.local.env").write_text("BACKUP_JOBS=2\nBACKUP_KEEP=\n")
    values = sources(load(clone.folder, "prod", {}, need_url=False), *entries(clone.folder, "prod"), {})
    shown = {value.key: (value.text, value.source) for value in values}
    assert shown["BACKUP_JOBS"] == ("2", "envs/prod.local.env:1")
    assert shown["BACKUP_KEEP"] == ("10", "envs/prod.env:17")


def test_an_exported_protected_is_not_where_it_comes_from(clone: Clone) -> None:
    process = {"PROTECTED": "true", "DATABASE_URL": "postgresql://h/app"}
    values = sources(load(clone.folder, "prod", process), *entries(clone.folder, "prod"), process)
    assert {value.key: value.source for value in values}["PROTECTED"] == "envs/prod.env:8"
    assert values[0].source == "the process environment"


# env.check


def test_check_of_this_repository_is_content_and_starts_nothing(clone: Clone) -> None:
    done = clone.inv("env.check", DATABASE_URL="postgresql://127.0.0.1:1/left_exported")
    assert done.out.splitlines() == [
        "dev: ok, the private server does not run; it starts when it is needed "
        '(database "massacorp" on the private server)',
        "test: ok, the private server does not run; it starts when it is needed "
        '(database "massacorp_test" on the private server)',
        "docker: ok, no address here",
        "staging: ok, no address here",
        "prod: ok, no address here",
    ]
    assert postmaster.find(clone.folder / ".postgres/data") is None


def test_check_finds_what_is_planted_and_says_no(clone: Clone, migrated: str) -> None:
    record(migrated, "prod")
    dev = clone.folder / "envs/dev.env"
    dev.write_text(dev.read_text().replace("embedded:///massacorp", f"postgresql://me:{PASSWORD}@127.0.0.1:1/a"))
    staging = clone.folder / "envs/staging.env"
    staging.write_text(staging.read_text().replace("BACKUP=always", "BACKUP=sometimes"))
    local(clone, "docker", migrated)
    done = clone.inv("env.check", "--json", ok=False)
    assert done.code == 1
    rows = by_name(json.loads(done.out))
    assert [(one["path"], one["line"], one["rule"]) for row in rows.values() for one in row["findings"]] == [
        ("envs/dev.env", 5, "secret-in-tracked-file"),
        ("envs/dev.env", None, "unreachable"),
        ("envs/docker.env", None, "identity"),
        ("envs/staging.env", 11, "value"),
    ]
    assert rows["docker"]["server"] == server_version(migrated)
    assert PASSWORD not in done.out + done.err
    text = clone.inv("env.check", "--env=staging", ok=False)
    assert text.out.startswith(
        'envs/staging.env:11: value\n  BACKUP is "sometimes"; accepted: never, always, proven\n  next: '
    )
    assert text.code == 1


def server_version(url: str) -> str:
    return str(ask(url, "SELECT split_part(version(), ' ', 2)")[0][0])


@pytest.mark.parametrize(("flags", "code"), [([], 4), (["--offline"], 0)], ids=["asked", "offline"])
def test_a_server_that_cannot_be_reached_has_a_code_of_its_own(clone: Clone, flags: list[str], code: int) -> None:
    done = clone.inv("env.check", "--env=prod", *flags, ok=False, DATABASE_URL="postgresql://127.0.0.1:1/app")
    assert done.code == code
    assert ("Connection refused" in done.out) == (not flags)


def test_check_finds_the_tracked_local_file_in_a_real_repository(clone: Clone) -> None:
    local(clone, "prod", f"postgresql://me:{PASSWORD}@127.0.0.1:1/app")
    for command in (["init", "-q"], ["add", "-A"], ["add", "-f", "envs/prod.local.env"]):
        subprocess.run(["git", *command], cwd=clone.folder, check=True)
    (report,) = checkup.check(["prod"], surveyor(clone.folder), offline=True)
    assert [(one.path, one.line, one.rule) for one in report.findings] == [
        ("envs/prod.local.env", 1, "secret-in-tracked-file"),
        ("envs/prod.local.env", 0, "tracked-local-file"),
    ]


@pytest.fixture
def guest(migrated: str) -> Iterator[str]:
    """An ordinary role that owns nothing."""
    name = f"guest_{make_url(migrated).database}"
    ask(migrated, f"CREATE ROLE {name} LOGIN")
    yield make_url(migrated).set(username=name).render_as_string(hide_password=False)
    ask(migrated, f"DROP OWNED BY {name}")
    ask(migrated, f"DROP ROLE {name}")


def rules(clone: Clone, url: str) -> list[str]:
    local(clone, "docker", url)
    (report,) = checkup.check(["docker"], surveyor(clone.folder), offline=False)
    return [one.rule for one in report.findings]


def test_check_finds_the_rights_that_are_missing(clone: Clone, migrated: str, guest: str) -> None:
    role, database = make_url(guest).username, make_url(migrated).database
    ask(migrated, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    assert rules(clone, guest) == ["missing-right", "not-the-owner"]
    ask(migrated, f"GRANT CREATE ON SCHEMA public TO {role}")
    assert rules(clone, guest) == ["not-the-owner"]
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    for (table,) in ask(migrated, tables):
        ask(migrated, f"ALTER TABLE {table} OWNER TO {role}")
    assert rules(clone, guest) == []
    record(migrated, "docker")
    assert rules(clone, guest) == ["not-the-owner", "identity"]
    ask(migrated, f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC")
    assert rules(clone, guest) == ["missing-right"]


def test_check_asks_the_private_server_where_it_runs(clone: Clone, migrated: str) -> None:
    assert [one.state for one in checkup.check(["dev"], surveyor(clone.folder), offline=False)] == [State.NOT_RUNNING]


# env.claim


@pytest.fixture
def prods(clone: Clone, migrated: str) -> Clone:
    """The clone, with a database that says it is prod as the database of docker."""
    record(migrated, "prod", protected=True)
    clone.environment |= {"DATABASE_URL": migrated, "APP_ENV": "docker"}
    return clone


def claimed(url: str) -> list[Any]:
    return [detail["was"] and detail["was"]["environment"] for (detail,) in claims_of(url)]


def claims_of(url: str) -> Any:
    return ask(url, "SELECT detail FROM alembic_journal WHERE action = 'claimed' ORDER BY id")


def test_without_a_terminal_the_recorded_name_has_to_be_given(prods: Clone, migrated: str) -> None:
    for flags, said in (([], "there is no terminal to ask at"), (["--recorded=docker"], "is recorded as prod, not as")):
        done = prods.inv("env.claim", *flags, ok=False)
        assert (done.code, said in done.err) == (2, True), done.err
        assert owner(migrated) == ("prod", True)
        assert claimed(migrated) == []
    done = prods.inv("env.claim", "--recorded=prod")
    assert "recorded as docker, before: prod" in done.out
    assert owner(migrated) == ("docker", False)
    assert claimed(migrated) == ["prod"]
    assert journal(migrated, "revision, action, environment, road") == [(HEAD, "claimed", "docker", "inv")]
    assert "nothing to do" in prods.inv("env.claim").out


@pytest.mark.parametrize(
    ("keys", "code", "owned"),
    [
        (b"prod\n", 0, ("docker", False)),
        (b"docker\n", 2, ("prod", True)),
        (b"\x03", 130, ("prod", True)),
        (b"\x04", 2, ("prod", True)),
    ],
    ids=["the recorded name", "the wrong name", "Ctrl-C", "Ctrl-D"],
)
def test_at_a_terminal_the_recorded_name_is_typed(
    prods: Clone, migrated: str, keys: bytes, code: int, owned: tuple[str, bool]
) -> None:
    ended, shown = type_at_the_question(prods, "env.claim", keys=keys)
    assert ended == code, shown
    assert "Traceback" not in shown
    assert "recorded  prod, protected" in shown
    assert owner(migrated) == owned
    assert claimed(migrated) == (["prod"] if code == 0 else [])


def test_a_protected_environment_claims_with_its_name_or_yes(clone: Clone, migrated: str) -> None:
    clone.environment |= {"DATABASE_URL": migrated, "APP_ENV": "staging"}
    done = clone.inv("env.claim", ok=False)
    assert (done.code, "--yes" in done.err) == (2, True)
    assert owner(migrated) is None
    assert "recorded as staging, before: nothing" in clone.inv("env.claim", "--yes").out
    assert owner(migrated) == ("staging", True)


def test_without_the_right_to_write_nothing_is_claimed(clone: Clone, migrated: str, guest: str) -> None:
    record(migrated, "prod")
    ask(migrated, f"GRANT SELECT ON alembic_identity, alembic_journal TO {make_url(guest).username}")
    done = clone.inv("env.claim", "--env=docker", "--recorded=prod", ok=False, DATABASE_URL=guest)
    assert (done.code, "permission denied for table alembic_identity" in done.err) == (2, True), done.err
    assert owner(migrated) == ("prod", False)
