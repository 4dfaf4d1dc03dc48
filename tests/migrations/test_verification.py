"""What db.verify finds, and what it must not find, on real databases whose history is a few lines of SQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import baseline, scratch, verification
from app.migrations.revision import digest
from app.migrations.verification import Check, Report
from tests.migrations.chains import ask
from tests.migrations.projects import Project

TABLES = (
    "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL)",
    "CREATE INDEX ix_users_email ON users (email)",
)
NO_MODELS = "env.py names no models, so none were compared"
VERSION = "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"
JOURNAL = (
    "CREATE TABLE alembic_journal (id bigint GENERATED ALWAYS AS IDENTITY, revision text, action text, started_at"
    " timestamptz DEFAULT '2026-01-02 03:04Z', git_commit text, digest text, source text)"
)


def fill(url: str, statements: str) -> None:
    ask(url, statements)


class Place:
    """A project, and a database that is at its revision `one`."""

    def __init__(self, project: Project, url: str, admin: str) -> None:
        self.project, self.url, self.admin = project, url, admin

    def run(self, *statements: str) -> None:
        for statement in statements:
            ask(self.url, statement)

    def verify(self, **named: Any) -> Report:
        target = self.project.target(self.url, named.pop("scratch_url", self.admin))
        engine = create_engine(self.url, poolclass=NullPool)
        return verification.verify(self.project.folder, target, engine, **named)

    def found(self, **named: Any) -> list[tuple[Check, str, str]]:
        return [(one.check, one.words, one.cure) for one in self.verify(**named).problems]


@pytest.fixture(scope="module")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What scratch builds have found: most tests have the same history."""
    return tmp_path_factory.mktemp("remembered")


@pytest.fixture
def place(tmp_path: Path, scratch_admin: str, remembered: Path) -> Iterator[Place]:
    project = Project(tmp_path, remembered=remembered)
    project.revision("one", *TABLES)
    statements = ";".join((*TABLES, VERSION, "INSERT INTO alembic_version VALUES ('one')"))
    template = scratch.template(scratch_admin, statements, lambda url: fill(url, statements))
    with scratch.database(scratch_admin, template) as url:
        yield Place(project, url, scratch_admin)


def test_a_database_that_its_history_has_made_is_clean(place: Place, pg: int) -> None:
    report = place.verify()
    assert report.clean
    assert report._replace(cached=False) == Report((), (NO_MODELS,), ("one",), f"PostgreSQL {pg}")


def test_the_second_time_needs_no_scratch_server(place: Place) -> None:
    said: list[str] = []
    place.project.revision("one", *TABLES, "SELECT 'a history of its own'")
    place.verify(say=said.append)
    assert len(said) == 1
    report = place.verify(say=said.append, scratch_url="postgresql+psycopg2://nobody@127.0.0.1:1/none")
    assert (report.clean, report.cached, len(said)) == (True, True, 1)


def test_rows_and_columns_in_another_order_are_no_problem(place: Place) -> None:
    place.run("ALTER TABLE users ADD c text, DROP email", "ALTER TABLE users ADD email text", "DELETE FROM users")
    place.run("UPDATE users SET email = ''", "ALTER TABLE users ALTER email SET NOT NULL, DROP c")
    place.run("CREATE INDEX ix_users_email ON users (email)", "INSERT INTO users VALUES (1, 'a')")
    assert place.verify().clean


def test_owners_and_grants_that_the_history_does_not_set_are_notes(place: Place) -> None:
    place.run("ALTER TABLE users OWNER TO pg_monitor", "GRANT SELECT ON users TO pg_read_all_data")
    report = place.verify()
    assert report.clean
    assert report.notes == (
        "grants to pg_read_all_data on 1 object: the history grants nothing there",
        "2 objects belong to pg_monitor: the history gives no owner there" if len(report.notes) == 4
        else "1 object belongs to pg_monitor: the history gives no owner there",
        NO_MODELS,
    )  # fmt: skip


def test_owners_and_grants_that_the_history_sets_count(place: Place) -> None:
    rights = ("ALTER TABLE users OWNER TO pg_monitor", "GRANT SELECT ON users TO pg_read_all_data")
    place.project.revision("one", *TABLES, *rights)
    assert [words for _, words, _ in place.found()] == [
        'table public.users: grants to pg_read_all_data is not set in dev, "SELECT" in the history',
        'table public.users: owner is "postgres" in dev, "pg_monitor" in the history',
    ]
    place.run(*rights)
    assert place.verify().clean


