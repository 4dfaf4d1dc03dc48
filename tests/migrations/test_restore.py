"""A backup that takes the place of a database: every row comes back, nothing is lost, and who may not is told why."""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest

from app.migrations import archives, locking, restore, restore_plan
from app.migrations.dump_progress import Progress
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.identity import Standing
from app.migrations.restore_plan import Request
from tests.migrations.chains import ask, dsn
from tests.migrations.restores import DESTROY, Shop, shop
from tests.migrations.sites import site
from tests.roads import journal


@pytest.fixture
def ours(scratch_admin: str, tmp_path: Path) -> Iterator[Shop]:
    with shop(scratch_admin, tmp_path, "MassaCorp") as made:
        yield made


def test_every_row_comes_back_and_the_old_database_is_kept(ours: Shop) -> None:
    before = ours.dump()
    archive = ours.site.make()
    ask(ours.url, DESTROY)
    destroyed = ours.dump()
    reached = ours.restore()
    assert (ours.dump(), ours.dump(reached.kept)) == (before, destroyed)
    assert ours.names() == {ours.name, reached.kept}
    assert (reached.name, reached.rows, reached.tables) == (ours.name, 266, 5)
    assert reached.kept.startswith(f"{ours.name}_before_")
    assert reached.kept_size
    assert journal(ours.url, "revision, action, detail") == [
        ("abc123", "restored", {"backup": archive.name, "kept": reached.kept})
    ]


def test_the_backup_is_not_deleted_while_it_is_restored_and_the_planner_knows_the_new_rows(ours: Shop) -> None:
    archive, tried = ours.site.make(), []

    def delete(progress: Progress) -> None:
        with suppress(archives.InUseError):
            tried.append(progress)
            archives.delete(archive.folder)

    road = ours.road._replace(advance=delete)
    restore.run(road, restore.gather(road, Request()))
    assert tried
    assert archives.check(archive) == []
    assert ask(ours.url, "SELECT reltuples::int FROM pg_class WHERE relname = 'users'") == [(200,)]
    assert ask(ours.url, "SELECT count(*) FROM pg_stats WHERE tablename = 'users'") != [(0,)]


@pytest.mark.slow
def test_the_restored_one_is_the_original_from_then_on_and_the_old_one_is_a_copy(ours: Shop, tmp_path: Path) -> None:
    ours.site.make()
    first = ours.restore()
    ours.site.make()
    second = ours.restore()
    assert [ours.verdict(name)[0].standing for name in (ours.name, second.kept)] == [Standing.OURS, Standing.COPY]
    seen = ours.verdict(ours.name)[1]
    assert seen.recorded is not None
    assert seen.recorded.facts == seen.facts
    with pytest.raises(Refused, match="it is a copy of prod"):
        ours._replace(site=site(tmp_path, ours.of(second.kept))).restore()
    ask(ours.of("postgres"), f'ALTER DATABASE "{ours.name}" RENAME TO "{ours.name}_wrong"')
    ask(ours.of("postgres"), f'ALTER DATABASE "{second.kept}" RENAME TO "{ours.name}"')
    assert ours.verdict(ours.name)[0].standing is Standing.OURS
    assert first.kept in ours.names()


@pytest.mark.slow
def test_what_a_dump_does_not_hold_is_given_as_it_is_now(ours: Shop) -> None:
    ours.site.make()
    name = f'"{ours.name}"'
    for statement in (
        f"ALTER DATABASE {name} CONNECTION LIMIT 7",
        f"ALTER DATABASE {name} SET search_path = '$user', public",
        f"ALTER DATABASE {name} SET work_mem = '5MB'",
        f"COMMENT ON DATABASE {name} IS 'it''s the shop'",
        f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
    ):
        ask(ours.url, statement)
    query = """SELECT datconnlimit, datacl::text[], shobj_description(d.oid, 'pg_database'), setconfig
        FROM pg_database d LEFT JOIN pg_db_role_setting s ON setdatabase = d.oid WHERE datname = %s"""
    before = ask(ours.url, query, ours.name)
    reached = ours.restore()
    assert ask(ours.url, query, ours.name) == before == ask(ours.url, query, reached.kept)
    assert before[0][0] == 7


