"""The second of two: told all the same.

Stage: downgrade
Error: index "ix_orders_seller" does not exist
"""

import sqlalchemy as sa
from alembic import op

revision = "three"
down_revision = "two"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("weight", sa.Integer()))


def downgrade() -> None:
    op.drop_index("ix_orders_seller", "orders")  # here
