"""Innocent: the straight way down crashes here."""

import sqlalchemy as sa
from alembic import op

revision = "one"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("moods", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("mood", sa.Text()))


def downgrade() -> None:
    op.drop_table("moods")
