"""A branch with a label."""

import sqlalchemy as sa
from alembic import op

revision = "bills"
down_revision = "given"
branch_labels = ("billing",)
depends_on = None


def upgrade() -> None:
    op.create_table("bills", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade() -> None:
    op.drop_table("bills")
