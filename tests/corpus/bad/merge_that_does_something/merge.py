"""A merge with a body: it goes up and does not come down.

Stage: after-downgrade
Found: index ix_orders_size ON public.orders left behind
"""

from alembic import op

revision = "merge"
down_revision = ("left", "right")
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_size", "orders", ["weight", "height"])


def downgrade() -> None:
    pass
