"""A column that no key has guarded refers to what is not there.

Stage: rows
Error: violates foreign key constraint "fk_orders_seller"
"""

from alembic import op

revision = "foreign_key_on_orphans"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_foreign_key("fk_orders_seller", "orders", "accounts", ["seller_id"], ["id"])  # here


def downgrade() -> None:
    op.drop_constraint("fk_orders_seller", "orders", type_="foreignkey")
