"""The covering column is not named again.

Stage: after-downgrade
Found: index ix_orders_number ON public.orders changed: definition
"""

from alembic import op

revision = "index_include_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE INDEX ix_orders_number ON orders (number) INCLUDE (note);
"""


def upgrade() -> None:
    op.drop_index("ix_orders_number", "orders")


def downgrade() -> None:
    op.create_index("ix_orders_number", "orders", ["number"])
