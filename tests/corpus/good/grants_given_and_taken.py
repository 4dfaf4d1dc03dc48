"""Grants, on a table, a column and a schema, and default privileges: all taken back."""

from alembic import op

revision = "grants_given_and_taken"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT SELECT ON orders TO pg_monitor")
    op.execute("GRANT UPDATE (note) ON orders TO pg_monitor")
    op.execute("GRANT USAGE ON SCHEMA public TO pg_monitor")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor")


def downgrade() -> None:
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM pg_monitor")
    op.execute("REVOKE USAGE ON SCHEMA public FROM pg_monitor")
    op.execute("REVOKE UPDATE (note) ON orders FROM pg_monitor")
    op.execute("REVOKE SELECT ON orders FROM pg_monitor")
