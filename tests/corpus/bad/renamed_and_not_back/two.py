"""Renames on the way up only.

Stage: after-downgrade
Found: column public.orders.weight lost
Found: column public.orders.grams left behind
"""

from alembic import op

revision = "two"
down_revision = "one"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("orders", "weight", new_column_name="grams")


def downgrade() -> None:
    pass
