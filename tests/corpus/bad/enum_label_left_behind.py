"""A label cannot be dropped, and nobody says that this revision cannot be undone.

Stage: after-downgrade
Found: enum public.order_state changed: labels
"""

from alembic import op

revision = "enum_label_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE order_state ADD VALUE 'returned'")


def downgrade() -> None:
    pass
