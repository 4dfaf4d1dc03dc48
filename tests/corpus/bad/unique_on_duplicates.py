"""Nothing has kept two orders from having one number.

Stage: rows
Error: could not create unique index "uq_orders_number"
"""

from alembic import op

revision = "unique_on_duplicates"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_unique_constraint("uq_orders_number", "orders", ["number"])  # here


def downgrade() -> None:
    op.drop_constraint("uq_orders_number", "orders")
