import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine

from app.migrations import clients, restoring, scratch
from app.migrations.archives import Archive
from app.migrations.dump_progress import Progress
from app.migrations.errors import Refused
from app.migrations.manifest import DatabaseSettings
from app.migrations.restoring import Into, NotRestored
from tests.migrations.chains import ask
from tests.migrations.kept_backups import SAMPLE
from tests.migrations.sites import site

SHOP = """
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
INSERT INTO users (name) SELECT 'user ' || g FROM generate_series(1, 200) g;
CREATE INDEX ix_users_name ON users (name);
CREATE TABLE alembic_version AS SELECT 'abc123'::text AS version_num;
SELECT lo_from_bytea(0, 'large');
"""


@pytest.fixture(scope="module")
def made(scratch_admin: str, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    with scratch.database(scratch_admin) as url:
        ask(url, SHOP)
        return site(tmp_path_factory.mktemp("backups"), url).make()


@pytest.fixture(scope="module")
def template(scratch_admin: str, made: Archive, pg: int) -> Iterator[str]:
    """The name of a database that the backup was restored into."""
    with scratch.database(scratch_admin) as url:
        restoring.restore(made, into(url, pg))
        yield url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def restored(scratch_admin: str, template: str) -> Iterator[str]:
    with scratch.database(scratch_admin, template) as url:
        yield url


def into(url: str, pg: int, *options: str, jobs: int = 2) -> Into:
    return Into(url, clients.find("", "", pg), jobs, options)


def compared(url: str, archive: Archive) -> list[str]:
    return restoring.compare(create_engine(url, poolclass=NullPool), archive)


def test_a_restored_database_is_equal(restored: str, made: Archive) -> None:
    assert compared(restored, made) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("DELETE FROM users WHERE id = 7", "table public.users: 200 rows were backed up, 199 restored"),
        ("UPDATE alembic_version SET version_num = 'x'", "revisions: abc123 were backed up, x in public restored"),
        ("DROP TABLE alembic_version", "revisions: abc123 were backed up, none restored"),
        ("ALTER TABLE users ALTER id RESTART", "sequence public.users_id_seq stands at 1, before 200"),
        ("SELECT lo_unlink(oid) FROM pg_largeobject_metadata", "large objects: 1 were backed up, 0 restored"),
        ("DROP INDEX ix_users_name", "index ix_users_name ON public.users is missing in the restored one"),
        ("CREATE TABLE more (a int)", "table public.more with 0 rows was not in the backed-up database"),
        ("ALTER TABLE users ALTER name SET NOT NULL", "not null"),
        ("GRANT SELECT ON users TO PUBLIC", "grants to"),
    ],
    ids=["a row", "the revision", "no revisions", "a sequence", "a large object", "an index", "a table", "a column",
         "a grant"],
)  # fmt: skip
def test_what_differs_is_named(restored: str, made: Archive, change: str, difference: str) -> None:
    ask(restored, change)
    assert difference in "; ".join(compared(restored, made))


def test_a_sequence_that_went_on_is_no_difference(restored: str, made: Archive) -> None:
    ask(restored, "SELECT nextval('users_id_seq')")
    assert compared(restored, made) == []


def test_settings_that_the_dump_does_not_have_do_not_hide_the_revisions(restored: str, made: Archive) -> None:
    ask(restored, f"ALTER DATABASE {restored.partition('?')[0].rpartition('/')[2]} SET search_path = nowhere")
    assert compared(restored, made) == []


def test_many_differences_are_counted(restored: str, made: Archive) -> None:
    ask(restored, "".join(f"CREATE TABLE t{n} (a int);" for n in range(30)))
    assert "and 10 more differences of rows" in compared(restored, made)


def test_it_stops_at_the_first_error_and_says_which(restored: str, made: Archive, pg: int) -> None:
    with pytest.raises(NotRestored, match=r"pg_restore \S+ stopped: .*already exists"):
        restoring.restore(made, into(restored, pg))


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_ends_with_everything_restored(database: str, made: Archive, pg: int, jobs: int) -> None:
    told: list[Progress] = []
    restoring.restore(made, into(database, pg, jobs=jobs), told.append)
    assert told[-1].total > 0
    assert told[-1].done == told[-1].total
    assert any(0 < progress.done < progress.total for progress in told)


def test_options_of_pg_restore_reach_it(database: str, made: Archive, pg: int) -> None:
    restoring.restore(made, into(database, pg, "--schema-only"))
    assert ask(database, "SELECT count(*) FROM users") == [(0,)]


def test_a_catalog_that_cannot_be_read_is_refused(made: Archive, tmp_path: Path) -> None:
    copy = Archive(tmp_path / "prod/copy", SAMPLE)
    shutil.copytree(made.folder, copy.folder)
    (copy.folder / "catalog.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(Refused, match="has the format 99") as caught:
        restoring.read_catalog(copy)
    assert caught.value.hint == "inv db.backups --env=prod --check"


@pytest.mark.parametrize(
    ("provider", "locale", "major", "options"),
    [
        ("c", None, 14, "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"),
        ("c", None, 16, "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER 'libc'"),
        ("b", "C.UTF-8", 18,
         "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER 'builtin' BUILTIN_LOCALE 'C.UTF-8'"),
        ("i", "it's", 16, "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER 'icu' ICU_LOCALE 'it''s'"),
    ],
    ids=["before 15", "libc", "builtin", "icu"],
)  # fmt: skip
def test_a_new_database_gets_the_collation_of_the_old_one(
    provider: str, locale: str | None, major: int, options: str
) -> None:
    settings = SAMPLE.settings._replace(locale_provider=provider, collate="C", ctype="C", locale=locale)
    assert isinstance(settings, DatabaseSettings)
    assert restoring.creation_options(settings, major) == options


def test_a_table_is_emptied_before_it_is_filled_which_spares_a_scratch_server_the_log(restored: str) -> None:
    """pg_restore only does so where it knows the name of the table again: see `clients.quoting_options`."""
    ((emptied,),) = ask(restored, "SELECT pg_relation_filenode('users') <> 'users'::regclass::oid")
    assert emptied == (clients.find("", os.environ["PATH"], _major(restored)).major == _major(restored))


def _major(url: str) -> int:
    ((version,),) = ask(url, "SELECT current_setting('server_version_num')::int / 10000")
    return int(str(version))