def test_a_table_without_the_newest_column_is_found_though_it_is_stamped_at_the_head(place: Place) -> None:
    place.project.revision("two", "ALTER TABLE users ADD COLUMN name text NOT NULL DEFAULT ''", parents="one")
    place.run("UPDATE alembic_version SET version_num = 'two'")
    assert place.found() == [
        (
            Check.SCHEMA,
            "column public.users.name is missing in dev",
            "ALTER TABLE public.users ADD COLUMN name text DEFAULT ''::text NOT NULL;",
        )
    ]


def test_what_a_pending_revision_makes_leads_to_the_question_which_one_it_is_at(place: Place) -> None:
    place.project.revision("two", "ALTER TABLE users ADD COLUMN name text", parents="one")
    place.run("ALTER TABLE users ADD COLUMN name text")
    (behind, column) = place.found()
    assert behind == (Check.AT_HEAD, "1 revision pending, the next is two", "inv db.upgrade --env=dev")
    assert column[1:] == (
        "column public.users.name is only in dev",
        "a pending revision makes it; find the revision that the schema is at: inv db.stamp --detect --env=dev",
    )


def test_an_invalid_index_is_found_with_the_statement_that_mends_it(place: Place) -> None:
    place.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_users_email'::regclass")
    ((check, words, cure),) = place.found()
    assert (check, words) == (
        Check.INDEXES,
        'index ix_users_email ON public.users: valid is "no" in dev, not set in the history',
    )
    place.run(cure)
    assert place.verify().clean


def test_what_a_failed_concurrent_build_leaves_is_found(place: Place) -> None:
    place.run("CREATE INDEX ix_users_email_ccnew ON users (email)")
    place.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_users_email_ccnew'::regclass")
    ((check, _, cure),) = place.found()
    assert (check, cure) == (Check.INDEXES, "DROP INDEX CONCURRENTLY public.ix_users_email_ccnew;")


def test_a_constraint_that_nobody_validated_is_found_unless_the_history_asks_for_it(place: Place) -> None:
    place.project.revision("one", *TABLES, "ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0)")
    place.run("ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0) NOT VALID")
    found = place.found()
    assert (Check.CONSTRAINTS, "ALTER TABLE public.users VALIDATE CONSTRAINT c;") in [(a, c) for a, _, c in found]
    place.project.revision("one", *TABLES, "ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0) NOT VALID")
    assert place.verify().clean


def test_a_database_at_base_and_one_behind_have_something_pending(place: Place) -> None:
    place.project.revision("two", parents="one")
    assert [words for _, words, _ in place.found()] == ["1 revision pending, the next is two"]
    place.run("DELETE FROM alembic_version")
    assert (Check.AT_HEAD, "2 revisions pending, the next is one", "inv db.upgrade --env=dev") in place.found()


def test_a_revision_that_is_not_in_the_checkout_leaves_checks_undone(place: Place) -> None:
    place.run("UPDATE alembic_version SET version_num = 'gone'")
    report = place.verify()
    assert [one.words for one in report.problems] == ["dev is at gone, which this checkout does not have"]
    assert {one.check for one in report.skipped} == {Check.SCHEMA, Check.CONSTRAINTS, Check.MODELS}
    assert not report.clean


def test_two_heads_are_a_problem_and_two_rows_are_compared_with_both(place: Place) -> None:
    place.project.revision("left", "CREATE TABLE l ()", parents="one")
    place.project.revision("right", "CREATE TABLE r ()", parents="one")
    place.run("UPDATE alembic_version SET version_num = 'left'", "INSERT INTO alembic_version VALUES ('right')")
    place.run("CREATE TABLE l ()", "CREATE TABLE r ()")
    report = place.verify()
    assert [(one.check, one.cure) for one in report.problems] == [(Check.HEADS, "inv db.merge")]
    assert [one.check for one in report.skipped] == [Check.MODELS]


def test_without_a_scratch_server_it_says_what_it_could_not_check(place: Place) -> None:
    place.project.revision("one", *TABLES, "SELECT 'never built'")
    place.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_users_email'::regclass")
    report = place.verify(scratch_url="postgresql+psycopg2://nobody@127.0.0.1:1/none")
    assert [one.cure for one in report.problems] == ["REINDEX INDEX CONCURRENTLY public.ix_users_email;"]
    assert {one.check for one in report.skipped} == {Check.SCHEMA, Check.CONSTRAINTS, Check.MODELS}
    assert "SCRATCH_URL=embedded" in report.skipped[0].way_out
    assert report.expected_on == ""


