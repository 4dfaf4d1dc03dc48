"""A history beside the first, from its own base."""

import sqlalchemy as sa
from alembic import op

revision = "other_base"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA audit")
    op.create_table("audits", sa.Column("id", sa.Integer(), primary_key=True), schema="audit")


def downgrade() -> None:
    op.drop_table("audits", schema="audit")
    op.execute("DROP SCHEMA audit")
