"""Innocent: its downgrade does not find the column, which the next one has renamed for good."""

import sqlalchemy as sa
from alembic import op

revision = "one"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("weight", sa.Integer()))


def downgrade() -> None:
    op.drop_column("orders", "weight")
