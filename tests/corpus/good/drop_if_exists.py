"""IF EXISTS on the way down, also for what is not there."""

from alembic import op

revision = "drop_if_exists"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_number", "orders", ["number"])


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS ix_orders_number")
    op.execute("DROP INDEX IF EXISTS ix_orders_of_an_older_name")
