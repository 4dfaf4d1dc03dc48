"""The code that a finding proposes: it passes every rule itself, and a real PostgreSQL runs it."""

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from app.core.engine import NAMING_CONVENTION
from app.migrations import scratch
from app.migrations.checks import snippets
from tests.migrations.checks.revisions import HEADER, check

PARTS = re.compile(rf"^(?:{re.escape(snippets.NEXT)}|{re.escape(snippets.LATER)})\n", re.M)
TABLES = """
DROP SCHEMA IF EXISTS public, s CASCADE;
CREATE SCHEMA public;
CREATE SCHEMA s;
CREATE TABLE tenants (id bigint PRIMARY KEY, slug text);
CREATE TABLE users (
    id bigint PRIMARY KEY, tenant_id bigint, email varchar(50), name varchar(30), age int, active boolean
);
CREATE TABLE s.users (id bigint PRIMARY KEY, email varchar(50), age int);
CREATE TABLE sessions (id bigint PRIMARY KEY);
CREATE INDEX ix_users_name ON users (name);
INSERT INTO tenants VALUES (1, 'a');
INSERT INTO users VALUES (1, 1, 'a@b', 'a', 30, true);
INSERT INTO s.users VALUES (1, 'a@b', 30);
"""
ADD = 'op.add_column("users", sa.Column("phone", {}))'
BATCH = 'with op.batch_alter_table("users") as batch:\n    batch.'
BACKFILL = """
for name in ("users", "s.users"):
    op.execute(f"ALTER TABLE {name} ADD IF NOT EXISTS phone text")
    op.execute(f"UPDATE {name} SET phone = ''")
"""
CASES = {
    "concurrently-in-transaction": [
        'op.create_index("ix", "users", ["email"], postgresql_concurrently=True)',
        'op.drop_index("ix_users_name", table_name="users", postgresql_concurrently=True)',
        'op.execute("CREATE INDEX CONCURRENTLY ix ON users (email)")',
        "op.execute('REINDEX INDEX CONCURRENTLY \"ix_users_name\"')",
        f'{BATCH}create_index("ix", ["email"], postgresql_concurrently=True)',
    ],
    "index-not-concurrent": [
        'op.create_index("ix", "users", ["email"])',
        'op.create_index("ix", "users", ["email"], schema="s", unique=True)',
        'op.execute("CREATE UNIQUE INDEX IF NOT EXISTS ix ON users (email)")',
        'op.drop_index("ix_users_name", table_name="users")',
        'op.drop_index("ix_users_name")',
        'op.execute("DROP INDEX ix_users_name")',
        f'{BATCH}create_index("ix", ["email"])',
        f'{BATCH}drop_index("ix_users_name")',
        'op.create_unique_constraint("uq_users_email", "users", ["email"])',
        'op.create_unique_constraint("uq_users_email", "users", ["email"], schema="s")',
        'op.execute("ALTER TABLE users ADD CONSTRAINT u UNIQUE (email)")',
        ADD.format("sa.Text(), index=True"),
        ADD.format("sa.Text(), unique=True"),
    ],
    "autocommit-block-not-alone": [
        ADD.format("sa.Text()") + "\nwith op.get_context().autocommit_block():\n"
        '    op.create_index("ix", "users", ["email"], postgresql_concurrently=True)'
    ],
    "not-null-without-default": [
        ADD.format("sa.Text(), nullable=False"),
        'op.execute("ALTER TABLE s.users ADD phone varchar(20) NOT NULL")',
        f'{BATCH}add_column(sa.Column("phone", sa.String(20), nullable=False))',
    ],
    "drop-column": ['op.drop_column("users", "name")', 'op.execute("ALTER TABLE s.users DROP email")'],
    "drop-table": ['op.drop_table("sessions")', 'op.execute("DROP TABLE s.users")'],
    "rename": [
        'op.rename_table("sessions", "logins")',
        'op.rename_table("users", "people", schema="s")',
        'op.alter_column("users", "name", new_column_name="full_name")',
        'op.alter_column("users", "name", new_column_name="full_name", existing_type=sa.String(30))',
        'op.execute("ALTER TABLE s.users RENAME TO people")',
    ],
    "type-change": [
        'op.alter_column("users", "age", type_=sa.BigInteger(), existing_type=sa.Integer())',
        'op.execute("ALTER TABLE s.users ALTER age TYPE bigint")',
    ],
    "constraint-not-validated": [
        'op.create_foreign_key("fk_a", "users", "tenants", ["tenant_id"], ["id"])',
        'op.create_check_constraint("adult", "users", "age > 17")',
        'op.create_check_constraint("adult", "users", "age > 17", schema="s")',
        'op.execute("ALTER TABLE users ADD CONSTRAINT adult CHECK (age > 17)")',
        'op.execute("ALTER TABLE s.users ALTER email SET NOT NULL")',
        'op.alter_column("users", "email", nullable=False)',
        ADD.format('sa.BigInteger(), sa.ForeignKey("tenants.id")'),
        ADD.format('sa.BigInteger(), sa.ForeignKey("tenants.id"), server_default="1"'),
        'op.execute("ALTER TABLE users ADD CONSTRAINT a CHECK (age > 1) NOT VALID")\n'
        'op.execute("ALTER TABLE users VALIDATE CONSTRAINT a")',
        f'{BATCH}create_foreign_key("fk_a", "tenants", ["tenant_id"], ["id"])',
        f'{BATCH}create_check_constraint("adult", "age > 17")',
    ],
    "volatile-default": [
        ADD.format('sa.Uuid(), server_default=sa.text("gen_random_uuid()")'),
        ADD.format("sa.BigInteger(), sa.Identity()"),
        ADD.format('sa.Text(), sa.Computed("upper(name)", persisted=True)'),
        'op.execute("ALTER TABLE s.users ADD token uuid NOT NULL DEFAULT gen_random_uuid()")',
        'op.execute("ALTER TABLE users ADD number bigserial")',
    ],
    "data-and-schema-mixed": [
        ADD.format("sa.Text()") + "\nop.execute(\"UPDATE users SET phone = ''\")\n"
        'op.alter_column("users", "age", nullable=True)'
    ],
    "model-import": ["from app.models import User"],
    "several-changes": [ADD.format("sa.Text()") + '\nop.create_table("rates", sa.Column("day", sa.Date()))'],
}
GIVEN = [(rule, body) for rule, bodies in CASES.items() for body in bodies]


