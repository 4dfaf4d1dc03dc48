"""A new label cannot be used in the transaction that adds it.

Stage: upgrade
Error: unsafe use of new value "returned" of enum type order_state
"""

from alembic import op

revision = "label_used_at_once"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TYPE order_state ADD VALUE 'returned'")
    op.execute("ALTER TABLE orders ALTER state SET DEFAULT 'returned'")  # here


def downgrade() -> None:
    op.execute("ALTER TABLE orders ALTER state SET DEFAULT 'open'")
