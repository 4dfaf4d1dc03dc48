"""An upgrade traced in a scratch database: which line of which revision sent what, and what cannot be captured."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent, indent

import psycopg2
import pytest

from app.migrations import inspection, scratch, trace
from app.migrations.errors import ConfigurationError
from app.migrations.project import open_project
from app.migrations.revision import digest
from app.migrations.trace import Observer, Statement, Trace
from tests.migrations.chains import ask, dsn
from tests.migrations.projects import Project

BASE = ("CREATE TABLE t (id integer PRIMARY KEY, a integer, s varchar(10))", "CREATE TABLE u (id integer PRIMARY KEY)")
HEADER = '''"""{title}"""

import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = {parent!r}


def upgrade() -> None:
{body}
'''
TAKES_NO_CONNECTION = """
import os
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


class Traced:
    """A project with a table or two at revision `first`, and what an upgrade of it from there does."""

    def __init__(self, folder: Path, admin: str) -> None:
        self.project, self.admin = Project(folder), admin
        self.project.revision("first", *BASE)
        self.last = "first"

    def add(self, id_: str, body: str) -> Path:
        """Append a revision with this upgrade()."""
        path = self.project.versions / f"{id_}_x.py"
        text = HEADER.format(
            title=f"title of {id_}", id=id_, parent=self.last, body=indent(dedent(body).strip(), "    ")
        )
        path.write_text(text)
        self.last = id_
        return path

    def trace(self, start: Sequence[str] = ("first",), rows: int = 20) -> Trace:
        return trace.capture(self.project.folder, self.admin, start, rows=rows)


@pytest.fixture
def traced(tmp_path: Path, scratch_admin: str) -> Traced:
    return Traced(tmp_path, scratch_admin)


def sent(statements: Sequence[Statement], path: Path) -> list[tuple[str, str]]:
    """Each statement, and the line of the file that it is said to come of."""
    lines = ["", *path.read_text().splitlines()]
    return [(" ".join(one.sql.split()), lines[one.line].strip()) for one in statements]


def test_each_statement_has_the_line_that_sent_it(traced: Traced) -> None:
    (traced.project.folder / "shared.py").write_text(
        "def rename(op, a, b):\n    op.execute(f'ALTER TABLE u RENAME {a} TO {b}')\n"
    )
    path = traced.add(
        "one",
        """
        for name in ("x", "y"):
            op.add_column("t", sa.Column(name, sa.Integer()))
        def helper(table):
            op.execute(
                f"COMMENT ON TABLE {table} IS 'computed'"
            )
        helper("t")
        from shared import rename
        rename(op, "id", "key")
        bind = op.get_bind()
        count = bind.execute(sa.text("SELECT count(*) FROM t WHERE a > :least"), {"least": 0}).scalar()
        bind.exec_driver_sql("UPDATE t SET x = %s", (count,))
        op.bulk_insert(sa.table("u", sa.column("key")), [{"key": 1001}, {"key": 1002}])
        with bind.connection.cursor() as cursor:
            cursor.execute("DELETE FROM u WHERE key = 1002")
        """,
    )
    (step,) = traced.trace().steps
    assert (step.error, step.rows, step.title) == (None, True, "title of one")
    assert step.digest == digest(path.read_bytes())
    assert {one.path for one in step.statements} == {"alembic/versions/one_x.py"} == {step.path}
    assert {(one.segment, one.transactional) for one in step.statements} == {(1, True)}
    found = sent(step.statements, path)
    assert [line for _, line in found] == [
        'op.add_column("t", sa.Column(name, sa.Integer()))',
        'op.add_column("t", sa.Column(name, sa.Integer()))',
        "op.execute(",
        'rename(op, "id", "key")',
        'count = bind.execute(sa.text("SELECT count(*) FROM t WHERE a > :least"), {"least": 0}).scalar()',
        'bind.exec_driver_sql("UPDATE t SET x = %s", (count,))',
        'op.bulk_insert(sa.table("u", sa.column("key")), [{"key": 1001}, {"key": 1002}])',
        'cursor.execute("DELETE FROM u WHERE key = 1002")',
    ]
    assert found[2][0] == "COMMENT ON TABLE t IS 'computed'"
    assert found[4][0] == "SELECT count(*) FROM t WHERE a > 0"
    assert found[5][0].startswith("UPDATE t SET x = ")
    assert step.statements[5].rows == 20
    assert step.statements[-1].rows == 1


