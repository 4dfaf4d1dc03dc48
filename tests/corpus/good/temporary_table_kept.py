"""The same without ON COMMIT DROP: it lives as long as the session does, and is no part of the schema."""

from alembic import op

revision = "temporary_table_kept"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TEMPORARY TABLE IF NOT EXISTS chosen AS SELECT id FROM orders")


def downgrade() -> None:
    pass
