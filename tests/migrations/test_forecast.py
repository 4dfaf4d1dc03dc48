"""A forecast on a real history: each dangerous revision is named, with its line, its lock, and what passes instead."""

from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from app.migrations import forecast
from app.migrations.findings import Severity
from app.migrations.forecast import Forecast, Journey
from app.migrations.project import open_project

ENV = """
from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
"""
REVISION = '''"""{id}"""

import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = {parent}
branch_labels = None
depends_on = None


def upgrade() -> None:
{up}


def downgrade() -> None:
{down}
'''
FIRST_LINE = 13
BASE = """
op.execute('CREATE TABLE tenants (id bigint PRIMARY KEY)')
op.execute('CREATE TABLE users (id bigint PRIMARY KEY, tenant_id bigint, email text, age int, deprecated_fax text)')
op.execute('CREATE TABLE logs (id bigint PRIMARY KEY, line text)')
"""
BIG = "UPDATE pg_class SET reltuples = 9e7 WHERE relname IN ('users', 'tenants', 'logs')"
AUTOCOMMIT = "with op.get_context().autocommit_block():\n    "


class Danger(NamedTuple):
    """A dangerous upgrade with its downgrade; `instead` are upgrades, one revision each, that do the same in peace."""

    up: str
    down: str
    line: int
    lock: str | None
    severity: str
    instead: tuple[tuple[str, str], ...]


ADD_C = "op.execute('ALTER TABLE users ADD CONSTRAINT c CHECK (id IS NOT NULL) NOT VALID')"
DROP_C = "op.execute('ALTER TABLE users DROP CONSTRAINT c')"
VALIDATE = AUTOCOMMIT + "op.execute('ALTER TABLE users VALIDATE CONSTRAINT c')"
EXCLUSIVE = "AccessExclusiveLock"
DANGERS = {
    "index-not-concurrent": Danger(
        "op.create_index('ix', 'users', ['email'])", "op.drop_index('ix')", 0, "ShareLock", "error",
        ((AUTOCOMMIT + "op.create_index('ix', 'users', ['email'], postgresql_concurrently=True, if_not_exists=True)",
          AUTOCOMMIT + "op.drop_index('ix', postgresql_concurrently=True, if_exists=True)"),),
    ),
    "type-change": Danger(
        "op.alter_column('users', 'age', type_=sa.BigInteger())", "op.alter_column('users', 'age', type_=sa.Integer())",
        0, EXCLUSIVE, "error",
        (("op.add_column('users', sa.Column('age_big', sa.BigInteger()))", "op.drop_column('users', 'age_big')"),),
    ),
    "volatile-default": Danger(
        "op.add_column('users', sa.Column('seen', sa.Text(), server_default=sa.text('clock_timestamp()::text')))",
        "op.drop_column('users', 'seen')", 0, EXCLUSIVE, "error",
        (("op.add_column('users', sa.Column('seen', sa.Text()))", "op.drop_column('users', 'seen')"),),
    ),
    "constraint-not-validated": Danger(
        "op.create_check_constraint('c', 'users', 'age > 0')", "op.drop_constraint('c', 'users')", 0, EXCLUSIVE,
        "error", ((ADD_C, DROP_C), (VALIDATE, "pass")),
    ),
    "data-and-schema-mixed": Danger(
        "op.add_column('users', sa.Column('x', sa.Integer()))\nop.execute('UPDATE users SET x = 1')",
        "op.drop_column('users', 'x')", 1, None, "error",
        (("op.add_column('users', sa.Column('x', sa.Integer()))", "op.drop_column('users', 'x')"),),
    ),
    "rename": Danger(
        "op.alter_column('users', 'email', new_column_name='mail')",
        "op.alter_column('users', 'mail', new_column_name='email')", 0, EXCLUSIVE, "warning",
        (("op.add_column('users', sa.Column('mail', sa.Text()))", "op.drop_column('users', 'mail')"),),
    ),
    "drop-column": Danger(
        "op.drop_column('users', 'age')", "op.add_column('users', sa.Column('age', sa.Integer()))", 0, EXCLUSIVE,
        "warning",
        (("op.drop_column('users', 'deprecated_fax')",
          "op.add_column('users', sa.Column('deprecated_fax', sa.Text()))"),),
    ),
    "drop-table": Danger(
        "op.drop_table('logs')", "op.execute('CREATE TABLE logs (id bigint PRIMARY KEY, line text)')", 0, EXCLUSIVE,
        "warning", (),
    ),
    "truncate": Danger("op.execute('TRUNCATE logs')", "pass", 0, EXCLUSIVE, "error", ()),
    "table-rewrite": Danger(
        AUTOCOMMIT + "op.execute('VACUUM FULL users')", "pass", 1, EXCLUSIVE, "error",
        ((AUTOCOMMIT + "op.execute('VACUUM users')", "pass"),),
    ),
    "not-null-without-default": Danger(
        "op.add_column('users', sa.Column('phone', sa.Text(), nullable=False))", "op.drop_column('users', 'phone')",
        0, None, "error",
        (("op.add_column('users', sa.Column('phone', sa.Text(), server_default='', nullable=False))",
          "op.drop_column('users', 'phone')"),),
    ),
    "concurrently-in-transaction": Danger(
        "op.create_index('ix', 'users', ['email'], postgresql_concurrently=True)", "op.drop_index('ix')", 0, None,
        "error", (),
    ),
}  # fmt: skip


