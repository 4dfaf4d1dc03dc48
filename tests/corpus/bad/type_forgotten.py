"""The dropped column comes back with another type.

Stage: after-downgrade
Found: column public.orders.seller_id changed: type
"""

import sqlalchemy as sa
from alembic import op

revision = "type_forgotten"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("orders", "seller_id")


def downgrade() -> None:
    op.add_column("orders", sa.Column("seller_id", sa.Integer()))
