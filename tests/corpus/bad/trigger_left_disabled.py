"""Switched off for a backfill on the way down, and left so.

Stage: after-downgrade
Found: trigger touch_orders ON public.orders changed: state
"""

import sqlalchemy as sa
from alembic import op

revision = "trigger_left_disabled"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch_orders BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
"""


def upgrade() -> None:
    op.add_column("orders", sa.Column("weight", sa.Integer()))


def downgrade() -> None:
    op.execute("ALTER TABLE orders DISABLE TRIGGER touch_orders")
    op.execute("UPDATE orders SET note = 'weighs ' || weight WHERE weight > 0")
    op.drop_column("orders", "weight")
