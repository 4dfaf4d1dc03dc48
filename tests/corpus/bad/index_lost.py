"""Dropping a column drops its index; adding the column does not bring it back.

Stage: after-downgrade
Found: index ix_orders_batch ON public.orders lost
"""

import sqlalchemy as sa
from alembic import op

revision = "index_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
ALTER TABLE orders ADD COLUMN batch integer;
CREATE INDEX ix_orders_batch ON orders (batch);
"""


def upgrade() -> None:
    op.drop_column("orders", "batch")


def downgrade() -> None:
    op.add_column("orders", sa.Column("batch", sa.Integer()))
