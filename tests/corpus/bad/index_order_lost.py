"""The newest first, and NULLs last: both gone.

Stage: after-downgrade
Found: index ix_orders_latest ON public.orders changed: definition
"""

from alembic import op

revision = "index_order_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE INDEX ix_orders_latest ON orders (number DESC NULLS LAST);
"""


def upgrade() -> None:
    op.drop_index("ix_orders_latest", "orders")


def downgrade() -> None:
    op.create_index("ix_orders_latest", "orders", ["number"])
