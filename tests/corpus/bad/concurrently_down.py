"""The way up leaves the transaction for CONCURRENTLY, the way down does not.

Stage: downgrade
Error: DROP INDEX CONCURRENTLY cannot run inside a transaction block
"""

from alembic import op

revision = "concurrently_down"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("ix_orders_number", "orders", ["number"], postgresql_concurrently=True)


def downgrade() -> None:
    op.drop_index("ix_orders_number", "orders", postgresql_concurrently=True)  # here
