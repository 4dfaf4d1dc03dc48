"""Orphans are set to NULL before the key comes.

Lost: public.orders.seller_id
"""

from alembic import op

revision = "foreign_key_after_cleaning"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE orders SET seller_id = NULL WHERE seller_id NOT IN (SELECT id FROM accounts)")
    op.create_foreign_key("fk_orders_seller", "orders", "accounts", ["seller_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint("fk_orders_seller", "orders", type_="foreignkey")
