"""The policy comes back for all commands instead of SELECT alone.

Stage: after-downgrade
Found: policy own_orders ON public.orders changed: definition
"""

from alembic import op

revision = "policy_changed"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE POLICY own_orders ON orders FOR SELECT USING (note = current_user);
"""


def upgrade() -> None:
    op.execute("DROP POLICY own_orders ON orders")


def downgrade() -> None:
    op.execute("CREATE POLICY own_orders ON orders USING (note = current_user)")
