"""Dropped in the order in which they were made, not in the opposite one.

Stage: downgrade
Error: constraint fk_lines_basket on table lines depends on table baskets
"""

import sqlalchemy as sa
from alembic import op

revision = "tables_dropped_in_order"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("baskets", sa.Column("id", sa.Integer(), primary_key=True))
    op.create_table(
        "lines",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("basket_id", sa.Integer(), sa.ForeignKey("baskets.id", name="fk_lines_basket")),
    )


def downgrade() -> None:
    op.drop_table("baskets")  # here
    op.drop_table("lines")