def test_models_that_disagree_with_the_history_are_found(tmp_path: Path, scratch_admin: str) -> None:
    models = 'Table("users", metadata, Column("id", Integer, primary_key=True), Column("name", Integer))'
    project = Project(tmp_path, models)
    project.revision("one", "CREATE TABLE users (id serial PRIMARY KEY)", "CREATE TABLE more ()")
    with scratch.database(scratch_admin) as url:
        here = Place(project, url, scratch_admin)
        here.run("CREATE TABLE users (id serial PRIMARY KEY)", "CREATE TABLE more ()")
        here.run(VERSION, "INSERT INTO alembic_version VALUES ('one')")
        assert [(check, words) for check, words, _ in here.found()] == [
            (Check.MODELS, "models and history disagree: table more is missing in the models"),
            (Check.MODELS, "models and history disagree: column users.name is only in the models"),
        ]
        (tmp_path / "alembic/env.py").write_text(
            (tmp_path / "alembic/env.py").read_text().replace(', Column("name", Integer)', "")
        )
        assert [words for _, words, _ in here.found()] == [
            "models and history disagree: table more is missing in the models"
        ]


@pytest.fixture
def journaled(place: Place) -> Place:
    """The same with a journal that has kept the file of its revision."""
    source = next(place.project.versions.glob("one*")).read_text()
    place.run(JOURNAL)
    ask(
        place.url,
        "INSERT INTO alembic_journal (revision, action, git_commit, digest, source)"
        " VALUES ('one', 'upgrade', 'abc', %s, %s)",
        digest(source),
        source,
    )
    return place


def test_a_revision_that_was_edited_after_it_was_applied_is_found(journaled: Place) -> None:
    assert journaled.verify().clean
    path = journaled.project.revision("one", *TABLES, "SELECT 1")
    shown = f"alembic/versions/{path.name}"
    assert journaled.found() == [
        (
            Check.EDITED,
            f"{shown} was edited after revision one was applied on 2026-01-02 03:04 UTC",
            f"restore the file (git show abc:{shown}), and write the change as a new revision",
        )
    ]


def test_a_comment_is_no_edit_and_neither_is_a_file_that_is_no_longer_applied(journaled: Place) -> None:
    path = next(journaled.project.versions.glob("one*"))
    path.write_text(f"# said later\n{path.read_text()}\n")
    assert journaled.verify().clean
    journaled.project.revision("one", *TABLES, "SELECT 1")
    journaled.run("INSERT INTO alembic_journal (revision, action) VALUES ('one', 'stamp')")
    assert journaled.verify().clean


def test_a_digest_of_another_algorithm_is_made_anew_from_the_source_that_was_kept(journaled: Place) -> None:
    path = next(journaled.project.versions.glob("one*"))
    path.write_text(f"# said later\n{path.read_text()}\n")
    journaled.run("UPDATE alembic_journal SET digest = '0:1234'")
    assert journaled.verify().clean


def test_after_an_upgrade_that_stops_below_the_head_only_what_is_wrong_in_the_database_counts(place: Place) -> None:
    place.project.revision("two", "CREATE TABLE t ()", parents="one")
    engine = create_engine(place.url, poolclass=NullPool)
    target = place.project.target(place.url, place.admin)
    assert verification.after_upgrade(place.project.folder, target, engine).problems == ()
    place.run("DROP INDEX ix_users_email")
    (problem,) = verification.after_upgrade(place.project.folder, target, engine).problems
    assert problem.cure == "CREATE INDEX CONCURRENTLY ix_users_email ON public.users USING btree (email);"


def test_known_drift_is_accepted_new_drift_is_not_and_what_is_gone_is_told(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    place.run("CREATE TABLE more ()", "CREATE VIEW v AS SELECT 1 AS a")
    assert baseline.write(place.verify(), path) == 2
    report = place.verify(accepted=path)
    assert (report.clean, report.accepted) == (True, 2)
    place.run("CREATE TABLE new ()", "DROP VIEW v")
    report = place.verify(accepted=path)
    assert [one.words for one in report.problems] == ["table public.new is only in dev"]
    assert "known.json accepts what is no longer so: view public.v is only in dev" in report.notes
