"""Table, column, index, constraint, sequence and type: each renamed, and renamed back.

Lost: nothing
"""

from alembic import op

revision = "renamed_there_and_back"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("orders", "purchases")
    op.alter_column("purchases", "note", new_column_name="remark")
    op.execute("ALTER INDEX ix_orders_account RENAME TO ix_purchases_account")
    op.execute("ALTER TABLE purchases RENAME CONSTRAINT pk_orders TO pk_purchases")
    op.execute("ALTER SEQUENCE orders_id_seq RENAME TO purchases_id_seq")
    op.execute("ALTER TYPE order_state RENAME TO purchase_state")


def downgrade() -> None:
    op.execute("ALTER TYPE purchase_state RENAME TO order_state")
    op.execute("ALTER SEQUENCE purchases_id_seq RENAME TO orders_id_seq")
    op.execute("ALTER TABLE purchases RENAME CONSTRAINT pk_purchases TO pk_orders")
    op.execute("ALTER INDEX ix_purchases_account RENAME TO ix_orders_account")
    op.alter_column("purchases", "remark", new_column_name="note")
    op.rename_table("purchases", "orders")
