"""The column comes back, its values do not.

Lost: public.orders.number
Order: changed
"""

import sqlalchemy as sa
from alembic import op

revision = "column_dropped"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("orders", "number")


def downgrade() -> None:
    op.add_column("orders", sa.Column("number", sa.Integer()))