@pytest.fixture(scope="module")
def engine(scratch_admin: str) -> Iterator[Engine]:
    with scratch.database(scratch_admin) as url:
        engine = create_engine(url, poolclass=NullPool)
        yield engine
        engine.dispose()


@pytest.fixture
def tables(engine: Engine) -> Engine:
    with engine.begin() as connection:
        connection.exec_driver_sql(TABLES)
    return engine


def run(engine: Engine, code: str) -> None:
    """Run code as the upgrade of one revision, in its transaction and with the naming conventions of this project."""
    with engine.connect() as connection:
        names = sa.MetaData(naming_convention=NAMING_CONVENTION)
        options = {"transaction_per_migration": True, "target_metadata": names}
        context = MigrationContext.configure(connection, opts=options)
        with context.begin_transaction(_per_migration=True), Operations.context(context):
            exec(HEADER + code, {})


@pytest.mark.parametrize(("rule", "body"), GIVEN, ids=[f"{rule}: {body.splitlines()[-1]}" for rule, body in GIVEN])
def test_what_is_proposed_passes_the_rules_and_runs(tables: Engine, rule: str, body: str) -> None:
    (found,) = [finding for finding in check(body) if finding.rule == rule]
    for part in PARTS.split(found.instead):
        assert [finding.rule for finding in check(part)] == [], part
        run(tables, part)
        if "# let the code write it, give the old rows a value" in part:
            run(tables, BACKFILL)


def test_a_proposed_downgrade_undoes_the_upgrade(tables: Engine) -> None:
    body = (
        'op.create_table("a", sa.Column("mood", sa.Enum("x", name="mood")))\n'
        'op.add_column("users", sa.Column("phone", sa.Text()))\n'
        'op.alter_column("users", "email", nullable=False)\n'
        'op.create_check_constraint(op.f("adult"), "users", "age > 17")\n'
        'op.rename_table("sessions", "logins")\n'
        'op.alter_column("tenants", "slug", new_column_name="short")\n'
        'op.execute("CREATE VIEW v AS TABLE tenants")\n'
    )
    (found,) = [finding for finding in check(body, "pass") if finding.rule == "missing-downgrade"]
    before = shape(tables)
    run(tables, body)
    assert shape(tables) != before
    run(tables, f"{found.instead}\n\n\ndowngrade()")
    assert shape(tables) == before
    assert check(body, found.instead.partition("\n")[2]) == check(body)


def shape(engine: Engine) -> list[object]:
    query = (
        "SELECT relname, attname, attnotnull FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
        "WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped "
        "UNION ALL SELECT typname, '', false FROM pg_type "
        "WHERE typnamespace = 'public'::regnamespace AND typtype = 'e' "
        "UNION ALL SELECT conname, '', false FROM pg_constraint WHERE contype = 'c' ORDER BY 1, 2"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]