def test_autocommit_blocks_are_segments_of_their_own(traced: Traced) -> None:
    path = traced.add(
        "one",
        """
        op.add_column("t", sa.Column("x", sa.Integer()))
        with op.get_context().autocommit_block():
            op.create_index("ix_t_x", "t", ["x"], postgresql_concurrently=True)
            op.execute("ALTER TABLE t ADD CHECK (x > 0) NOT VALID")
        op.execute("UPDATE t SET x = 1")
        """,
    )
    found = traced.trace()
    statements = found.steps[0].statements
    assert [(one.segment, one.transactional) for one in statements] == [(1, True), (2, False), (2, False), (3, True)]
    assert sent(statements, path)[1] == (
        "CREATE INDEX CONCURRENTLY ix_t_x ON t (x)",
        'op.create_index("ix_t_x", "t", ["x"], postgresql_concurrently=True)',
    )
    assert [statements[at].locks[0].mode for at in (1, 2)] == ["ShareUpdateExclusiveLock", "AccessExclusiveLock"]
    assert statements[1].locks[0].relation == "public.t"
    assert (found.start, found.end, found.complete) == (("first",), ("one",), True)


def test_what_fails_is_told_with_its_line_and_what_comes_after_is_told_too(traced: Traced) -> None:
    path = traced.add("one", "op.execute('ALTER TABLE t ADD x int')\n\nop.execute('ALTER TABLE nowhere ADD x int')")
    traced.add("two", "op.execute('SELECT 1')")
    found = traced.trace()
    one, two = found.steps
    assert one.error == 'relation "nowhere" does not exist [42P01], in ALTER TABLE nowhere ADD x int'
    assert path.read_text().splitlines()[one.error_line - 1].strip() == "op.execute('ALTER TABLE nowhere ADD x int')"
    assert [statement.failed for statement in one.statements] == [False, True]
    assert one.statements[0].locks[0].held_ms is not None
    assert (two.error, two.statements, two.ms) == ("it was not run: one before it fails", (), 0.0)
    assert (found.end, found.complete) == (("first",), False)


@pytest.mark.parametrize(
    ("body", "error", "at"),
    [
        ("raise RuntimeError('no way')", "RuntimeError: no way", "raise RuntimeError('no way')"),
        ("import sys\nsys.exit(3)", "SystemExit: 3", "sys.exit(3)"),
        (
            "op.execute('ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u INITIALLY DEFERRED')\n"
            "op.execute('INSERT INTO t (id, a) VALUES (-5, -5)')",
            'insert or update on table "t" violates foreign key constraint "t_a_fkey" [23503]',
            "",
        ),
    ],
    ids=["an exception", "an exit", "a constraint that fails in the commit"],
)
def test_whatever_ends_a_revision_is_its_error(traced: Traced, body: str, error: str, at: str) -> None:
    path = traced.add("one", body)
    (step,) = traced.trace(rows=0).steps
    assert (step.error or "").startswith(error)
    assert ["", *path.read_text().splitlines()][step.error_line].strip() == at


def test_a_revision_that_cannot_be_imported_is_not_skipped(traced: Traced) -> None:
    path = traced.add("one", "pass")
    path.write_text(path.read_text().replace("import sqlalchemy as sa", "import that_is_nowhere"))
    (step,) = traced.trace().steps
    assert "imports the module that_is_nowhere, which is not there" in (step.error or "")


