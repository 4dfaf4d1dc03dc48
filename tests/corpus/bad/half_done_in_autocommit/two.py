"""Needs the index that the failed way down has dropped already."""

from alembic import op

revision = "two"
down_revision = "one"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER INDEX ix_orders_number RENAME TO ix_orders_by_number")


def downgrade() -> None:
    op.execute("ALTER INDEX ix_orders_by_number RENAME TO ix_orders_number")
