"""The new limit does not hold for the old rows.

Stage: rows
Error: check constraint "ck_orders_note" of relation "orders" is violated by some row
"""

from alembic import op

revision = "check_on_rows"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_check_constraint("ck_orders_note", "orders", "note IS NOT NULL AND number IS NOT NULL")  # here


def downgrade() -> None:
    op.drop_constraint("ck_orders_note", "orders")
