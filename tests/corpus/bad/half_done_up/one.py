"""The upgrade fails after an autocommit block: the index stays, the revision does not count as applied.

Stage: upgrade
Error: column "remarks" of relation "orders" does not exist
"""

from alembic import op

revision = "one"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("ix_orders_number", "orders", ["number"], postgresql_concurrently=True)
    op.drop_column("orders", "remarks")  # here


def downgrade() -> None:
    op.drop_index("ix_orders_number", "orders")
