"""A check that holds for new rows alone, at first."""

from alembic import op

revision = "not_valid_at_first"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD CONSTRAINT ck_orders_id CHECK (id > 0) NOT VALID")


def downgrade() -> None:
    op.drop_constraint("ck_orders_id", "orders")
