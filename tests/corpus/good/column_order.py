"""The column comes back as the last one: another order, the same table.

Order: changed
Lost: public.orders.note
"""

import sqlalchemy as sa
from alembic import op

revision = "column_order"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("orders", "note")


def downgrade() -> None:
    op.add_column("orders", sa.Column("note", sa.Text()))