@pytest.mark.slow
def test_a_lost_database_comes_back_with_what_the_manifest_knows(ours: Shop) -> None:
    ask(ours.url, f"ALTER DATABASE \"{ours.name}\" SET work_mem = '5MB'")
    before = ours.dump()
    ours.site.make()
    ask(ours.of("postgres"), f'DROP DATABASE "{ours.name}" WITH (FORCE)')
    reached = ours.restore()
    assert (reached.kept, ours.dump(), ask(ours.url, "SHOW work_mem")) == ("", before, [("5MB",)])
    assert ours.verdict(ours.name)[0].standing is Standing.OURS


@pytest.mark.slow
def test_a_database_in_use_is_refused_before_anything_is_built(ours: Shop) -> None:
    ours.site.make()
    with closing(psycopg2.connect(dsn(ours.url), application_name="shop")) as session:
        with pytest.raises(Refused) as raised:
            ours.restore()
        assert f"is in use: pid {session.info.backend_pid} (user postgres, application shop), connected for" in str(
            raised.value
        )
        assert "--terminate" in raised.value.hint
        assert ours.names() == {ours.name}
        reached = ours.restore(terminate=True)
        with pytest.raises(psycopg2.OperationalError), session.cursor() as cursor:
            cursor.execute("SELECT 1")
    assert reached.kept


@pytest.mark.slow
def test_a_migration_at_work_is_waited_for_and_then_refused(scratch_admin: str, tmp_path: Path) -> None:
    with shop(scratch_admin, tmp_path, upgrade_wait=timedelta(seconds=0.2)) as ours:
        ours.site.make()
        caller = locking.Caller(ours.site.target.place, "massacorp-migrations/prod/abc", ours.said.append)
        with (
            locking.exclusive(ours.site.engine, timedelta(0), caller),
            pytest.raises(Refused, match="another migration"),
        ):
            ours.restore(terminate=True)
        assert ours.names() == {ours.name}


