import secrets
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.migrations import archives, manifest, proof, restoring, scratch, scratch_fit
from app.migrations.dump_progress import Progress
from app.migrations.errors import ConfigurationError, NegativeAnswer, Refused
from app.migrations.manifest import DatabaseSettings
from app.migrations.scratch_fit import Collation, Needs
from tests.migrations.chains import ask
from tests.migrations.kept_backups import SAMPLE
from tests.migrations.sites import ROOT, Site, site

SHOP = "CREATE TABLE t AS SELECT generate_series(1, 20) AS a; CREATE TABLE alembic_version AS SELECT 'x' AS version_num"
NOWHERE = "xx_YY.utf8"
PLAIN = SAMPLE.settings._replace(locale_provider="c", collate="C", ctype="C", locale=None)


@pytest.fixture
def shop(database: str, scratch_admin: str, tmp_path: Path) -> Site:
    ask(database, SHOP)
    return site(tmp_path, database, scratch_url=scratch_admin)


def databases(admin: str) -> set[str]:
    return {str(row[0]) for row in ask(admin, "SELECT datname FROM pg_database")}


def test_a_proof_is_written_into_the_manifest_and_leaves_no_database(shop: Site, scratch_admin: str) -> None:
    made = shop.make()
    before = databases(scratch_admin)
    proven = shop.prove(made)
    assert (proven.equal, proven.differences) == (True, ())
    assert archives.read(made.folder).readable().proof == proven
    proof.refuse_unless_equal(made, proven)
    mine = {name for name in databases(scratch_admin) - before if name.startswith(scratch.SCRATCH_PREFIX)}
    assert _of_this_test(mine, scratch_admin) == set()


def test_a_backup_is_not_deleted_while_it_is_proven(shop: Site) -> None:
    made, tried = shop.make(), []

    def delete(progress: Progress) -> None:
        with suppress(archives.InUseError):
            tried.append(progress)
            archives.delete(made.folder)

    assert proof.prove(ROOT, made, shop.environment, delete).equal
    assert tried


def test_a_manifest_that_says_more_than_the_dump_holds_is_not_proven(shop: Site, tmp_path: Path) -> None:
    made = shop.make()
    lying = replace(made.readable(), rows={**made.readable().rows, "public.t": 21}, revisions=("y",))
    (made.folder / manifest.NAME).write_bytes(manifest.render(lying))
    lied = archives.read(made.folder)
    proven = shop.prove(lied)
    assert proven.differences == (
        "revisions: y were backed up, x in public restored",
        "table public.t: 21 rows were backed up, 20 restored",
    )
    with pytest.raises(NegativeAnswer, match=r"is not proven: revisions: y were backed up") as caught:
        proof.refuse_unless_equal(lied, proven)
    assert caught.value.exit_code == 1
    assert not archives.read(made.folder).proven


def test_a_pg_dump_that_is_older_than_the_servers_release_is_named(shop: Site, database: str) -> None:
    noted = "UPDATE pg_attribute SET attoptions = '{pg_attver=7}' WHERE attrelid = 't'::regclass AND attnum > 0"
    ask(database, noted)
    made = shop.make()
    if shop.prove(made).equal:
        pytest.skip("this server's programs know pg_attver")
    (difference,) = archives.read(made.folder).readable().proof.differences  # type: ignore[union-attr]
    assert f"(pg_dump {made.readable().client_version}, which made this backup, is older than the minor" in difference
    assert "make another one with a newer pg_dump, which PG_BIN names" in difference


def test_a_backup_whose_bytes_have_changed_is_not_restored(shop: Site) -> None:
    made = shop.make()
    next(made.dump.glob("*.dat*")).write_bytes(b"x")
    with pytest.raises(Refused, match="is damaged, nothing was restored"):
        shop.prove(made)


def test_roles_that_the_dump_names_are_there_meanwhile_and_gone_afterwards(
    shop: Site, scratch_admin: str, database: str
) -> None:
    owner, reader = (f'role "{letter}" {secrets.token_hex(4)}' for letter in "oé")
    with closing(scratch.connect(scratch_admin)) as connection, connection.cursor() as cursor:
        for name in (owner, reader):
            cursor.execute(f"CREATE ROLE {_quoted(name)}")
        ask(
            database,
            f"ALTER TABLE t OWNER TO {_quoted(owner)}; GRANT SELECT ON t TO {_quoted(reader)};"
            f" CREATE POLICY p ON t TO {_quoted(reader)};"
            f" ALTER DEFAULT PRIVILEGES FOR ROLE {_quoted(owner)} GRANT SELECT ON TABLES TO {_quoted(reader)}",
        )
        made = shop.make()
        assert {owner, reader} <= set(made.readable().roles)
        ask(database, f"DROP OWNED BY {_quoted(reader)}; DROP OWNED BY {_quoted(owner)}")
        for name in (owner, reader):
            cursor.execute(f"DROP ROLE {_quoted(name)}")
        assert shop.prove(made).differences == ()
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY (%s)", ([owner, reader],))
        assert cursor.fetchone() == (0,)


