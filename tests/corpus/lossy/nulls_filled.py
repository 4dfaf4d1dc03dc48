"""Which values were NULL cannot be told afterwards: no value is gone, and rows are not what they were.

Lost: public.orders
"""

from alembic import op

revision = "nulls_filled"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE orders SET note = '' WHERE note IS NULL")
    op.alter_column("orders", "note", nullable=False)


def downgrade() -> None:
    op.alter_column("orders", "note", nullable=True)