@pytest.mark.slow
def test_a_revision_without_an_upgrade_is_not_skipped(traced: Traced) -> None:
    path = traced.add("one", "pass")
    path.write_text(path.read_text().replace("def upgrade", "def upgrades"))
    traced.add("two", "pass")
    one, two = traced.trace().steps
    assert one.error == "alembic/versions/one_x.py has no function upgrade(); it was not run"
    assert two.error == "it was not run: one before it fails"


def test_what_runs_on_empty_tables_alone_is_traced_without_rows_and_says_so(traced: Traced) -> None:
    traced.add("one", "op.execute('ALTER TABLE t ADD x int')")
    traced.add("two", "op.execute('ALTER TABLE t ADD y integer NOT NULL')")
    traced.add("three", "op.execute('ALTER TABLE t ADD z int')")
    found = traced.trace()
    assert [(step.error, step.rows) for step in found.steps] == [(None, True), (None, False), (None, False)]
    assert found.steps[1].with_rows.startswith('column "y" of relation "t" contains null values [23502]')
    assert found.steps[1].with_rows_line == found.steps[1].statements[0].line
    assert (found.steps[0].with_rows, found.steps[2].with_rows) == ("", "")
    assert found.end == ("three",)


def test_tables_hold_rows_before_each_revision(traced: Traced) -> None:
    traced.add("one", "op.execute('CREATE TABLE n (a integer)')")
    traced.add("two", "op.execute('UPDATE n SET a = 1')\nop.execute('UPDATE t SET a = 1')")
    assert [one.rows for one in traced.trace().steps[1].statements] == [20, 20]
    assert [one.rows for one in traced.trace(rows=0).steps[1].statements] == [0, 0]


@pytest.mark.slow
def test_an_env_py_that_connects_by_itself_is_traced_as_well(traced: Traced) -> None:
    (traced.project.folder / "alembic/env.py").write_text(TAKES_NO_CONNECTION)
    traced.add("one", "op.execute('ALTER TABLE t ADD x int')")
    traced.add("two", "op.execute('ALTER TABLE t ADD y int')")
    found = traced.trace()
    assert [one.sql for step in found.steps for one in step.statements] == [
        "ALTER TABLE t ADD x int", "ALTER TABLE t ADD y int",
    ]  # fmt: skip
    assert {one.segment for step in found.steps for one in step.statements} == {1}


@pytest.mark.slow
def test_a_connection_that_the_revision_opens_is_traced_as_well(traced: Traced) -> None:
    traced.add(
        "one",
        """
        import psycopg2
        other = psycopg2.connect("")
        other.cursor().execute("ALTER TABLE u ADD x int")
        other.commit()
        with op.get_bind().engine.connect() as third:
            third.execute(sa.text("LOCK t"))
        """,
    )
    (step,) = traced.trace().steps
    assert step.error is None
    assert [(one.sql, one.locks[0].relation) for one in step.statements] == [
        ("ALTER TABLE u ADD x int", "public.u"),
        ("LOCK t", "public.t"),
    ]


@pytest.mark.slow
def test_a_revision_that_waits_for_itself_is_not_waited_for_forever(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "LONGEST_WAIT", "200ms")
    body = "import psycopg2\nother = psycopg2.connect('')\nother.cursor().execute('LOCK t')\nop.execute('DROP TABLE t')"
    traced.add("one", body)
    (step,) = traced.trace(rows=0).steps
    assert step.error == "canceling statement due to lock timeout [55P03], in DROP TABLE t"


def test_the_database_at_the_start_is_built_once(traced: Traced, tmp_path: Path) -> None:
    path = traced.project.versions / "first_x.py"
    note = f"def upgrade() -> None:\n    open({str(tmp_path / 'runs')!r}, 'a').write('x')\n"
    path.write_text(path.read_text().replace("def upgrade() -> None:\n", note))
    traced.add("one", "op.execute('ALTER TABLE t ADD x int')")
    assert traced.trace().complete
    traced.add("two", "op.execute('ALTER TABLE t ADD y int')")
    assert traced.trace().complete
    assert (tmp_path / "runs").read_text() == "x"
    assert traced.trace(()).steps[0].revision == "first"
    assert (tmp_path / "runs").read_text() == "xx"


