"""The column's limit is not lifted on the way down.

Stage: after-downgrade
Found: constraint ck_orders_number ON public.orders left behind
"""

from alembic import op

revision = "check_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD CONSTRAINT ck_orders_number CHECK (number <> 0) NOT VALID")


def downgrade() -> None:
    pass
