"""One index of two is dropped.

Stage: after-downgrade
Found: index ix_orders_number ON public.orders left behind
"""

from alembic import op

revision = "index_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_number", "orders", ["number"])
    op.create_index("ix_orders_note", "orders", ["note"])


def downgrade() -> None:
    op.drop_index("ix_orders_note", "orders")
