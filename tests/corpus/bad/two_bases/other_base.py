"""A second base has its own tables, and its own mistake.

Stage: after-downgrade
Found: schema audit left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "other_base"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS audit")
    op.execute("CREATE SEQUENCE audit.number")
    op.create_table("audits", sa.Column("id", sa.Integer(), primary_key=True), schema="audit")


def downgrade() -> None:
    op.drop_table("audits", schema="audit")
