"""Refers to a table of another branch, by depends_on, and leaves the key's column.

Stage: after-downgrade
Found: column public.orders.tag_id left behind
Found: constraint fk_orders_tag ON public.orders left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "links"
down_revision = "given"
branch_labels = None
depends_on = "tags"


def upgrade() -> None:
    op.add_column("orders", sa.Column("tag_id", sa.Integer()))
    op.create_foreign_key("fk_orders_tag", "orders", "tags", ["tag_id"], ["id"])


def downgrade() -> None:
    pass
