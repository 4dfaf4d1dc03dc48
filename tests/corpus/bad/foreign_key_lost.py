"""The key is dropped for a bulk change and not added again.

Stage: after-downgrade
Found: constraint fk_orders_account ON public.orders lost
"""

from alembic import op

revision = "foreign_key_lost"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("fk_orders_account", "orders", type_="foreignkey")


def downgrade() -> None:
    pass
