"""A transaction, an autocommit block and a transaction again."""

import sqlalchemy as sa
from alembic import op

revision = "autocommit_between_two_steps"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("weight", sa.Integer()))
    with op.get_context().autocommit_block():
        op.create_index("ix_orders_weight", "orders", ["weight"], postgresql_concurrently=True)
    op.execute("UPDATE orders SET weight = 1")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_orders_weight", "orders", postgresql_concurrently=True)
    op.drop_column("orders", "weight")
