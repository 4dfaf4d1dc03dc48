"""Not undone, the second upgrade adds once more to what the first one has added to.

Lost: public.orders.note
"""

from alembic import op

revision = "added_twice"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE orders SET note = note || '!'")


def downgrade() -> None:
    pass
