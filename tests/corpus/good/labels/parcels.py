"""Depends on the other branch by its label."""

import sqlalchemy as sa
from alembic import op

revision = "parcels"
down_revision = "given"
branch_labels = None
depends_on = "billing"


def upgrade() -> None:
    op.create_table("parcels", sa.Column("bill_id", sa.Integer(), sa.ForeignKey("bills.id")))


def downgrade() -> None:
    op.drop_table("parcels")
