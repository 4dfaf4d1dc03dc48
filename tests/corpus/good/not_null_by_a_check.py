"""The check first, not valid; then its scan; then NOT NULL, which need not scan."""

from alembic import op

revision = "not_null_by_a_check"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD CONSTRAINT orders_number_set CHECK (number IS NOT NULL) NOT VALID")
    op.execute("UPDATE orders SET number = 0 WHERE number IS NULL")
    op.execute("ALTER TABLE orders VALIDATE CONSTRAINT orders_number_set")
    op.alter_column("orders", "number", nullable=False)
    op.drop_constraint("orders_number_set", "orders")


def downgrade() -> None:
    op.alter_column("orders", "number", nullable=True)
