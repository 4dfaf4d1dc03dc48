"""Without text_pattern_ops the index no longer serves LIKE 'x%'.

Stage: after-downgrade
Found: index ix_orders_note ON public.orders changed: definition
"""

from alembic import op

revision = "index_opclass_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE INDEX ix_orders_note ON orders (note text_pattern_ops);
"""


def upgrade() -> None:
    op.drop_index("ix_orders_note", "orders")


def downgrade() -> None:
    op.create_index("ix_orders_note", "orders", ["note"])
