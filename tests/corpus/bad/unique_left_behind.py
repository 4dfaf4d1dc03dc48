"""A constraint over a new column would go with the column; this one is over old ones.

Stage: after-downgrade
Found: constraint uq_orders_id_account ON public.orders left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "unique_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_unique_constraint("uq_orders_id_account", "orders", ["id", "account_id"])
    op.add_column("orders", sa.Column("weight", sa.Integer()))


def downgrade() -> None:
    op.drop_column("orders", "weight")
