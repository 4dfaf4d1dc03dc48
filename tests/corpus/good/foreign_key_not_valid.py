"""The key for new rows only: orphans stay, for now."""

from alembic import op

revision = "foreign_key_not_valid"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_foreign_key("fk_orders_seller", "orders", "accounts", ["seller_id"], ["id"], postgresql_not_valid=True)


def downgrade() -> None:
    op.drop_constraint("fk_orders_seller", "orders", type_="foreignkey")