@pytest.fixture
def target(database: str) -> Engine:
    """A database at the base of the histories below, whose tables say that they are big."""
    engine = create_engine(database, poolclass=NullPool)
    with engine.begin() as connection:
        for line in BASE.strip().splitlines():
            connection.exec_driver_sql(line.split("'")[1])
        connection.exec_driver_sql(BIG)
    return engine


def write(folder: Path, *steps: tuple[str, str]) -> Path:
    """Write a history: the base, and a revision for each upgrade with its downgrade."""
    versions = folder / "alembic/versions"
    versions.mkdir(parents=True)
    (folder / "alembic/env.py").write_text(ENV)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = alembic\npath_separator = os\n")
    drop = "\n".join(f"op.drop_table('{table}')" for table in ("logs", "users", "tenants"))
    parent = None
    for number, (up, down) in enumerate([(BASE.strip(), drop), *steps]):
        id_ = f"r{number}"
        parts = {"up": indented(up), "down": indented(down), "id": id_, "parent": repr(parent)}
        (versions / f"{id_}_x.py").write_text(REVISION.format(**parts))
        parent = id_
    return folder


def indented(body: str) -> str:
    return "\n".join(f"    {line}" for line in body.splitlines())


def ahead(folder: Path, admin: str, target: Engine | None) -> Forecast:
    with open_project(folder) as project:
        return forecast.look_ahead(project, admin, Journey(("r0",), "head"), target, "no target")


@pytest.mark.parametrize(("rule", "danger"), DANGERS.items(), ids=DANGERS.keys())
def test_a_danger_is_named_with_its_line_and_its_lock(
    tmp_path: Path, scratch_admin: str, target: Engine, rule: str, danger: Danger
) -> None:
    found = ahead(write(tmp_path, (danger.up, danger.down)), scratch_admin, target)
    causes = {cause.finding.rule: cause for cause in found.causes}
    cause = causes[rule]
    assert (cause.finding.path, cause.finding.line) == ("alembic/versions/r1_x.py", FIRST_LINE + danger.line)
    assert (cause.finding.severity.value, len(found.causes)) == (danger.severity, len(causes))
    if danger.lock is not None:
        assert cause.lock is not None
        assert cause.lock.mode == danger.lock
        assert "90 M rows" in cause.facts
    assert cause.finding.instead


@pytest.mark.parametrize("rule", [rule for rule, danger in DANGERS.items() if danger.instead])
def test_what_is_written_instead_passes(tmp_path: Path, scratch_admin: str, target: Engine, rule: str) -> None:
    found = ahead(write(tmp_path, *DANGERS[rule].instead), scratch_admin, target)
    assert [step.error for step in found.trace.steps] == [None] * len(DANGERS[rule].instead)
    grave = [cause.finding for cause in found.causes if cause.finding.severity is not Severity.NOTE]
    assert grave == []


@pytest.mark.parametrize(("size", "said"), [(12, []), (90_000_000, ["warning"])], ids=["a small table", "a big one"])
def test_what_a_comment_allows_is_told_for_big_tables_alone(
    tmp_path: Path, scratch_admin: str, target: Engine, size: int, said: list[str]
) -> None:
    with target.begin() as connection:
        connection.exec_driver_sql(f"UPDATE pg_class SET reltuples = {size} WHERE relname = 'users'")
    allowed = "# allow: index-not-concurrent -- users is small\nop.create_index(\n    'ix', 'users',\n    ['email'])"
    found = ahead(write(tmp_path, (allowed, "op.drop_index('ix')")), scratch_admin, target)
    assert [cause.finding.severity.value for cause in found.causes] == said


def test_a_rule_that_the_project_has_switched_off_is_not_told(
    tmp_path: Path, scratch_admin: str, target: Engine
) -> None:
    folder = write(tmp_path, ("op.create_index('ix', 'users', ['email'])", "op.drop_index('ix')"))
    (folder / "pyproject.toml").write_text('[tool.massacorp.checks]\nseverity = { index-not-concurrent = "off" }\n')
    assert ahead(folder, scratch_admin, target).causes == ()


def test_a_plan_without_a_target_says_why_it_is_not_weighed(tmp_path: Path, scratch_admin: str) -> None:
    found = ahead(write(tmp_path, (DANGERS["type-change"].up, "pass")), scratch_admin, None)
    assert (found.figures, found.unweighed) == (None, "no target")
    assert {cause.finding.rule: cause.finding.severity for cause in found.causes}["type-change"] is Severity.WARNING


def test_what_follows_a_revision_that_fails_is_not_another_error(tmp_path: Path, scratch_admin: str) -> None:
    steps = [("op.execute('SELECT 1 FROM nowhere')", "pass"), ("op.add_column('users', sa.Column('a'))", "pass")]
    found = ahead(write(tmp_path, *steps), scratch_admin, None)
    said = [
        (cause.revision, cause.finding.severity.value) for cause in found.causes if cause.finding.rule == "not-captured"
    ]
    assert said == [("r1", "error"), ("r2", "note")]
