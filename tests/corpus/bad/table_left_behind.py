"""The table of the links stays, without the table that it links to.

Stage: after-downgrade
Found: table public.order_tags left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "table_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))
    op.create_table(
        "order_tags",
        sa.Column("order_id", sa.BigInteger(), sa.ForeignKey("orders.id")),
        sa.Column("tag_id", sa.Integer()),
    )


def downgrade() -> None:
    op.drop_table("tags")
