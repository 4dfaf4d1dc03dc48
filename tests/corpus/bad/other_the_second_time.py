"""What the upgrade makes depends on what it finds: the second time the index has another name.

Stage: after-upgrade-again
Found: index ix_orders_number ON public.orders lost
Found: index ix_orders_number_2 ON public.orders left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "other_the_second_time"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE done (what text PRIMARY KEY);
"""


def upgrade() -> None:
    again = op.get_bind().scalar(sa.text("SELECT count(*) FROM done WHERE what = 'the index of numbers'"))
    op.create_index("ix_orders_number_2" if again else "ix_orders_number", "orders", ["number"])
    if not again:
        op.execute("INSERT INTO done VALUES ('the index of numbers')")


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS ix_orders_number, ix_orders_number_2")
