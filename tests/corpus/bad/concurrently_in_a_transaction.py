"""CONCURRENTLY without leaving the transaction.

Stage: upgrade
Error: CREATE INDEX CONCURRENTLY cannot run inside a transaction block
"""

from alembic import op

revision = "concurrently_in_a_transaction"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_number", "orders", ["number"], postgresql_concurrently=True)  # here


def downgrade() -> None:
    op.drop_index("ix_orders_number", "orders")
