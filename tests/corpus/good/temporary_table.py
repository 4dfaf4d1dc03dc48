"""A temporary table for the work, that nobody drops."""

from alembic import op

revision = "temporary_table"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS SELECT id FROM orders")
    op.execute("UPDATE orders SET number = number WHERE id IN (SELECT id FROM chosen)")


def downgrade() -> None:
    pass
