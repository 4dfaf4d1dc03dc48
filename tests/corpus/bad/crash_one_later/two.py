"""Leaves a foreign key behind: that is the defect.

Stage: after-downgrade
Found: column public.orders.tag_id left behind
Found: constraint fk_orders_tag ON public.orders left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "two"
down_revision = "one"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("tag_id", sa.Integer()))
    op.create_foreign_key("fk_orders_tag", "orders", "tags", ["tag_id"], ["id"])


def downgrade() -> None:
    pass
