"""Rows and a change of the table in one transaction, with a deferred key between them.

Stage: rows
Error: because it has pending trigger events
"""

import sqlalchemy as sa
from alembic import op

revision = "pending_trigger_events"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
ALTER TABLE orders ALTER CONSTRAINT fk_orders_account DEFERRABLE INITIALLY DEFERRED;
"""


def upgrade() -> None:
    op.execute("UPDATE orders SET account_id = (SELECT min(id) FROM accounts)")
    op.add_column("orders", sa.Column("weight", sa.Integer()))  # here


def downgrade() -> None:
    op.drop_column("orders", "weight")
