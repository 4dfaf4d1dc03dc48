"""The index goes, the foreign key stays.

Stage: after-downgrade
Found: constraint fk_orders_seller ON public.orders left behind
"""

from alembic import op

revision = "foreign_key_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_foreign_key("fk_orders_seller", "orders", "accounts", ["seller_id"], ["id"], postgresql_not_valid=True)
    op.create_index("ix_orders_seller", "orders", ["seller_id"])


def downgrade() -> None:
    op.drop_index("ix_orders_seller", "orders")
