"""The column takes its index along; dropping the index afterwards finds none.

Stage: downgrade
Error: index "ix_orders_weight" does not exist
"""

import sqlalchemy as sa
from alembic import op

revision = "dropped_twice"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("weight", sa.Integer()))
    op.create_index("ix_orders_weight", "orders", ["weight"])


def downgrade() -> None:
    op.drop_column("orders", "weight")
    op.drop_index("ix_orders_weight", "orders")  # here
