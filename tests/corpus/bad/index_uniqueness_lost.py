"""The unique index comes back as one that lets duplicates in.

Stage: after-downgrade
Found: index ux_orders_number ON public.orders changed: definition
"""

from alembic import op

revision = "index_uniqueness_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE UNIQUE INDEX ux_orders_number ON orders (number);
"""


def upgrade() -> None:
    op.drop_index("ux_orders_number", "orders")


def downgrade() -> None:
    op.create_index("ux_orders_number", "orders", ["number"])
