"""Right, and between them."""

from alembic import op

revision = "two"
down_revision = "one"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_note", "orders", ["note"])


def downgrade() -> None:
    op.drop_index("ix_orders_note", "orders")
