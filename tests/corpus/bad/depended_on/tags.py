"""The branch on which the other one depends."""

import sqlalchemy as sa
from alembic import op

revision = "tags"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade() -> None:
    op.drop_table("tags")
