"""A check in two steps, on what holds for every row."""

from alembic import op

revision = "not_valid_then_validated"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD CONSTRAINT ck_orders_id CHECK (id > 0) NOT VALID")
    op.execute("ALTER TABLE orders VALIDATE CONSTRAINT ck_orders_id")


def downgrade() -> None:
    op.drop_constraint("ck_orders_id", "orders")
