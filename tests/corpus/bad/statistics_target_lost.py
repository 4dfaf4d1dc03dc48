"""The planner's sample of a skewed column is back at the default.

Stage: after-downgrade
Found: column public.orders.note changed: statistics target
"""

from alembic import op

revision = "statistics_target_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
ALTER TABLE orders ALTER note SET STATISTICS 1000;
"""


def upgrade() -> None:
    op.alter_column("orders", "note", new_column_name="remark")
    op.execute("ALTER TABLE orders ALTER remark SET STATISTICS -1")


def downgrade() -> None:
    op.alter_column("orders", "remark", new_column_name="note")
