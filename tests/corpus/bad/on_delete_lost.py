"""The foreign key comes back without ON DELETE CASCADE.

Stage: after-downgrade
Found: constraint fk_orders_account ON public.orders changed: definition
"""

from alembic import op

revision = "on_delete_lost"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("fk_orders_account", "orders", type_="foreignkey")
    op.create_foreign_key("fk_orders_account", "orders", "accounts", ["account_id"], ["id"], ondelete="RESTRICT")


def downgrade() -> None:
    op.drop_constraint("fk_orders_account", "orders", type_="foreignkey")
    op.create_foreign_key("fk_orders_account", "orders", "accounts", ["account_id"], ["id"])
