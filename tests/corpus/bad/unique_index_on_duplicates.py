"""The same as an index, over two columns, one of them a Boolean.

Stage: rows
Error: could not create unique index "ux_orders_state_gift"
"""

from alembic import op

revision = "unique_index_on_duplicates"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
ALTER TABLE orders ADD COLUMN gift boolean NOT NULL DEFAULT false;
"""


def upgrade() -> None:
    op.create_index("ux_orders_state_gift", "orders", ["state", "gift"], unique=True)  # here


def downgrade() -> None:
    op.drop_index("ux_orders_state_gift", "orders")
