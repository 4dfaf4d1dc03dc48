"""Goes on from there."""

import sqlalchemy as sa
from alembic import op

revision = "after"
down_revision = "merge"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("all_three", sa.Column("middle_id", sa.Integer(), sa.ForeignKey("middles.id")))


def downgrade() -> None:
    op.drop_column("all_three", "middle_id")
