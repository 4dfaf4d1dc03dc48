"""What may change which database, on both roads, on a real server: nothing is refused after it has begun."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from app.migrations import guard, journal, ownership, scratch
from app.migrations.errors import MigrationError, Refused
from app.migrations.identity import Standing
from tests.clones import Clone
from tests.roads import CHANGES, ROADS, ask, by_alembic, by_task, target, version

HEAD = "e5a72b8c9d0f"


@pytest.fixture(autouse=True)
def _own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alembic puts the folder of the history on sys.path, for good."""
    monkeypatch.setattr(sys, "path", [*sys.path])


def examined(url: str) -> ownership.Examination:
    with create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        return ownership.examine(connection)


def record(url: str, name: str, protected: bool = False) -> None:
    """Make the database say whose it is."""
    with create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        seen = ownership.examine(connection)
        journal.create(connection, "public")
        journal.record_identity(connection, "public", name, protected, seen.facts)


def owner(url: str) -> tuple[str, bool] | None:
    recorded = examined(url).recorded
    return recorded and (recorded.environment, recorded.protected)


def test_who_recorded_it_goes_on_changing_it(root: Path, migrated: str) -> None:
    record(migrated, "docker")
    for road in ROADS.values():
        road(root, target(migrated), "downgrade", "-1")
        assert version(migrated) != [HEAD]
        road(root, target(migrated), "upgrade", "head")
        assert version(migrated) == [HEAD]
    assert owner(migrated) == ("docker", False)


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize(("action", "to"), CHANGES.items())
def test_another_name_changes_nothing(root: Path, migrated: str, road: str, action: str, to: str) -> None:
    by_task(root, target(migrated, "staging"), "downgrade", "-1")
    before = journal_of(migrated)
    with pytest.raises(Refused, match="this database is staging"):
        ROADS[road](root, target(migrated, "test"), action, to)
    assert journal_of(migrated) == before
    assert owner(migrated) == ("staging", False)


def journal_of(url: str) -> tuple[list[str], list[tuple[object, ...]]]:
    return version(url), ask(url, "SELECT * FROM alembic_journal")


def test_the_first_change_records_the_environment(root: Path, database: str) -> None:
    by_task(root, target(database, "prod", protected=True), "upgrade", "head")
    seen = examined(database)
    assert seen.recorded is not None
    assert (seen.recorded.environment, seen.recorded.protected) == ("prod", True)
    assert seen.recorded.facts == seen.facts
    assert seen.facts.system is not None
    assert seen.facts.database == make_url(database).database


def test_a_change_without_an_environment_records_none(root: Path, database: str) -> None:
    by_alembic(root, target(database, ""), "upgrade", "head")
    assert version(database) == [HEAD]
    assert owner(database) is None


def test_the_recorded_protection_follows_the_file(root: Path, migrated: str) -> None:
    record(migrated, "prod", protected=False)
    by_task(root, target(migrated, "prod", protected=True), "downgrade", "-1")
    assert owner(migrated) == ("prod", True)


