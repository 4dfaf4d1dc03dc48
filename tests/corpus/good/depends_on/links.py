"""Refers to a table of another branch."""

import sqlalchemy as sa
from alembic import op

revision = "links"
down_revision = "given"
branch_labels = None
depends_on = "tags"


def upgrade() -> None:
    op.create_table("links", sa.Column("tag_id", sa.Integer(), sa.ForeignKey("tags.id")))


def downgrade() -> None:
    op.drop_table("links")
