"""CONCURRENTLY outside the transaction, up and down.

Lost: nothing
"""

from alembic import op

revision = "index_concurrently"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("ix_orders_number", "orders", ["number"], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_orders_number", "orders", postgresql_concurrently=True)