def test_a_database_that_two_files_name_is_left_as_empty_as_it_was(clone: Clone, database: str) -> None:
    place_file(clone.folder, "prod", database)
    done = clone.alembic("-x", "env=docker", "upgrade", "head", ok=False, DATABASE_URL=database)
    assert done.code == 2
    assert "this database is also named by envs/prod.env, and nothing is recorded in it" in done.err
    assert ask(database, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []


def test_a_namesake_elsewhere_is_none(migrated: str, tmp_path: Path) -> None:
    other = place_file(tmp_path, "prod", str(make_url(migrated).set(database="other")))
    assert ownership.judge(target(migrated), examined(migrated), other).allows_change


def place_file(root: Path, name: str, url: str) -> Path:
    (root / "envs").mkdir(exist_ok=True)
    (root / "envs" / f"{name}.env").write_text(f"DATABASE_URL={url}\n")
    return root


@pytest.fixture
def copied(scratch_admin: str, migrated: str) -> Iterator[str]:
    """A copy of a database of prod, made on the same server: with another oid."""
    record(migrated, "prod", protected=True)
    with scratch.database(scratch_admin, make_url(migrated).database) as url:
        yield url


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("name", ["prod", "docker"])
def test_a_copy_is_changed_by_nobody_before_it_is_claimed(root: Path, copied: str, road: str, name: str) -> None:
    with pytest.raises(Refused, match=r"copy of prod") as error:
        ROADS[road](root, target(copied, name), "downgrade", "base")
    assert f"inv env.claim --env={name}" in error.value.hint
    assert version(copied) == [HEAD]


@pytest.mark.parametrize("action", ["downgrade", "stamp"])
def test_plain_alembic_on_a_protected_database_needs_the_word(root: Path, migrated: str, action: str) -> None:
    record(migrated, "prod", protected=True)
    for meant in (target(migrated, "prod", protected=True), target(migrated, "")):
        with pytest.raises(Refused, match="is protected") as error:
            by_alembic(root, meant, action, CHANGES[action])
        assert "-x unguarded=yes" in error.value.hint
    assert version(migrated) == [HEAD]
    by_alembic(root, target(migrated, "prod", protected=True), action, CHANGES[action], unguarded=True)
    assert version(migrated) != [HEAD]


def test_plain_upgrade_of_a_protected_database_goes_on_with_a_notice(
    root: Path, migrated: str, capsys: pytest.CaptureFixture[str]
) -> None:
    by_task(root, target(migrated, "prod", protected=True), "downgrade", "-1")
    by_alembic(root, target(migrated, "prod", protected=True), "upgrade", "head")
    assert "notice: " in capsys.readouterr().err
    assert version(migrated) == [HEAD]


@pytest.fixture
def guest(migrated: str) -> Iterator[str]:
    """The URL of an ordinary role, which may write alembic_version and create nothing."""
    name = f"guest_{make_url(migrated).database}"
    for statement in (
        f"CREATE ROLE {name} LOGIN",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON alembic_version TO {name}",
    ):
        ask(migrated, statement)
    yield make_url(migrated).set(username=name).render_as_string(hide_password=False)
    ask(migrated, f"DROP OWNED BY {name}")
    ask(migrated, f"DROP ROLE {name}")


def test_without_the_right_to_create_the_tables_a_warning_and_the_change(
    root: Path, migrated: str, guest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    by_task(root, target(guest), "stamp", "base")
    warned = capsys.readouterr().err
    assert "permission denied for schema public: alembic_journal and alembic_identity cannot be created" in warned
    assert version(migrated) == []
    assert ask(migrated, "SELECT to_regclass('alembic_journal')") == [(None,)]


def test_without_the_right_to_create_the_tables_the_files_still_guard(
    tmp_path: Path, migrated: str, guest: str
) -> None:
    verdict = ownership.judge(target(guest), examined(guest), place_file(tmp_path, "prod", migrated))
    assert verdict.standing is Standing.ANOTHERS


def test_an_identity_that_cannot_be_read_is_somebody_elses(root: Path, migrated: str, guest: str) -> None:
    record(migrated, "prod")
    with pytest.raises(Refused, match="permission denied for table alembic_identity") as error:
        by_task(root, target(guest), "stamp", "base")
    assert "GRANT SELECT" in error.value.hint
    assert version(migrated) == [HEAD]


def test_a_journal_that_cannot_be_written_stops_the_change(root: Path, migrated: str, guest: str) -> None:
    record(migrated, "docker")
    ask(migrated, f"GRANT SELECT ON alembic_identity, alembic_journal TO {make_url(guest).username}")
    with pytest.raises(MigrationError, match="permission denied for table alembic_"):
        by_task(root, target(guest), "stamp", "base")
    assert version(migrated) == [HEAD]


def test_without_the_system_identifier_oid_and_host_decide(
    root: Path, migrated: str, guest: str, scratch_admin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    role = make_url(guest).username
    ask(migrated, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    ask(migrated, f"GRANT CREATE ON SCHEMA public TO {role}")
    assert examined(guest).facts.system is None
    by_task(root, target(guest), "stamp", "d4cf1a3e5f7c")
    assert "may not call pg_control_system()" in capsys.readouterr().err
    assert owner(guest) == ("docker", False)
    by_task(root, target(guest), "stamp", "head")
    with pytest.raises(Refused, match="this database is docker"):
        by_task(root, target(guest, "prod"), "stamp", "base")
    ask(migrated, f"GRANT SELECT ON alembic_identity TO {role}")
    with scratch.database(scratch_admin, make_url(migrated).database) as copy:
        as_guest = make_url(copy).set(username=role).render_as_string(hide_password=False)
        with pytest.raises(Refused, match="copy of docker"):
            by_task(root, target(as_guest), "stamp", "base")


def test_reading_commands_are_told_from_changes() -> None:
    def goal() -> str:
        raise KeyError("no goal")

    assert not guard.is_change(goal)
    assert guard.is_change(lambda: "head")


def test_a_search_path_without_a_schema_is_an_error_and_not_a_bug(root: Path, database: str) -> None:
    with create_engine(database).begin() as connection:
        connection.execute(text(f"ALTER DATABASE {make_url(database).database} SET search_path = nowhere"))
    with pytest.raises(MigrationError, match="search_path names no schema"):
        by_task(root, target(database), "upgrade", "head")
