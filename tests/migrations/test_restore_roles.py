"""Restores by a role that is no superuser, of other names, into another version."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest

from app.migrations import restore, restore_plan, scratch
from app.migrations.errors import Refused
from app.migrations.quoting import quoted
from app.migrations.restore_plan import Request
from tests.migrations.chains import ask, dsn
from tests.migrations.restores import DESTROY, Shop, shop

pytestmark = pytest.mark.slow

NAMES = {"accents and quotes": 'é "ü" it\'s', "63 bytes": "x" * 63, "63 bytes of accents": "é" * 31}


@pytest.fixture
def owner(scratch_admin: str) -> Iterator[str]:
    name = f"Owner {secrets.token_hex(4)}"
    ask(scratch_admin, f"CREATE ROLE {quoted(name)} LOGIN CREATEDB")
    yield name
    ask(scratch_admin, f"DROP ROLE {quoted(name)}")


@pytest.fixture
def owned(scratch_admin: str, tmp_path: Path, owner: str) -> Iterator[Shop]:
    with shop(scratch_admin, tmp_path, owner=owner) as made:
        yield made


def test_the_owner_of_the_database_goes_the_whole_road(owned: Shop, owner: str) -> None:
    before = owned.dump()
    owned.site.make()
    ask(owned.url, DESTROY)
    reached = owned.restore()
    assert owned.dump() == before
    owners = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = ANY (%s)"
    assert ask(owned.url, owners, [owned.name, reached.kept]) == [(owner,), (owner,)]


def test_the_owner_ends_the_sessions_that_are_its_own_and_is_told_of_those_that_are_not(
    owned: Shop, scratch_admin: str
) -> None:
    owned.site.make()
    with closing(psycopg2.connect(dsn(owned.url))):
        owned.restore(terminate=True)
    superuser = owned.url.replace(owned.url.split("//")[1].split("@")[0], "postgres")
    with closing(psycopg2.connect(dsn(superuser))), pytest.raises(Refused, match="may not end these sessions"):
        owned.restore(terminate=True)


@pytest.mark.parametrize("right", ["CREATEDB", "ownership"])
def test_a_right_that_is_missing_is_named_before_anything_is_built(
    owned: Shop, owner: str, scratch_admin: str, right: str
) -> None:
    owned.site.make()
    if right == "CREATEDB":
        ask(scratch_admin, f"ALTER ROLE {quoted(owner)} NOCREATEDB")
    else:
        ask(scratch_admin, f"ALTER DATABASE {quoted(owned.name)} OWNER TO postgres")
    with pytest.raises(Refused, match="may not create databases" if right == "CREATEDB" else "may not rename it"):
        owned.restore()
    assert owned.names() == {owned.name}


def test_a_parameter_that_only_a_superuser_sets_stops_the_restore_at_once(owned: Shop, scratch_admin: str) -> None:
    owned.site.make()
    ask(scratch_admin, f"ALTER DATABASE {quoted(owned.name)} SET log_min_duration_statement = 1000")
    with pytest.raises(Refused, match="cannot be made like it: permission denied to set parameter"):
        owned.restore()
    assert owned.names() == {owned.name}


@pytest.mark.parametrize("ending", NAMES.values(), ids=NAMES)
def test_any_name_that_a_database_can_have_is_restored(scratch_admin: str, tmp_path: Path, ending: str) -> None:
    with shop(scratch_admin, tmp_path, ending) as ours:
        before = ours.dump()
        ours.site.make()
        ask(ours.url, DESTROY)
        reached = ours.restore()
        assert (ours.dump(), len(reached.kept.encode()) <= 63) == (before, True)


@pytest.fixture
def other_admin(root: Path, pg: int) -> str:
    """A server of the other version."""
    return scratch.admin_url(root, scratch.EMBEDDED, major=34 - pg)


def test_a_backup_of_16_goes_into_18_and_not_the_other_way(
    scratch_admin: str, other_admin: str, tmp_path: Path, pg: int
) -> None:
    old, new = (scratch_admin, other_admin) if pg == 16 else (other_admin, scratch_admin)
    with shop(old, tmp_path / "16") as sixteen, shop(new, tmp_path / "18") as eighteen:
        archive = sixteen.site.make()
        before = sixteen.dump("", "--data-only")
        ask(eighteen.url, DESTROY)
        eighteen.restore(backup=str(archive.folder))
        assert eighteen.dump("", "--data-only") == before
        newer = eighteen.site.make()
        with pytest.raises(Refused, match="an older server does not understand it"):
            sixteen.restore(backup=str(newer.folder))


def test_a_session_that_comes_while_it_is_built_is_waited_for_and_then_it_is_dropped(
    scratch_admin: str, tmp_path: Path
) -> None:
    with shop(scratch_admin, tmp_path, lock_retry_for=timedelta(seconds=3)) as ours:
        ours.site.make()
        came: list[psycopg2.extensions.connection] = []

        def come(_: object) -> None:
            if not came:
                came.append(psycopg2.connect(dsn(ours.url), application_name="late"))

        road = ours.road._replace(advance=come)
        situation = restore.gather(road, Request())
        restore_plan.decide(situation)
        with pytest.raises(Refused, match=r"was still in use when the new database was ready: .*late"):
            restore.run(road, situation)
        assert ours.names() == {ours.name}
        assert "waits for" in ours.said[-1]
        came[0].close()


def test_prepared_transactions_are_named(tmp_path: Path, scratch_admin: str) -> None:
    with shop(scratch_admin, tmp_path) as ours:
        ours.site.make()
        situation = restore.gather(ours.road, Request())
        assert situation.found is not None
        waiting = situation._replace(found=situation.found._replace(prepared=("it's",)))
        with pytest.raises(Refused) as raised:
            restore_plan.decide(waiting)
        assert "prepared transactions are in the way: it's" in raised.value.message
        assert "ROLLBACK PREPARED 'it''s'" in raised.value.hint
