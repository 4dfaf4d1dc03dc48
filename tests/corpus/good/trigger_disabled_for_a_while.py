"""Off for the backfill, and on again."""

import sqlalchemy as sa
from alembic import op

revision = "trigger_disabled_for_a_while"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note = ''touched''; RETURN NEW; END';
CREATE TRIGGER touch_orders BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
"""


def upgrade() -> None:
    op.add_column("orders", sa.Column("weight", sa.Integer()))
    op.execute("ALTER TABLE orders DISABLE TRIGGER touch_orders")
    op.execute("UPDATE orders SET weight = 0")
    op.execute("ALTER TABLE orders ENABLE TRIGGER touch_orders")


def downgrade() -> None:
    op.drop_column("orders", "weight")
