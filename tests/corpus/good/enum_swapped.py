"""A label more by way of a new type, and back again: rows that have it get another.

Lost: nothing
"""

from alembic import op

revision = "enum_swapped"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ALTER state DROP DEFAULT")
    op.execute("ALTER TYPE order_state RENAME TO order_state_old")
    op.execute("CREATE TYPE order_state AS ENUM ('open', 'paid', 'sent', 'returned')")
    op.execute("ALTER TABLE orders ALTER state TYPE order_state USING state::text::order_state")
    op.execute("ALTER TABLE orders ALTER state SET DEFAULT 'open'")
    op.execute("DROP TYPE order_state_old")


def downgrade() -> None:
    op.execute("ALTER TABLE orders ALTER state DROP DEFAULT")
    op.execute("UPDATE orders SET state = 'sent' WHERE state = 'returned'")
    op.execute("ALTER TYPE order_state RENAME TO order_state_new")
    op.execute("CREATE TYPE order_state AS ENUM ('open', 'paid', 'sent')")
    op.execute("ALTER TABLE orders ALTER state TYPE order_state USING state::text::order_state")
    op.execute("ALTER TABLE orders ALTER state SET DEFAULT 'open'")
    op.execute("DROP TYPE order_state_new")
