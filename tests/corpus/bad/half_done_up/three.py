"""A branch beside it: makes the same index, which must not be there any more."""

from alembic import op

revision = "three"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_number", "orders", ["number"])


def downgrade() -> None:
    op.drop_index("ix_orders_number", "orders")
