"""Right, and needs what the irreversible one has made."""

from alembic import op

revision = "three"
down_revision = "two"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_rounded", "orders", ["rounded"])


def downgrade() -> None:
    op.drop_index("ix_orders_rounded", "orders")
