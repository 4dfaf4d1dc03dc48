"""A rule that redirects writes stays in force.

Stage: after-downgrade
Found: rule keep_orders ON public.orders left behind
"""

from alembic import op

revision = "rule_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE RULE keep_orders AS ON DELETE TO orders WHERE OLD.state = 'paid' DO INSTEAD NOTHING")


def downgrade() -> None:
    pass
