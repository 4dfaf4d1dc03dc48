"""The index that the way down drops has another name.

Stage: downgrade
Error: index "ix_orders_seller_id" does not exist
"""

from alembic import op

revision = "drops_what_is_not_there"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_seller", "orders", ["seller_id"])


def downgrade() -> None:
    op.drop_index("ix_orders_seller_id", "orders")  # here
