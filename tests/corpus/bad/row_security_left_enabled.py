"""The policy is dropped, row security stays on: nobody but the owner sees a row any more.

Stage: after-downgrade
Found: table public.orders changed: row security
"""

from alembic import op

revision = "row_security_left_enabled"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY own_orders ON orders USING (note = current_user)")


def downgrade() -> None:
    op.execute("DROP POLICY own_orders ON orders")
