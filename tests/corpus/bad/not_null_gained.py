"""The column could be NULL before; the way down makes it NOT NULL for good measure.

Stage: after-downgrade
Found: column public.orders.note changed: not null
"""

import sqlalchemy as sa
from alembic import op

revision = "not_null_gained"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE orders SET note = '' WHERE note IS NULL")
    op.alter_column("orders", "note", nullable=False, server_default="", existing_type=sa.Text())


def downgrade() -> None:
    op.alter_column("orders", "note", server_default=None, existing_type=sa.Text())
