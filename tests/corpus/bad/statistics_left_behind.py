"""Extended statistics are no part of what autogenerate sees.

Stage: after-downgrade
Found: statistics public.orders_state_number left behind
"""

from alembic import op

revision = "statistics_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE STATISTICS orders_state_number ON state, number FROM orders")


def downgrade() -> None:
    pass
