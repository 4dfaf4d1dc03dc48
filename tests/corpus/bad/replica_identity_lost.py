"""Logical replication needs the whole row; after the way back it gets the key only.

Stage: after-downgrade
Found: table public.orders changed: replica identity
"""

from alembic import op

revision = "replica_identity_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
ALTER TABLE orders REPLICA IDENTITY FULL;
"""


def upgrade() -> None:
    op.execute("ALTER TABLE orders REPLICA IDENTITY USING INDEX pk_orders")


def downgrade() -> None:
    op.execute("ALTER TABLE orders REPLICA IDENTITY DEFAULT")
