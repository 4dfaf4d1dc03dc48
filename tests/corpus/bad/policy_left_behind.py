"""Row security is switched off again, the policy stays and waits for the next time.

Stage: after-downgrade
Found: policy own_orders ON public.orders left behind
"""

from alembic import op

revision = "policy_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY own_orders ON orders USING (note = current_user)")


def downgrade() -> None:
    op.execute("ALTER TABLE orders DISABLE ROW LEVEL SECURITY")
