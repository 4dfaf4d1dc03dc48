"""Each case of the doctor on a real database: found, with its cure whole; cured by that very command; found no more."""

import re
import shlex
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from app.migrations import database_names
from tests.diseases import (
    DELETE,
    MADE,
    PSQL,
    A,
    B,
    a_circle,
    applied_and_lost,
    both,
    expected,
    half,
    invalid,
    lost_below,
    name_of,
    on_a_branch,
    put,
    remove,
    reset,
    shortened,
    sql,
    twin,
    two_branches,
)
from tests.migrations.chains import ask
from tests.patients import ENV, HEAD, PARENT, Clinic, Patient, clinic, patient

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, scratch_admin: str) -> Iterator[Clinic]:
    with clinic(tmp_path_factory.mktemp("clinic"), scratch_admin) as made:
        yield made


@pytest.fixture
def well(opened: Clinic) -> Iterator[Patient]:
    """A database at the head, that `inv db.upgrade` has brought there."""
    with patient(opened, opened.template()) as one:
        yield one


class Case(NamedTuple):
    """One disease. `cause` and `decide` are patterns for the whole text, `command` is the text itself.

    `by_hand` is what a person does where no command cures it. `cases` are all that is found on the way, in order.
    """

    plant: Callable[[Patient], object]
    case: str
    cause: str
    command: str = ""
    decide: str = ""
    by_hand: Callable[[Patient], object] | None = None
    cases: tuple[str, ...] = ()