def test_a_damaged_backup_is_refused_and_nothing_is_touched(ours: Shop) -> None:
    archive = ours.site.make()
    file = max(archive.dump.iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    before = ours.dump()
    with pytest.raises(Refused, match=rf"is damaged: .*{file.name}"):
        ours.restore()
    assert (ours.dump(), ours.names()) == (before, {ours.name})


@pytest.mark.slow
def test_a_backup_that_is_not_what_its_manifest_says_is_dropped_again(
    ours: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = ours.site.make()
    before = ours.dump()
    manifest = archive.readable()
    wrong = archive._replace(manifest=replace(manifest, rows={**manifest.rows, "public.users": 201}))
    monkeypatch.setattr(archives, "find", lambda *_: wrong)
    monkeypatch.setattr(archives, "check", lambda _: [])
    with pytest.raises(Refused, match="201 rows were backed up, 200 restored"):
        ours.restore()
    assert (ours.dump(), ours.names()) == (before, {ours.name})


@pytest.mark.slow
def test_another_environments_backup_is_refused_into_this_one(ours: Shop, tmp_path: Path) -> None:
    archive = ours.site.make()
    staging = site(tmp_path, ours.url, name="staging")
    stranger = ours._replace(site=staging)
    with pytest.raises(Refused, match="is one of prod, and the command works as staging"):
        stranger.restore(backup=str(archive.folder))
    assert ours.names() == {ours.name}


@pytest.mark.slow
def test_into_makes_a_copy_beside_the_target_and_leaves_it_alone(ours: Shop) -> None:
    ours.site.make()
    ours.restore()
    ours.site.make()
    ask(ours.url, DESTROY)
    before, names = ours.dump(), ours.names()
    with closing(psycopg2.connect(dsn(ours.url))):
        reached = ours.restore(into=f"{ours.name}_look")
    assert (reached.name, reached.kept, ours.dump()) == (f"{ours.name}_look", "", before)
    assert ours.names() == names | {reached.name}
    assert ours.verdict(reached.name)[0].standing is Standing.COPY
    with pytest.raises(Refused, match="there is a database"):
        ours.restore(into=reached.name)


@pytest.mark.slow
def test_one_table_is_rescued_with_all_that_is_its_own(ours: Shop) -> None:
    ours.site.make()
    reached = ours.restore(into=f"{ours.name}_part", tables=('public.Or"ders 100%', "part"))
    url = ours.of(reached.name)
    tables = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    assert {row[0] for row in ask(url, tables)} == {'Or"ders 100%', "part", "part1", "part2"}
    assert ask(url, 'SELECT count(*), max(id) FROM "Or""ders 100%"') == [(50, 50)]
    assert ask(url, 'INSERT INTO "Or""ders 100%" (note) VALUES (\'x\') RETURNING id') == [(51,)]
    assert ask(url, "SELECT count(*) FROM part") == [(15,)]
    assert (reached.rows, reached.tables) == (65, 3)
    assert [label.split()[0] for label in reached.left_out] == ["FK"]


@pytest.mark.slow
def test_a_table_that_needs_a_type_and_a_function_brings_them(ours: Shop) -> None:
    ours.site.make()
    reached = ours.restore(into=f"{ours.name}_part", tables=("users",))
    assert ask(ours.of(reached.name), "SELECT count(*), sum(twice) FROM users WHERE m = 'good'") == [(200, 400)]
    assert ask(ours.of(reached.name), "SELECT count(*) FROM pg_index WHERE indrelid = 'users'::regclass") == [(2,)]


@pytest.mark.slow
def test_a_table_that_is_not_there_is_answered_with_the_nearest(ours: Shop) -> None:
    ours.site.make()
    with pytest.raises(ConfigurationError, match=r'"public\.user" is no table of this backup; near it: public\.users'):
        ours.restore(into=f"{ours.name}_part", tables=("public.user",))
    assert ours.names() == {ours.name}


@pytest.mark.slow
def test_the_schema_alone_holds_no_row(ours: Shop) -> None:
    ours.site.make()
    reached = ours.restore(into=f"{ours.name}_schema", schema_only=True)
    assert ours.dump(reached.name, "--schema-only") == ours.dump("", "--schema-only")
    assert ask(ours.of(reached.name), "SELECT count(*) FROM users") == [(0,)]


@pytest.mark.parametrize("asked", [{"schema_only": True}, {"tables": ("users",)}], ids=["schema only", "a table"])
@pytest.mark.slow
def test_a_part_never_replaces_a_database(ours: Shop, asked: dict[str, object]) -> None:
    ours.site.make()
    with pytest.raises(Refused, match="a part, which never replaces a database"):
        ours.restore(**asked)


@pytest.mark.slow
def test_the_plan_says_what_will_happen(ours: Shop) -> None:
    archive = ours.site.make()
    with closing(psycopg2.connect(dsn(ours.url), application_name="shop")):
        situation = restore.gather(ours.road, Request(terminate=True))
    now = datetime(2030, 1, 1, tzinfo=UTC)
    first, second, third, fourth, *_ = restore_plan.described(situation, now)
    assert first.startswith(f"backup {archive.name}: ")
    assert first.endswith("d old, not proven, revision abc123, 266 rows in 5 tables") or " old, not proven" in first
    assert (
        second == f'will put it in the place of "{ours.name}", which is kept as "{ours.name}_before_20300101T000000Z"'
    )
    assert third.startswith("will lose  from the active database what was written in the ")
    assert "application shop" in fourth


@pytest.mark.slow
def test_roles_that_the_server_lacks_are_named_before_anything_is_built(
    ours: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = ours.site.make()
    lacking = archive._replace(manifest=replace(archive.readable(), roles=("postgres", 'a "gone" one')))
    monkeypatch.setattr(archives, "find", lambda *_: lacking)
    monkeypatch.setattr(archives, "check", lambda _: [])
    with pytest.raises(Refused) as raised:
        ours.restore()
    assert 'CREATE ROLE "a ""gone"" one"' in raised.value.hint
    assert ours.names() == {ours.name}
