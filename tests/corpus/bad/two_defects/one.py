"""The first of two.

Stage: after-downgrade
Found: index ix_orders_number ON public.orders left behind
"""

from alembic import op

revision = "one"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_number", "orders", ["number"])


def downgrade() -> None:
    pass
