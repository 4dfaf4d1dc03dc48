"""One column of two is dropped.

Stage: after-downgrade
Found: column public.orders.paid_at left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "column_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("paid_at", sa.DateTime(timezone=True)))
    op.add_column("orders", sa.Column("sent_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("orders", "sent_at")
