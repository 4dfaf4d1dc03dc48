"""Duplicates go before the constraint comes; that rows are lost is told, and is no defect of the schema.

Lost: public.orders
"""

from alembic import op

revision = "unique_after_dedupe"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM orders a USING orders b WHERE a.number = b.number AND a.id > b.id")
    op.create_unique_constraint("uq_orders_number", "orders", ["number"])


def downgrade() -> None:
    op.drop_constraint("uq_orders_number", "orders")