def test_a_protected_environment_that_names_no_scratch_server_is_refused(shop: Site, tmp_path: Path) -> None:
    shy = site(tmp_path, shop.environment.database_url, protected=True, scratch_url=None)
    with pytest.raises(ConfigurationError) as caught:
        shy.check_provable()
    assert caught.value.message == (
        "prod does not say where its backups may be proven: its data is protected, and goes to the private server of"
        " this machine only when its file says so"
    )
    assert caught.value.hint == (
        "write SCRATCH_URL=embedded, or the URL of a server for scratch databases, into envs/prod.env"
    )


def test_what_can_be_proven_is_said_beforehand(shop: Site) -> None:
    shop.check_provable()


def needs(**changes: object) -> Needs:
    return Needs(PLAIN, ("plpgsql",), ("postgres",))._replace(**changes)  # type: ignore[arg-type]


@pytest.mark.private
@pytest.mark.parametrize(
    ("wanted", "lacking"),
    [
        (needs(), ""),
        (needs(extensions=("plpgsql", "vector")), ""),
        (needs(roles=("nobody knows",)), ""),
        (needs(extensions=("citext",)), 'the extension "citext" (extension "citext" is not available)'),
        (needs(tablespaces=("fast",)), 'the tablespace "fast"'),
        (needs(collations=(Collation("a.b", "i", None, None, "fr", True),)), "the collation a.b of icu ("),
        (needs(collations=(Collation("a.b", "c", NOWHERE, NOWHERE, None, True),)), "the collation a.b of libc"),
        (needs(collations=(Collation("a.b", "c", "C", "C", None, True),)), ""),
        (needs(system_collations=("fr-x-icu",)), 'the collation "fr-x-icu" of the system'),
        (needs(label_providers=("selinux",)), 'the provider of security labels "selinux"'),
        (needs(settings=PLAIN._replace(locale_provider="i", locale="fr")), 'the locale "fr" of icu with UTF8 ('),
        (needs(settings=PLAIN._replace(collate=NOWHERE, ctype=NOWHERE)), 'the locale "xx_YY.utf8" of libc'),
        (needs(settings=PLAIN._replace(encoding="LATIN1")), ""),
    ],
    ids=["nothing", "an extension that is there", "a role", "an extension", "a tablespace", "a collation of ICU",
         "a collation of libc", "a collation of C", "a collation of the system", "a label provider", "ICU by default",
         "a locale by default", "another encoding"],
)  # fmt: skip
def test_what_the_scratch_server_lacks_is_named(scratch_admin: str, wanted: Needs, lacking: str) -> None:
    found = "; ".join(scratch_fit.lacking(scratch_admin, wanted))
    assert found.startswith(lacking)
    assert bool(found) is bool(lacking)


def test_an_ordinary_role_cannot_make_the_roles_of_a_dump(scratch_admin: str) -> None:
    user = f"ordinary_{secrets.token_hex(4)}"
    with closing(scratch.connect(scratch_admin)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {user} LOGIN CREATEDB")
        try:
            url = make_url(scratch_admin).set(username=user).render_as_string(hide_password=False)
            found = scratch_fit.lacking(url, needs(roles=("nobody knows",)))
            assert found == [f'the role "nobody knows", and {user} may not make it']
        finally:
            cursor.execute(f"DROP ROLE {user}")


@pytest.mark.private
def test_everything_that_is_lacking_is_one_error_with_the_ways_out(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = needs(extensions=("citext", "hstore"))
    monkeypatch.setattr(scratch_fit, "needs_of", lambda connection: asked)
    with pytest.raises(ConfigurationError) as caught:
        shop.check_provable()
    assert 'lacks the extension "citext"' in caught.value.message
    assert 'the extension "hstore"' in caught.value.message
    assert "SCRATCH_URL=" in caught.value.hint
    assert "PG_BIN=" in caught.value.hint


def test_the_collation_of_the_scratch_database_is_that_of_the_target(shop: Site, scratch_admin: str, pg: int) -> None:
    options = restoring.creation_options(PLAIN._replace(encoding="LATIN1"), pg)
    with scratch.database(scratch_admin, options=options) as url:
        assert ask(url, "SHOW server_encoding") == [("LATIN1",)]
        ask(url, "CREATE TABLE t AS SELECT 'é' AS a")
        latin = site(Path(shop.environment.backup_dir), url, scratch_url=scratch_admin)
        made = latin.make()
        assert isinstance(made.readable().settings, DatabaseSettings)
        assert latin.prove(made).differences == ()


def _of_this_test(names: set[str], admin: str) -> set[str]:
    """Of databases that appeared, those that no living maker holds: others' tests run at the same time."""
    return {name for name in names if name in scratch.sweep(admin)}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def test_workers_in_a_deadlock_get_a_second_try_with_one(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    real = restoring.restore

    def restore(archive: archives.Archive, into: restoring.Into, advance: object = None) -> None:
        tried.append(into.jobs)
        real(archive, into)
        if into.jobs > 1:
            raise restoring.NotRestored("deadlock detected", deadlock=True)

    monkeypatch.setattr(restoring, "restore", restore)
    busy = shop._replace(environment=replace(shop.environment, backup_jobs=2))
    assert busy.prove(shop.make()).equal
    assert tried == [2, 1]