@pytest.mark.slow
def test_a_base_that_does_not_run_is_a_configuration_error(traced: Traced) -> None:
    traced.project.revision("first", "CREATE EXTENSION that_nobody_has")
    traced.add("one", "pass")
    with pytest.raises(ConfigurationError, match='"that_nobody_has" is not on the server') as caught:
        traced.trace()
    assert "the history does not run up to first, where the target is, in a scratch database" in caught.value.message


def test_an_unknown_end_is_a_configuration_error(traced: Traced) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        trace.capture(traced.project.folder, traced.admin, ["first"], "nowhere")


def test_nothing_pending_is_an_empty_trace(traced: Traced) -> None:
    found = traced.trace()
    assert (found.start, found.end, found.steps) == (("first",), ("first",), ())


@pytest.mark.slow
def test_a_traced_upgrade_builds_what_an_untraced_one_builds(traced: Traced) -> None:
    traced.add(
        "one",
        """
        key = sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True)
        op.create_table("n", key, sa.Column("t", sa.Integer()))
        op.execute("SAVEPOINT s")
        op.drop_table("u")
        op.execute("ROLLBACK TO SAVEPOINT s")
        with op.get_bind().begin_nested():
            op.create_foreign_key("fk_n_t", "n", "t", ["t"], ["id"])
        with op.get_context().autocommit_block():
            op.create_index("ix_n_t", "n", ["t"], postgresql_concurrently=True)
        op.alter_column("t", "a", type_=sa.BigInteger(), nullable=False, server_default="5")
        op.execute("CREATE VIEW v AS SELECT id FROM t")
        """,
    )
    catalogs = []
    with open_project(traced.project.folder) as project:
        for how in ("traced", "untraced"):
            with scratch.database(traced.admin) as url:
                if how == "traced":
                    assert trace.run(project, url).complete
                else:
                    upgrade_untraced(project, url)
                catalogs.append(inspected(url))
    assert catalogs[0] == catalogs[1]


def upgrade_untraced(project: object, url: str) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    from app.migrations.project import Project as Opened

    assert isinstance(project, Opened)
    with create_engine(url, poolclass=NullPool).connect() as connection:
        project.run(connection, lambda heads, _: project.script._upgrade_revs("head", heads))  # type: ignore[arg-type]


def inspected(url: str) -> object:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    with create_engine(url, poolclass=NullPool).connect() as connection:
        return inspection.read(connection).objects


def test_a_run_tells_its_observer_and_changes_the_database_it_is_given(traced: Traced, database: str) -> None:
    traced.add("one", "op.execute('ALTER TABLE t ADD x int')\nop.execute('SELECT pg_sleep(0.05)')")
    heard: list[object] = []

    class Listening(Observer):
        def before(self, revision: str, title: str) -> bool:
            heard.append((revision, title, ask(database, "SELECT to_regclass('t') IS NOT NULL")[0][0]))
            return revision == "one"

        def after(self, revision: str, ms: float) -> None:
            heard.append((revision, ms >= 50, ask(database, "SELECT version_num FROM alembic_version")[0][0]))

    with open_project(traced.project.folder) as project:
        found = trace.run(project, database, "head", Listening())
    assert heard == [
        ("first", "the title of first", False), ("first", False, "first"),
        ("one", "title of one", True), ("one", True, "one"),
    ]  # fmt: skip
    assert (found.start, found.end, [step.rows for step in found.steps]) == ((), ("one",), [False, True])
    lock = found.steps[1].statements[0].locks[0]
    assert lock.held_ms is not None
    assert 50 <= lock.held_ms <= found.steps[1].ms
    assert (lock.origin, lock.new) == ("", False)
    connection = psycopg2.connect(dsn(database))
    assert type(connection) is psycopg2.extensions.connection
    connection.close()
