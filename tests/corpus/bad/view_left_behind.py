"""A view over columns that were there before does not stand in the way of anything, and stays.

Stage: after-downgrade
Found: view public.paid_orders left behind
"""

from alembic import op

revision = "view_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE VIEW paid_orders AS SELECT id FROM orders WHERE state = 'paid'")


def downgrade() -> None:
    pass
