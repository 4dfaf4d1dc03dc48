"""The rename of the constraint is a line of its own, and forgotten on the way down.

Stage: after-downgrade
Found: constraint ck_orders_note ON public.orders lost
Found: constraint ck_orders_remark ON public.orders left behind
"""

from alembic import op

revision = "constraint_not_renamed_back"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
ALTER TABLE orders ADD CONSTRAINT ck_orders_note CHECK (note <> 'x') NOT VALID;
"""


def upgrade() -> None:
    op.alter_column("orders", "note", new_column_name="remark")
    op.execute("ALTER TABLE orders RENAME CONSTRAINT ck_orders_note TO ck_orders_remark")


def downgrade() -> None:
    op.alter_column("orders", "remark", new_column_name="note")
