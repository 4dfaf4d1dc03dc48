"""The usual operations of the guide, in the form that is right: each goes up, down and up again."""

from textwrap import dedent

import pytest
from sqlalchemy import create_engine, inspect, text

from app.migrations.journal import TABLES
from tests.clones import Clone

HEAD = "e5a72b8c9d0f"

CREATE_TABLE = """
def upgrade():
    op.create_table(
        "example",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), sa.ForeignKey("tenants.id"), index=True),
        sa.UniqueConstraint("tenant_id", "name", name="uq_example_tenant_name"),
    )


def downgrade():
    op.drop_table("example")
"""

CHANGE_COLUMNS = """
def upgrade():
    op.add_column("users", sa.Column("phone", sa.Text()))
    op.alter_column("users", "email", nullable=True)
    op.alter_column("users", "name", new_column_name="full_name")


def downgrade():
    op.alter_column("users", "full_name", new_column_name="name")
    op.alter_column("users", "email", nullable=False)
    op.drop_column("users", "phone")
"""

THREE_INDEXES = """
def upgrade():
    op.create_index("ix_users_name", "users", ["name"])
    op.create_index("ix_users_tenant_name", "users", ["tenant_id", "name"], unique=True)
    op.create_index("ix_users_named", "users", ["name"], postgresql_where=sa.text("is_active = true"))


def downgrade():
    op.drop_index("ix_users_named", table_name="users")
    op.drop_index("ix_users_tenant_name", table_name="users")
    op.drop_index("ix_users_name", table_name="users")
"""

CONCURRENTLY = """
def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("ix_users_created_at", "users", ["created_at"], postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index("ix_users_created_at", table_name="users", postgresql_concurrently=True)
"""

RAW_CONCURRENTLY = """
def upgrade():
    with op.get_context().autocommit_block():
        op.execute('CREATE INDEX CONCURRENTLY ix_users_updated_at ON users ("updated_at")')


def downgrade():
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_updated_at")
"""

RENAME_BEFORE_DROP = """
def upgrade():
    op.alter_column("users", "name", new_column_name="deprecated_name")


def downgrade():
    op.alter_column("users", "deprecated_name", new_column_name="name")
"""

PATTERNS = {
    "create a table": CREATE_TABLE,
    "change columns": CHANGE_COLUMNS,
    "create three indexes": THREE_INDEXES,
    "build an index concurrently": CONCURRENTLY,
    "build an index concurrently in raw SQL": RAW_CONCURRENTLY,
    "rename before dropping": RENAME_BEFORE_DROP,
}


def shape(url: str) -> dict[str, object]:
    """What the patterns touch: columns and indexes of every table."""
    reader = inspect(create_engine(url))
    tables = set(reader.get_table_names()) - {"alembic_version", *TABLES}
    columns = {t: sorted((c["name"], str(c["type"]), c["nullable"]) for c in reader.get_columns(t)) for t in tables}
    return columns | {f"{t} indexes": sorted(str(i) for i in reader.get_indexes(t)) for t in tables}


@pytest.mark.parametrize("body", PATTERNS.values(), ids=PATTERNS)
def test_the_pattern_goes_up_and_down_and_up_again(clone: Clone, migrated: str, body: str) -> None:
    clone.environment["DATABASE_URL"] = migrated
    before = shape(migrated)
    clone.write_revision("0123456789ab", HEAD, dedent(body))
    clone.alembic("upgrade", "head")
    changed = shape(migrated)
    assert changed != before
    clone.alembic("downgrade", "-1")
    assert shape(migrated) == before
    clone.alembic("upgrade", "head")
    assert shape(migrated) == changed
    with create_engine(migrated).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")) == 0


def test_concurrently_inside_the_transaction_is_refused_and_nothing_is_kept(clone: Clone, migrated: str) -> None:
    clone.environment["DATABASE_URL"] = migrated
    before = shape(migrated)
    body = RAW_CONCURRENTLY.replace("with op.get_context().autocommit_block():", "if True:")
    path = clone.write_revision("0123456789ab", HEAD, dedent(body))
    done = clone.alembic("upgrade", "head", ok=False)
    line = (
        path.read_text().splitlines().index(next(x for x in path.read_text().splitlines() if "CREATE INDEX" in x)) + 1
    )
    assert done.code == 5
    assert f"revision 0123456789ab failed at alembic/versions/{path.name}:{line}: " in done.err
    assert "CREATE INDEX CONCURRENTLY cannot run inside a transaction block [25001]" in done.err
    assert "Traceback" not in done.err
    assert shape(migrated) == before