CASES = {
    "no environment that can be used": Case(
        put("envs/docker.local.env", "DATABASE_URL=\nWRONG=1\n"), "unusable-environment",
        r"envs/docker\.local\.env:2: .*WRONG.*", "", ".+", remove("envs/docker.local.env"),
    ),
    "settings that lead nowhere": Case(
        put("alembic.ini", "[alembic]\npath_separator = os\n"), "unusable-settings",
        r"\[alembic\] of alembic\.ini .* there is no script_location", "", ".+", reset,
    ),
    "a file that cannot be read": Case(
        put("alembic/versions/broken.py", "def upgrade(:\n"), "unreadable-file",
        r"alembic/versions/broken\.py:1: .*; no command can use the history", "", ".+",
        remove("alembic/versions/broken.py"),
    ),
    "two files that say the same": Case(
        twin, "duplicate-id",
        rf"2 files are revision {HEAD}, and Alembic runs only one of them: alembic/versions/{HEAD}_\w+\.py, "
        r"alembic/versions/zz_copy\.py; they say the same", "rm alembic/versions/zz_copy.py",
    ),
    "two files with one id": Case(
        both(twin, lambda ill: (ill.versions / "zz_copy.py").write_text(
            (ill.versions / "zz_copy.py").read_text() + "\nOTHER = 1\n")), "duplicate-id",
        rf"2 files are revision {HEAD}, .*", "", "see which one the databases have .*",
        remove("alembic/versions/zz_copy.py"),
    ),
    "a parent that git has": Case(
        lambda ill: next(ill.versions.glob(f"{PARENT}*")).unlink(), "missing-parent",
        rf"alembic/versions/{HEAD}_\w+\.py:\d+ names {PARENT}, which is not there: no command can use the history",
        f"git restore --source=@BASE@ -- alembic/versions/{PARENT}_add_sessions.py",
    ),
    "a parent that only the journal has": Case(
        lost_below, "missing-parent", rf"alembic/versions/{B}_\w+\.py:\d+ names {A}, which is not there: .*",
        f"inv db.repair --restore-file={A} --env={ENV}",
    ),
    "a parent that nobody has": Case(
        lambda ill: ill.write(A, "0123456789ab"), "missing-parent",
        r".* names 0123456789ab, which is not there: no command can use the history", "", r"git fetch --all, .*",
        lambda ill: next(ill.versions.glob(f"{A}*")).unlink(),
    ),
    "a circle": Case(
        a_circle, "cycle",
        r"the history runs in a circle, and no command can use it: .* -> .*", "", "correct down_revision in one "
        "of .*", reset,
    ),
    "a label that is an id": Case(
        lambda ill: [path.write_text(path.read_text().replace("branch_labels = None", f'branch_labels = "{HEAD}"'))
                     for path in [ill.write(A, HEAD)]], "clashing-label",
        rf"the branch label {HEAD} of .*: Alembic loads no history with it", "", "give one another label",
        lambda ill: next(ill.versions.glob(f"{A}*")).unlink(),
    ),
    "several heads": Case(
        lambda ill: [ill.write(A, HEAD), ill.write(B, HEAD)], "several-heads",
        rf"the history has 2 heads, and `head` means none of them: {A}, {B}", "inv db.merge",
        cases=("several-heads", "behind"),
    ),
    "writing switched off": Case(
        lambda ill: ill.ask("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', "
                            "current_database()); END $$"), "read-only",
        "default_transaction_read_only is on, set for the database: every change fails",
        f"{PSQL} -c 'SET default_transaction_read_only = off' "
        """-c 'ALTER DATABASE "@NAME@" RESET default_transaction_read_only'""",
        "see who has switched writing off, and why",
    ),
    "a copy": Case(
        sql("INSERT INTO alembic_identity (environment, protected, database_oid, host, port, database) "
            f"VALUES ('{ENV}', false, 1, 'there', 1, 'other')"), "wrong-identity",
        rf"this database says that it is {ENV}, but it was other .*: every change is refused",
        f"inv env.claim --env={ENV}", f"make sure that it is not a copy of {ENV} that is meant to be something else",
    ),
    "a copy of another environment": Case(
        sql("INSERT INTO alembic_identity (environment, protected, database_oid, host, port, database) "
            "VALUES ('prod', true, 1, 'there', 1, 'other')"), "wrong-identity",
        r"this database is a copy of prod \(recorded .*: every change is refused",
        f"inv env.claim --env={ENV}", f"make sure that DATABASE_URL of {ENV} is meant to name this copy",
    ),
    "another environment itself": Case(
        both(lambda ill: ill.inv("env.claim"), sql("UPDATE alembic_identity SET environment = 'prod'")),
        "wrong-identity",
        rf"this database is prod \(recorded .*\), and the command works as {ENV}: every change is refused",
        "", "--env=prod if prod is meant; .*", sql("DELETE FROM alembic_identity"),
    ),
    "a version table off the search path": Case(
        sql("ALTER SCHEMA public RENAME TO app", "COMMENT ON SCHEMA app IS NULL", "CREATE SCHEMA public"),
        "version-elsewhere",
        rf'alembic_version stands in app \({HEAD}\), not on the search_path \("\$user", public\): no command sees it',
        f"""{PSQL} -c 'ALTER ROLE "postgres" IN DATABASE "@NAME@" SET search_path = app'""",
        "make sure that app is the schema that the application uses",
    ),
    "a version table that hides another": Case(
        sql("CREATE SCHEMA postgres", "CREATE TABLE postgres.alembic_version (version_num varchar(32) PRIMARY KEY)"),
        "version-elsewhere",
        rf"there are two alembic_version on the search_path: commands use postgres \(no row\), and public "
        rf"\({HEAD}\) would be "
        "used by a session with another search_path",
        f"{PSQL} -c 'DROP TABLE postgres.alembic_version'", by_hand=sql("DROP SCHEMA postgres"),
        cases=("version-elsewhere", "version-elsewhere", "drift"),
    ),
    "two version tables that both say something": Case(
        sql("CREATE SCHEMA postgres", f"CREATE TABLE postgres.alembic_version AS SELECT '{PARENT}'::text AS "
        f"version_num"),
        "version-elsewhere", r"there are two alembic_version on the search_path: .*", "",
        r"see which of them tells the truth \(inv db.verify\), and drop the other", sql("DROP SCHEMA postgres CASCADE"),
    ),
    "a schema in front of the tables": Case(
        sql("CREATE SCHEMA postgres"), "version-elsewhere",
        r'alembic_version and its tables stand in public, and the search_path \("\$user", public\) has new '
        r'tables created in '
        "postgres",
        f"""{PSQL} -c 'ALTER ROLE "postgres" IN DATABASE "@NAME@" SET search_path = public'""",
        "make sure that public is the schema that the application uses", sql("DROP SCHEMA postgres"),
        ("version-elsewhere", "drift"),
    ),
    "a revision of another branch": Case(
        on_a_branch, "unknown-revision", rf"the database is at revision {A}, which this checkout does not have",
        f"git restore --source=@COMMIT@ -- alembic/versions/{A}_written_by_a_test.py",
        "git pull or git checkout, where that brings the whole branch; this brings the one file",
    ),
    "a revision that only the journal has": Case(
        applied_and_lost, "unknown-revision", rf"the database is at revision {B}, which this checkout does not have",
        f"inv db.repair --restore-file={B} --env={ENV}",
    ),
    "a revision that nobody has": Case(
        sql("UPDATE alembic_version SET version_num = 'feedbeef0123'"), "unknown-revision",
        "the database is at revision feedbeef0123, which this checkout does not have", "",
        rf"git fetch --all, then inv db\.doctor again; else find who has it; inv db\.stamp --detect --env={ENV} "
        rf"says which "
        "revision of this checkout the schema equals, if any", sql(f"UPDATE alembic_version SET version_num = "
        f"'{HEAD}'"),
    ),
    "two rows of one line": Case(
        sql(f"INSERT INTO alembic_version VALUES ('{PARENT}')"), "several-rows",
        rf"alembic_version holds 2 rows: {PARENT}, {HEAD}, and {PARENT} lies below {HEAD}: a branch has one row",
        f"{PSQL} -c {shlex.quote(DELETE)}", f"make sure that the schema is at {HEAD}: no drift below",
    ),
    "two rows of two branches": Case(
        two_branches, "several-rows", rf"alembic_version holds 2 rows: {A}, {B}: branches that were applied one "
        rf"beside the other",
        f"inv db.merge && inv db.upgrade --env={ENV}", cases=("several-heads", "several-rows"),
    ),
    "a revision that was begun and never ended": Case(
        half, "half-applied", rf"revision {A} was begun and never ended: some of it may be committed",
        f"inv db.repair --close={A} --env={ENV}", "look at what it has done .*",
        cases=("invalid-index", "half-applied", "behind"),
    ),
    "an index that a failed build has left": Case(
        sql("CREATE INDEX ix_left ON users (email)", invalid("ix_left")), "invalid-index",
        r"index public\.ix_left of public\.users is not valid: no query uses it, and every write pays for it",
        f"inv db.repair --env={ENV}",
    ),
    "an index that has become invalid": Case(
        sql(invalid("ix_sessions_user_id")), "invalid-index",
        r"index public\.ix_sessions_user_id of public\.sessions is not valid: .*", f"inv db.repair --env={ENV}",
    ),
    "what REINDEX has left": Case(
        sql("CREATE INDEX ix_sessions_user_id_ccnew1 ON sessions (user_id)", invalid("ix_sessions_user_id_ccnew1")),
        "invalid-index", r"index public\.ix_sessions_user_id_ccnew1 of public\.sessions is not valid: .*",
        f"inv db.repair --env={ENV}",
    ),
    "an applied revision that was edited": Case(
        lambda ill: [path.write_text(path.read_text() + "\nEDITED = 1\n") for path in ill.versions.glob(f"{PARENT}*")],
        "edited-revision", rf"alembic/versions/{PARENT}_\w+\.py was edited after revision {PARENT} was applied "
        rf"\(.* UTC\)",
        f"inv db.repair --restore-file={PARENT} --env={ENV}",
        "write the change as a new revision: no database that has this one gets the edit",
    ),
    "tables without a revision": Case(
        sql("DROP TABLE alembic_version, alembic_journal, alembic_identity"), "unversioned",
        r"the database has tables \(public\.sessions, public\.tenants, public\.users\) and no revision: an "
        r"upgrade would begin "
        "anew and fail",
        f"inv db.adopt --env={ENV}",
    ),
    "a constraint that is not validated": Case(
        sql("ALTER TABLE sessions DROP CONSTRAINT fk_sessions_user_id_users", "ALTER TABLE sessions ADD CONSTRAINT "
            "fk_sessions_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE NOT VALID"),
        "unvalidated-constraint", "constraint fk_sessions_user_id_users ON public.sessions is not validated: "
        "rows from before it "
        "may break it",
        f"{PSQL} -c 'ALTER TABLE public.sessions VALIDATE CONSTRAINT fk_sessions_user_id_users'",
    ),
    "drift": Case(
        sql("CREATE TABLE nobody_wrote_it_down (a int)"), "drift",
        rf"the schema is not what revision {HEAD} builds: 1 difference", "",
        rf"inv db\.verify --env={ENV} lists them and what would mend each: decide which side is right",
        sql("DROP TABLE nobody_wrote_it_down"),
    ),
    "one revision behind": Case(
        lambda ill: ill.write(A, HEAD, MADE), "behind", rf"1 revision of the code not applied: {A}",
        f"inv db.upgrade --env={ENV}",
    ),
    "a restore that was killed": Case(
        lambda ill: ask(ill.clinic.admin, f'CREATE DATABASE "{database_names.built(name_of(ill), "0" * 16)}"'),
        "restore-leftover", r"a restore that was killed has left half-built databases, which take room: "
        r"\w+_restoring_0{16}",
        f"inv db.repair --env={ENV}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_case_is_found_and_its_cure_cures_it(well: Patient, case: Case) -> None:
    case.plant(well)
    code, found = well.examined()
    assert code == 1
    one = next(finding for finding in found if finding["case"] == case.case)
    assert re.fullmatch(case.cause, one["cause"]), one
    assert shortened(one["command"] or "") == expected(well, case.command), one
    assert re.fullmatch(case.decide, one["decide"] or ""), one
    assert case.command or case.by_hand, "what no command cures, a person does"
    cured = well.healed(lambda: case.by_hand(well) if case.by_hand else None)
    assert cured == list(case.cases or (case.case,))
