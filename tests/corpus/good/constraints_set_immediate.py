"""Deferred keys are checked before the table is changed."""

import sqlalchemy as sa
from alembic import op

revision = "constraints_set_immediate"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
ALTER TABLE orders ALTER CONSTRAINT fk_orders_account DEFERRABLE INITIALLY DEFERRED;
"""


def upgrade() -> None:
    op.execute("UPDATE orders SET account_id = account_id")
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.add_column("orders", sa.Column("weight", sa.Integer()))


def downgrade() -> None:
    op.drop_column("orders", "weight")
