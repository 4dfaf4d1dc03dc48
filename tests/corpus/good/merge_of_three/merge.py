"""Joins all three."""

import sqlalchemy as sa
from alembic import op

revision = "merge"
down_revision = ("left", "middle", "right")
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "all_three",
        sa.Column("left_id", sa.Integer(), sa.ForeignKey("lefts.id")),
        sa.Column("right_id", sa.Integer(), sa.ForeignKey("rights.id")),
    )


def downgrade() -> None:
    op.drop_table("all_three")
