"""Rows go for good; the schema is not touched at all.

Lost: public.orders
"""

from alembic import op

revision = "rows_deleted"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM orders WHERE number IS NULL OR note IS NULL OR id % 2 = 0")


def downgrade() -> None:
    pass
