"""What an autocommit block has done stays done when the rest fails; what comes after is judged all the same.

Stage: downgrade
Error: constraint "ck_orders_numbers" of relation "orders" does not exist
"""

from alembic import op

revision = "one"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("ix_orders_number", "orders", ["number"], postgresql_concurrently=True)
    op.execute("ALTER TABLE orders ADD CONSTRAINT ck_orders_number CHECK (number <> 0) NOT VALID")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_orders_number", "orders", postgresql_concurrently=True)
    op.drop_constraint("ck_orders_numbers", "orders")  # here
