"""Stands on the second base."""

import sqlalchemy as sa
from alembic import op

revision = "other_next"
down_revision = "other_base"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audits", sa.Column("what", sa.Text()), schema="audit")


def downgrade() -> None:
    op.drop_column("audits", "what", schema="audit")
